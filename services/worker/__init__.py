"""The worker service: one process consumes one queue, with tasks that only translate."""
