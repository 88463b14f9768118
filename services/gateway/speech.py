"""Words for a client that cannot take any back: held until their first sentence can stand, then passed on."""

from collections.abc import Callable

from folkmoot import answers
from folkmoot.calls import Speaking
from folkmoot.events import Event

#: Whose words: an agent and its attempt.
Speaker = tuple[str, int]


class TakenBack(Exception):
    """What was said already does not count any more."""


class Speech:
    """What one job says in one stage.

    Args:
        stage: whose words are wanted.
        can_stand: whether an opening may be said; what may not waits for the end, which the product checks as a whole.
    """

    def __init__(self, stage: Speaking, can_stand: Callable[[str], bool]) -> None:
        self._stage = stage
        self._can_stand = can_stand
        self._held: dict[Speaker, str] = {}
        self._speaker: Speaker | None = None
        self._said = ""

    def hear(self, event: Event) -> str:
        """What to say now that this has happened; often nothing.

        Raises:
            TakenBack: it voids what was said.
        """
        if event.type == f"{self._stage}.delta":
            return self._delta((event.data["agent_id"], event.data["attempt"]), event.data["text"])
        if event.type == "reset" and event.data["stage"] == self._stage:
            speaker = (event.data["agent_id"], event.data["attempt"])
            self._held.pop(speaker, None)
            if speaker == self._speaker:
                raise TakenBack("The answer broke off, and another is made that begins otherwise. Ask again.")
        return ""

    def _delta(self, speaker: Speaker, text: str) -> str:
        if speaker == self._speaker:
            return self._say(text)
        held = self._held[speaker] = (self._held.get(speaker, "") + text).lstrip()
        if self._speaker is not None or not answers.has_opening(held) or not self._can_stand(held):
            return ""
        self._speaker = speaker
        return self._say(held)

    def end(self, whole: str) -> str:
        """What is left to say of the whole text.

        Raises:
            TakenBack: the text begins otherwise than what was said.
        """
        if whole.startswith(self._said):
            return self._say(whole[len(self._said) :])
        # What ran out of length ends at its last whole sentence, and blanks at the end are not kept.
        if self._said.startswith(whole):
            return ""
        raise TakenBack("The answer became another while it was told. Ask again.")

    def _say(self, text: str) -> str:
        self._said += text
        return text
