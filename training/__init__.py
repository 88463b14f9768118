"""Trains the weights that the analysis ships; see `make train-analysis`."""
