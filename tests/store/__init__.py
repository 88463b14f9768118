"""The durable core on real databases, with a real broker and real sockets."""
