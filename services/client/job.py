"""A query as the screen knows it: what the gateway has stored, and the texts that still stream."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from .rest import Json
from .stream import Event

#: Statuses in which a query has ended.
ENDED = ("done", "failed", "cancelled")
#: Colours of seats, a class each in style.css; they are those of the charts.
COLOURS = 8
#: The way of every query; it is never gone backward, though a replay may begin anew.
WAY = ("accepted", "asking", "aggregating")


@dataclass
class Draft:
    """The text of one attempt, as far as it has come."""

    agent_id: str
    attempt: int
    text: str = ""

    def add(self, data: Json) -> "Draft":
        """The draft with one more piece; a new attempt or another agent begins a new draft."""
        if (data["agent_id"], data["attempt"]) == (self.agent_id, self.attempt):
            self.text += data["text"]
            return self
        if data["agent_id"] == self.agent_id and data["attempt"] < self.attempt:
            return self
        return Draft(data["agent_id"], data["attempt"], data["text"])


@dataclass
class Job:
    """A query's resource with its events applied.

    Attributes:
        seats: all seats of the roster in its order, from which each has its colour, here and in the charts.
        connected: false while the stream is being had back.
    """

    resource: Json
    seats: list[str] = field(default_factory=list)
    responses: dict[str, Draft] = field(default_factory=dict)
    consensus: Draft | None = None
    connected: bool = True

    @property
    def status(self) -> str:
        """The query's status."""
        return str(self.resource["status"])

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.status in ENDED

    @property
    def settled(self) -> bool:
        """Whether nothing more will come: it has ended, and its analysis too."""
        return self.ended and self.resource["analysis"]["status"] != "pending"

    @property
    def awaited(self) -> list[str]:
        """The agents that have not answered yet."""
        return [seat["agent_id"] for seat in self.resource["responses"] if seat["status"] == "pending"]

    def colour(self, agent_id: str) -> int:
        """The number of a seat's colour; agents that are no seats any more come after those that are."""
        panel = [seat["agent_id"] for seat in self.resource["responses"]]
        places = list(dict.fromkeys([*self.seats, *panel, agent_id]))
        return places.index(agent_id) % COLOURS

    def seconds_left(self, now: datetime) -> float:
        """Time until the query's deadline, never below zero."""
        return max(0.0, (moment(self.resource["deadline_at"]) - now).total_seconds())

    def seconds_in_all(self) -> float:
        """Time from the question to its deadline."""
        return (moment(self.resource["deadline_at"]) - moment(self.resource["created_at"])).total_seconds()

    def seconds_taken(self) -> float | None:
        """Time from the question to its end; None while it runs."""
        finished_at = self.resource.get("finished_at")
        return (moment(finished_at) - moment(self.resource["created_at"])).total_seconds() if finished_at else None

    def replace(self, resource: Json) -> None:
        """Take over what the gateway has stored; whole texts there make their drafts void."""
        self.resource = resource
        for seat in resource["responses"]:
            if seat["status"] != "pending":
                self.responses.pop(seat["agent_id"], None)

    def apply(self, event: Event) -> None:
        """Bring the screen's knowledge forward by one event; events already known change nothing."""
        self.connected = event.name != "interrupted"
        match event.name:
            case "status":
                self._status(event.data["status"])
            case "response.delta" if event.data["agent_id"] in self.awaited:
                draft = self.responses.get(event.data["agent_id"]) or Draft(event.data["agent_id"], 0)
                self.responses[event.data["agent_id"]] = draft.add(event.data)
            case "response":
                self._response(event.data)
            case "consensus.delta":
                self.consensus = (self.consensus or Draft("", 0)).add(event.data)
            case "consensus":
                self.resource["consensus"] = event.data
            case "reset":
                self._reset(event.data)

    def _status(self, status: str) -> None:
        if not self.ended and (status in ENDED or WAY.index(status) > WAY.index(self.status)):
            self.resource["status"] = status

    def _response(self, response: Json) -> None:
        agent_id = response["agent_id"]
        seats = self.resource["responses"]
        self.responses.pop(agent_id, None)
        self.resource["responses"] = [response if seat["agent_id"] == agent_id else seat for seat in seats]

    def _reset(self, data: Json) -> None:
        if data["stage"] == "consensus":
            self.consensus = None
        elif (draft := self.responses.get(data["agent_id"])) and draft.attempt <= data["attempt"]:
            self.responses[data["agent_id"]] = Draft(data["agent_id"], data["attempt"])


def moment(stamp: str) -> datetime:
    """A time of the API as a time in UTC."""
    return datetime.fromisoformat(stamp).astimezone(UTC)
