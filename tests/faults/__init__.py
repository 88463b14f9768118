"""What must hold when processes die, servers are away, and messages or models are poison."""
