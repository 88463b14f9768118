"""The C library's heap, in the process that holds the networks."""

import ctypes

#: glibc's number for the size from which on a block comes from the system, and goes back there when it is freed.
M_MMAP_THRESHOLD = -3
LARGE_BYTES = 1024 * 1024


def give_back_what_is_large() -> None:
    """Have large blocks leave the process when they are freed; a C library that has no such setting is left as it is.

    Left alone, glibc takes each such block that is freed as a sign to keep all up to its size (at most 32 MiB) for
    later: 80 MB for nothing, once the networks are loaded. Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
