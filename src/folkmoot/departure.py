"""How a user leaves: `accounts` has closed the account, and all that is theirs is erased, in the database and Redis.

A process that dies in between leaves a closed account, which the next sweep finishes. Workers that are still at a query
of the user find nothing to write to, as with any query that was deleted.
"""

import logging

from folkmoot.runtime import Runtime
from folkmoot.store import erasure

#: Batches of queries that are erased in one go: whoever waits for it, or sweeps, has other things to do.
MOST_BATCHES = 20

log = logging.getLogger(__name__)


def finish(runtime: Runtime, user_id: int) -> None:
    """Erase what is left of a closed account; of one with very much, a part, and the next sweep goes on."""
    erased: list[str] = []
    for number, job_ids in enumerate(erasure.erase_all_of(runtime.db, user_id), start=1):
        erased += job_ids
        runtime.events.forget(*job_ids)
        if number == MOST_BATCHES:
            return
    erased += erasure.erase_user(runtime.db, user_id)
    # Once more: a query that was being accepted when the account was closed may have begun its stream meanwhile.
    runtime.events.forget(*erased)
    runtime.rates.forget(f"user:{user_id}")
    log.info("an account was deleted, with %d queries", len(erased))
