"""What comes after the consensus: its responses are measured by whoever can, and the result is stored."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from folkmoot import figures, logs, traces
from folkmoot.announcements import tell_analysis
from folkmoot.resources import AnalysisResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import concluding
from folkmoot.store.concluding import ToAnalyse


@dataclass(frozen=True)
class Measurable:
    """What is measured: a question and what was said to it.

    Attributes:
        job_id: whose account the calls of judges go to; empty for nobody's.
        user_id: who asked, whose own key such calls are made with.
        responses: (agent_id, text) of each, in the panel's order.
        roles: by agent, the role that it was given.
    """

    query: str
    question_type: str
    responses: Sequence[tuple[str, str]]
    roles: Mapping[str, str]
    consensus: str
    job_id: str = ""
    user_id: int = 0


#: Measures. It is handed in, and imported by no process but the one that measures.
Analyser = Callable[[Measurable], AnalysisResource]
#: What stands for an analysis that raised.
BROKE = AnalysisResource(
    status="failed", consensus_score=None, reason="the analysis broke down over these responses; it has been logged"
)

log = logging.getLogger(__name__)


def analyse(runtime: Runtime, job_id: str, analyser: Analyser) -> None:
    """Measure the responses of a concluded query, and store the result.

    Whatever the analysis does, the query keeps its consensus: one that breaks down is stored as failed.
    """
    found = concluding.to_analyse(runtime.db, job_id)
    if found is None:
        return
    logs.add(request_id=found.job.request_id)
    figures.analysing(runtime, found.job.finished_at)
    log.info("measures")
    with traces.resumed(found.job.traceparent, "analyse", job_id=job_id):
        _analyse(runtime, found, analyser)


def _analyse(runtime: Runtime, found: ToAnalyse, analyser: Analyser) -> None:
    began, job = time.monotonic(), found.job
    responses = [(row.agent_id, row.text) for row in found.responses]
    roles = {row.agent_id: row.role for row in found.responses}
    try:
        with traces.span("measure"):
            result = analyser(
                Measurable(job.query, job.question_type, responses, roles, found.consensus, job.job_id, job.user_id)
            )
    except Exception:
        log.exception("the analysis of job %s broke down", job.job_id)
        result = BROKE
    if concluding.finish_analysis(runtime.db, job.job_id, result, now=utcnow()):
        figures.analysed(runtime, took_s=time.monotonic() - began)
        log.info("analysis stored: %s", result.status)
        tell_analysis(runtime, job.job_id, result)
