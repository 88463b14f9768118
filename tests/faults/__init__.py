"""The whole stack on both databases, killed where it hurts: what was accepted ends once, and nothing is lost."""
