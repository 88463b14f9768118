"""Requests made up at random."""
