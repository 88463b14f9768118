"""One package for each kind of process; none imports another."""
