"""Measurements of the real stack on scripted models: `make bench-<name>` prints a table and writes its JSON."""
