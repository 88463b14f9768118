"""Changes of the seats' states on their way into the database, where they outlast the health board."""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from folkmoot.db import Database
from folkmoot.errors import Unavailable
from folkmoot.health import Entry
from folkmoot.store import incidents
from folkmoot.store.incidents import NewIncident

#: Changes that wait while the database is away; the oldest give way to newer ones.
MOST_WAITING = 1000

log = logging.getLogger(__name__)


class Changes:
    """Records changes of state, in order; those that cannot be stored wait for the next look."""

    def __init__(self, db: Database) -> None:
        """Begin with nothing that waits."""
        self._db = db
        self._waiting: deque[NewIncident] = deque(maxlen=MOST_WAITING)

    def record(self, changed: Sequence[Entry], *, at: datetime) -> None:
        """Store what has changed now and whatever waits; to be called at each look, also when nothing has changed."""
        self._waiting.extend(
            NewIncident(at, entry.agent_id, "state", state=entry.state, reason=entry.reason) for entry in changed
        )
        if not self._waiting:
            return
        try:
            with self._db.write() as connection:
                incidents.record(connection, self._waiting)
        except Unavailable as error:
            log.warning("changes of state are not stored yet, to be tried again: %s", error.__cause__ or error)
            return
        self._waiting.clear()
