"""The web UI: a Gradio application that knows the product through its REST gateway alone."""
