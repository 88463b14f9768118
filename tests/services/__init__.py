"""One service or part at a time, real, without the rest of the stack."""
