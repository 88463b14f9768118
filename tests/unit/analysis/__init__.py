"""The analysis, module by module."""
