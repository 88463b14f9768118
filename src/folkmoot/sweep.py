"""What is overdue and what to do about it: one look, safe in several copies, made every few seconds."""

import logging

from folkmoot import council
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import outbox, overdue

log = logging.getLogger(__name__)


def sweep(runtime: Runtime) -> None:
    """Settle what is late, free what a dead worker held, and send what nobody has taken."""
    _settle(runtime)
    _free(runtime)
    _give_up_analyses(runtime)
    relay(runtime)


def _settle(runtime: Runtime) -> None:
    now = utcnow()
    for job_id, moved in overdue.settle_late(runtime.db, now=now, hint_due_at=now):
        log.info("asking of job %s is over: %s", job_id, moved.status)
        council.tell_moved(runtime, job_id, moved)


def _free(runtime: Runtime) -> None:
    now, attempts = utcnow(), runtime.settings.attempts
    for job_id, agent_ids, moved in overdue.free_responses(runtime.db, now=now, attempts=attempts, hint_due_at=now):
        log.warning("job %s: gave up on %s", job_id, ", ".join(agent_ids))
        council.tell_responses(runtime, job_id, agent_ids)
        if moved is not None:
            council.tell_moved(runtime, job_id, moved)
    for job_id in overdue.free_conclusions(runtime.db, now=now, attempts=attempts):
        log.warning("job %s could not be concluded", job_id)
        runtime.events.append(job_id, [("status", {"status": "failed"}), ("end", {"status": "failed"})])


def _give_up_analyses(runtime: Runtime) -> None:
    late = overdue.give_up_analyses(runtime.db, now=utcnow(), analysis_s=runtime.settings.analysis_s)
    for job_id, result in late:
        log.warning("job %s was not analysed in time", job_id)
        council.tell_analysis(runtime, job_id, result)


def relay(runtime: Runtime) -> None:
    """Send the hints that are due; those the broker does not take are due again at the next look."""
    rows = outbox.claim_due(runtime.db, now=utcnow(), resend_s=runtime.settings.resend_s)
    unsent: list[int] = []
    for id_, job_id, task, agent_id in rows:
        if unsent or not runtime.publisher.hint(job_id, task, [agent_id]):
            unsent.append(id_)
    if unsent:
        outbox.release(runtime.db, unsent, now=utcnow())
