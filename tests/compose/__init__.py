"""The product as containers, on a real engine."""
