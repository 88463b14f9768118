"""Pairs of questions, and what must be said of them."""
