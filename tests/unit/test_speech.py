"""What is said of an answer under way to a client that cannot take words back."""

import pytest

from folkmoot.events import Event
from services.gateway.speech import Speech, TakenBack

OPENING = "Most responses hold that it should be allowed."


def delta(text: str, attempt: int = 1, stage: str = "consensus") -> Event:
    """A piece of an answer."""
    return Event(1, f"{stage}.delta", {"agent_id": "llama3", "attempt": attempt, "text": text})


def reset(attempt: int = 1, stage: str = "consensus") -> Event:
    """An attempt that does not count any more."""
    return Event(1, "reset", {"agent_id": "llama3", "attempt": attempt, "stage": stage})


def speech(*, can_stand: bool = True) -> Speech:
    """A speech of which every opening may be said, or none."""
    return Speech("consensus", lambda _: can_stand)


def test_nothing_is_said_before_a_whole_sentence() -> None:
    """The first sentence is held until the next begins; from then on each piece is said as it comes."""
    told = speech()

    assert [
        told.hear(delta(piece)) for piece in ("\n Most responses hold ", "that it should be allowed.", " They")
    ] == [
        "",
        "",
        f"{OPENING} They",
    ]
    assert told.hear(delta(" differ")) == " differ"
    assert told.end(f"{OPENING} They differ.") == "."


def test_what_cannot_stand_waits_for_the_end() -> None:
    """An opening that the checks refuse is not said; the whole text, which was checked, is."""
    told = speech(can_stand=False)

    assert told.hear(delta(f"{OPENING} They differ")) == ""
    assert told.end(f"{OPENING} They differ.") == f"{OPENING} They differ."


def test_a_short_opening_waits_for_more() -> None:
    """A word or two may be a stub, so they wait for the sentence after them."""
    told = speech()

    assert told.hear(delta("Yes. ")) == ""
    assert told.hear(delta("All of them say so. And")) == "Yes. All of them say so. And"


def test_an_attempt_that_was_never_said_may_end() -> None:
    """When an attempt is voided before it was heard, the next one is heard alone; other stages do not matter."""
    told = speech()
    told.hear(delta("I am sorry"))
    told.hear(reset())
    told.hear(reset(stage="response"))
    told.hear(delta("The panel", stage="response"))

    assert told.hear(delta(f"{OPENING} They", attempt=2)) == f"{OPENING} They"


def test_words_that_were_said_cannot_be_voided() -> None:
    """An attempt that is voided after it was heard, or a whole text that begins otherwise, ends the speech."""
    for told in (speech(), speech()):
        told.hear(delta(f"{OPENING} They"))
    with pytest.raises(TakenBack):
        told.hear(reset())
    with pytest.raises(TakenBack):
        told.end("The panel is divided.")


def test_a_text_may_end_before_what_was_said() -> None:
    """What ran out of length ends at its last whole sentence, and what was said beyond it stays."""
    told = speech()
    told.hear(delta(f"{OPENING} They dif"))

    assert told.end(OPENING) == ""
