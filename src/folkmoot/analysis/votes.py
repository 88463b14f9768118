"""The vote: what each response answers to a question with given answers, and what would be without each of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.analysis.options import options_of
from folkmoot.analysis.reader import UNCLEAR, AnswerReader

#: The question types that have given answers.
YES_NO, MULTIPLE_CHOICE = "Yes/No", "Multiple Choice"
YES_OR_NO = {"Yes": "yes", "No": "no"}


@dataclass(frozen=True)
class Votes:
    """A vote and its count.

    Attributes:
        options: what could be answered, `unclear` aside: Yes and No, or the options' letters.
        texts: what each option says.
        by_agent: each agent's answer, or `unclear`.
        tally: how many gave each answer.
        majority: the answer that more gave than any other, if there is one.
        dissenters: who clearly answered something else than the majority.
        without: by agent, what the majority would be without that agent.
    """

    options: tuple[str, ...]
    texts: Mapping[str, str]
    by_agent: Mapping[str, str]
    tally: Mapping[str, int]
    majority: str | None
    dissenters: tuple[str, ...]
    without: Mapping[str, str | None]


def votes(query: str, question_type: str, responses: Sequence[tuple[str, str]], reader: AnswerReader) -> Votes | None:
    """The vote on a question of a type that has one; None for others, and where no options can be found.

    Args:
        query: the question, with its options.
        question_type: its type, as the catalogue names it.
        responses: (agent_id, text) of each response.
        reader: reads them.
    """
    if question_type == YES_NO:
        return count({"Yes": "Yes", "No": "No"}, answers(query, YES_OR_NO, responses, reader))
    options = _told_apart(options_of(query)) if question_type == MULTIPLE_CHOICE else {}
    return count(options, answers(query, options, responses, reader)) if options else None


def _told_apart(options: Mapping[str, str]) -> dict[str, str]:
    """The options; one whose own word is `unclear` is called "Unclear", since that key says that no side is taken."""
    own = UNCLEAR.capitalize()
    return dict((own, own) if key == UNCLEAR else (key, words) for key, words in options.items())


def answers(
    query: str, options: Mapping[str, str], responses: Sequence[tuple[str, str]], reader: AnswerReader
) -> dict[str, str]:
    """Each agent's answer: the key of an option, or `unclear`."""
    agent_ids, texts = [agent for agent, _ in responses], [text for _, text in responses]
    return dict(zip(agent_ids, reader.read(query, options, texts), strict=True))


def count(options: Mapping[str, str], by_agent: Mapping[str, str]) -> Votes:
    """The count of these answers."""
    leading = majority(list(by_agent.values()))
    given = Counter(by_agent.values())
    return Votes(
        options=tuple(options),
        texts=dict(options),
        by_agent=dict(by_agent),
        tally={answer: given[answer] for answer in (*options, UNCLEAR)},
        majority=leading,
        dissenters=tuple(agent for agent, answer in by_agent.items() if leading and answer not in {leading, UNCLEAR}),
        without={
            agent: majority([answer for other, answer in by_agent.items() if other != agent]) for agent in by_agent
        },
    )


def majority(answers: Sequence[str]) -> str | None:
    """The clear answer that more gave than any other; None on a tie, and where nobody was clear."""
    clear = Counter(answer for answer in answers if answer != UNCLEAR).most_common(2)
    if not clear or (len(clear) == 2 and clear[0][1] == clear[1][1]):
        return None
    return clear[0][0]
