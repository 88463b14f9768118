"""Folkmoot's tests: units, services by themselves, and the whole stack end to end."""
