"""Python's collector of cycles, in a process that serves."""

import gc

#: Objects made since its last visit that bring the collector; Python's own 700 are a few lines of a query's way.
MADE_BETWEEN = 50_000


def keep_what_is_there() -> None:
    """Leave out of every later collection what the process has loaded and holds for its whole life.

    With this a collection looks through what queries have made, and not through all that modules are made of.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(MADE_BETWEEN, 10, 10)
