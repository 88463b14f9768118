"""What is overdue and what to do about it: one look, safe in several copies, made every few seconds."""

import itertools
import logging
from collections.abc import Callable
from datetime import timedelta

from folkmoot import announcements, calls, departure
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import cache, deletions, erasure, incidents, outbox, overdue

#: Incidents stay this much longer than they must, so that they are deleted an hour's worth at a time.
PURGE_EVERY = timedelta(hours=1)
#: Batches of old queries that one look erases, so that it goes on with what cannot wait.
MOST_BATCHES = 5

log = logging.getLogger(__name__)


def sweep(runtime: Runtime) -> None:
    """Settle what is late, free what a dead worker held, send what nobody has taken; each whatever the others do."""
    steps: tuple[Callable[[Runtime], None], ...] = (
        settle_late,
        free_responses,
        free_conclusions,
        give_up_analyses,
        relay,
        erase_deleted,
        forget_incidents,
        erase_old,
        see_off,
        prune_cache,
    )
    for step in steps:
        try:
            step(runtime)
        except Exception:
            log.exception("%s failed; the next look comes in a moment", step.__name__)


def settle_late(runtime: Runtime) -> None:
    """Move on every query whose time for asking is over."""
    now = utcnow()
    for job_id, moved in overdue.settle_late(runtime.db, now=now, hint_due_at=now):
        log.info("asking of job %s is over: %s", job_id, moved.status)
        announcements.tell_moved(runtime, job_id, moved)


def free_responses(runtime: Runtime) -> None:
    """Have every response asked for again whose worker went silent, or give it up."""
    now = utcnow()
    freed = overdue.free_responses(runtime.db, now=now, attempts=runtime.settings.attempts, hint_due_at=now)
    for job_id, agent_ids, moved in freed:
        log.warning("job %s: gave up on %s", job_id, ", ".join(agent_ids))
        announcements.tell_responses(runtime, job_id, agent_ids)
        if moved is not None:
            announcements.tell_moved(runtime, job_id, moved)


def free_conclusions(runtime: Runtime) -> None:
    """Have every query concluded again whose aggregate worker went silent, or fail it."""
    for job_id in overdue.free_conclusions(runtime.db, now=utcnow(), attempts=runtime.settings.attempts):
        log.warning("job %s could not be concluded", job_id)
        calls.void_abandoned(runtime, job_id, "consensus")
        announcements.tell_ended(runtime, job_id, "failed")


def give_up_analyses(runtime: Runtime) -> None:
    """Fail every analysis that nobody finished in time."""
    for job_id, result in overdue.give_up_analyses(runtime.db, now=utcnow(), analysis_s=runtime.settings.analysis_s):
        log.warning("job %s was not analysed in time", job_id)
        announcements.tell_analysis(runtime, job_id, result)


def relay(runtime: Runtime) -> None:
    """Send the hints that are due; those the broker does not take are due again at the next look."""
    rows = outbox.claim_due(runtime.db, now=utcnow(), resend_s=runtime.settings.resend_s)
    unsent: list[int] = []
    for id_, job_id, task, agent_id in rows:
        if unsent or not runtime.publisher.hint(job_id, task, [agent_id]):
            unsent.append(id_)
    if unsent:
        outbox.release(runtime.db, unsent, now=utcnow())


def erase_deleted(runtime: Runtime) -> None:
    """Erase the queries whose deletion nobody has taken back in time."""
    for job_id in deletions.erase_due(runtime.db, now=utcnow()):
        log.info("erased job %s, which was deleted", job_id)
        runtime.events.forget(job_id)


def forget_incidents(runtime: Runtime) -> None:
    """Delete the incidents that are too old, once the oldest is so by an hour; nothing is written before."""
    kept_since = utcnow() - timedelta(days=runtime.settings.incidents_days)
    if incidents.reaches_back(runtime.db, before=kept_since - PURGE_EVERY):
        log.info("deleted %d old incidents", incidents.purge(runtime.db, before=kept_since))


def erase_old(runtime: Runtime) -> None:
    """Erase the queries that ended too long ago, and what the ledger keeps of such; an open query is never touched."""
    days, now = runtime.settings.retention_days, utcnow()
    if not days:
        return
    before = now - timedelta(days=days)
    for job_ids in itertools.islice(erasure.erase_ended(runtime.db, before=before), MOST_BATCHES):
        log.info("erased %d queries that ended more than %g days ago", len(job_ids), days)
        runtime.events.forget(*job_ids)
    # A day's figures stay while the day lasts, for its budgets.
    erasure.purge_ledger(runtime.db, before=min(before.date(), now.date()))


def see_off(runtime: Runtime) -> None:
    """Go on with the deletion of accounts whose gateway has not ended it."""
    for user_id in erasure.leaving(runtime.db):
        departure.finish(runtime, user_id)


def prune_cache(runtime: Runtime) -> None:
    """Delete the answers that are kept too long, once the oldest is so by an hour, and the oldest beyond their number.

    Their queries keep them: what is deleted is that others may take them.
    """
    before = utcnow() - timedelta(hours=runtime.settings.cache_hours) - PURGE_EVERY
    if pruned := cache.prune(runtime.db, before=before, most=runtime.settings.cache_entries):
        log.info("pruned %d entries of the cache", pruned)
