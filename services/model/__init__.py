"""The embedded model server, run only when a roster has a seat on it."""
