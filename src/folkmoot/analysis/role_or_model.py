"""Role or model, as a program over several queries: `python -m folkmoot.analysis.role_or_model RECORD...`.

Args:
    RECORD: files from `GET /api/v1/queries/{job_id}/export.json`, all of one question, in which each role sat on each
        seat once. Two roles on two seats are two queries, the second with the roles exchanged.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.factorial import Split, split
from folkmoot.analysis.relations import Relation

#: A response's place in the design: (role, seat).
Cell = tuple[str, str]


def main(arguments: Sequence[str]) -> int:
    """Print the shares as one JSON object; 2 with a sentence when the records do not make a factorial."""
    try:
        if not arguments:
            raise ValueError("say which records: python -m folkmoot.analysis.role_or_model RECORD.json RECORD.json")
        query, question_type, texts = design([_read(Path(name)) for name in arguments])
        found = measure(Analyser(), query, question_type, texts)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    shares = {name: round(share, 4) for name, share in asdict(found).items()}
    sys.stdout.write(json.dumps({**shares, "responses": len(texts)}) + "\n")
    return 0


def design(records: Sequence[Mapping[str, Any]]) -> tuple[str, str, dict[Cell, str]]:
    """The question, its type, and what was said to it by (role, seat).

    Raises:
        ValueError: these are no records of one question, a combination came twice, or one is missing.
    """
    try:
        asked = {(record["query"], record["question_type"]) for record in records}
        answers = [
            ((str(one["role"]), str(one["agent_id"])), str(one["text"]))
            for one in chain.from_iterable(record["responses"] for record in records)
            if one["status"] == "ok"
        ]
    except (KeyError, TypeError) as error:
        raise ValueError("a record must be a query as export.json gives it") from error
    if len(asked) != 1:
        raise ValueError("the records must be of one question and question type")
    texts = dict(answers)
    if len(texts) < len(answers):
        raise ValueError("a role answered twice on the same seat: give one record for each way of dealing the roles")
    roles, seats = {role for role, _ in texts}, {seat for _, seat in texts}
    missing = [f"{role} on {seat}" for role in sorted(roles) for seat in sorted(seats) if (role, seat) not in texts]
    if missing:
        raise ValueError(f"each role has to have answered on each seat; missing: {', '.join(missing)}")
    [(query, question_type)] = asked
    return query, question_type, texts


def measure(analyser: Analyser, query: str, question_type: str, texts: Mapping[Cell, str]) -> Split:
    """The split of the disagreement between these responses.

    Raises:
        ValueError: there are fewer than two roles or seats.
    """
    named = {f"{role}\n{seat}": (role, seat) for role, seat in texts}
    responses = [(name, texts[cell]) for name, cell in named.items()]
    found = analyser.analyse(query, question_type, responses).relations
    return split({(named[one.a], named[one.b]): distance(one) for one in found})


def distance(relation: Relation) -> float:
    """How far two responses disagree: 0 where one follows from the other, 0.5 unrelated, 1 contradicting."""
    return (1 + relation.p_contradict - max(relation.p_entail_ab, relation.p_entail_ba)) / 2


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as JSON") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold one query, as export.json gives it")
    return content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
