<<<<<<< HEAD
"""The whole stack on both databases, killed where it hurts: what was accepted ends once, and nothing is lost."""
=======
"""What must hold when processes die, servers are away, and messages or models are poison."""
>>>>>>> 1edf3be4315adc407838262a17c1c3b6984c7507
