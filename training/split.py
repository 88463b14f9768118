"""Which labelled pairs an honest measure holds out: all pairs of some premises, so that none is known by another."""

import zlib

#: One premise in so many is held out.
PREMISES = 8


def is_held_out(premise: str) -> bool:
    """Whether the pairs of this premise are for measuring, by its letters alone."""
    return zlib.crc32(premise.strip().lower().encode()) % PREMISES == 0
