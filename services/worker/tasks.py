"""The tasks: each hands its ids to the council; a probe has done its work when it arrives."""

from celery import Celery

from folkmoot import council, dispatch, drawing, measurement
from folkmoot.logs import about
from folkmoot.runtime import Runtime
from services.worker.analyser import Measurer


def register(app: Celery, runtime: Runtime, analyser: Measurer) -> None:
    """Make the tasks known to the app, with the collaborators of this process."""

    @app.task(name=dispatch.ASK)
    def ask(job_id: str, agent_id: str) -> None:
        """Ask one agent; see council.ask for the rules."""
        with about(job_id=job_id, agent_id=agent_id):
            council.ask(runtime, job_id, agent_id)

    @app.task(name=dispatch.CONCLUDE)
    def conclude(job_id: str) -> None:
        """Conclude a query; see council.conclude for the rules."""
        with about(job_id=job_id):
            council.conclude(runtime, job_id)

    @app.task(name=dispatch.ANALYSE)
    def analyse(job_id: str) -> None:
        """Measure a concluded query; see measurement.analyse for the rules."""
        with about(job_id=job_id):
            measurement.analyse(runtime, job_id, analyser.measure)

    @app.task(name=dispatch.DRAW)
    def draw(job_id: str) -> None:
        """Draw the charts of an analysis; see drawing.draw for the rules."""
        with about(job_id=job_id):
            drawing.draw(runtime, job_id, analyser)

    @app.task(name=dispatch.PROBE)
    def probe() -> None:
        """Do nothing: the watchdog sees every task that comes."""
