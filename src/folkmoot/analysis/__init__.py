"""What can be said truthfully about a set of responses: pure functions and small models, offline, on a CPU.

Only the analysing worker imports this package: it alone carries spaCy, onnxruntime and the weights. Read `analyser.py`
first; it holds everything that is loaded once and measures in the order in which the files depend on each other.
"""
