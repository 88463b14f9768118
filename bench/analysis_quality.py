"""How well the analysis measures, on labelled pairs and on the hand-made topics in bench/data.

Run as `python -m bench.analysis_quality [pairs a set, 400] [folder of the sets, ../shared/nlp/data]`. Prints a table,
and writes it to bench/results/analysis_quality.json. Everything goes through the same door as in the product: two
sentences are two responses, and what counts is their relation.
"""

import json
import random
import sys
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.baseline import unrelated
from folkmoot.analysis.embedding import Embedder, Vectors, pooled
from folkmoot.analysis.relations import Relation
from folkmoot.analysis.sentences import Parser

RESULTS = Path(__file__).with_name("results")
TOPICS = Path(__file__).with_name("data") / "topics.jsonl"
DATA = Path(__file__).parents[2] / "shared" / "nlp" / "data"
#: Sets with a score of alikeness, and sets with a label; those that the shipped weights learned from say so.
ALIKE = ("stsb-dev", "sick-train")
LABELLED = {"sick-train": False, "snli-dev": True, "mnlidev-train": True, "breaking": True}
LABELS = ("entailment", "neutral", "contradiction")


def main() -> None:
    """Measure all and print it."""
    words = sys.argv[1:]
    size, folder = int(words[0]) if words else 400, Path(words[1]) if len(words) > 1 else DATA
    analyser = Analyser()
    rows = []
    for row in chain(_topics(analyser), _labelled(folder, size, analyser), _alike(folder, Embedder())):
        rows.append(row)
        name, measure, value, seen, count = row
        remark = "   (the weights learned from this set)" if seen else ""
        print(f"{name:<16} {measure:<46} {value:>6.1f}   n={count}{remark}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "analysis_quality.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


Line = tuple[str, str, float, bool, int]


def _alike(folder: Path, embedder: Embedder) -> Iterator[Line]:
    """Rank correlation of the cosine with people's scores of alikeness."""
    for name in ALIKE:
        pairs = _read(folder / f"{name}.jsonl")
        ours = embedder.embed([pair["a"] for pair in pairs])
        theirs = embedder.embed([pair["b"] for pair in pairs])
        value = spearman((ours * theirs).sum(axis=1), np.array([pair["score"] for pair in pairs]))
        yield name, "similarity, Spearman", 100 * value, False, len(pairs)


def spearman(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The correlation of the ranks, equal values sharing theirs."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return means[inverse]


def _labelled(folder: Path, size: int, analyser: Analyser) -> Iterator[Line]:
    """Accuracy of the three ways, and F1 of contradiction, by the relation of the two sentences."""
    for name, seen in LABELLED.items():
        pairs = random.Random(0).sample(_read(folder / f"{name}.jsonl"), size)
        found = [_relation(analyser, pair["a"], pair["b"]) for pair in pairs]
        truth = [pair["label"] for pair in pairs]
        right = sum(_label(relation) == label for relation, label in zip(found, truth, strict=True))
        yield name, "entailment or not, accuracy", 100 * right / size, seen, size
        flagged = [relation.relation == "contradict" for relation in found]
        yield name, "contradiction, F1 of the relation", 100 * f1(flagged, truth), seen, size
        likely = [relation.p_contradict >= 0.5 for relation in found]
        yield name, "contradiction, F1 of p_contradict >= 0.5", 100 * f1(likely, truth), seen, size


def _relation(analyser: Analyser, a: str, b: str) -> Relation:
    return analyser.analyse("", "None", [("a", a), ("b", b)]).relations[0]


def _label(relation: Relation) -> str:
    """What a reads as to b, in the words of these sets."""
    shares = (relation.p_entail_ab, 1 - relation.p_entail_ab - relation.p_contradict, relation.p_contradict)
    return LABELS[int(np.argmax(shares))]


def f1(flagged: list[bool], truth: list[str]) -> float:
    """The harmonic mean of precision and recall of contradiction."""
    hits = sum(flag and label == "contradiction" for flag, label in zip(flagged, truth, strict=True))
    return 2 * hits / max(1, sum(flagged) + truth.count("contradiction"))


def _topics(analyser: Analyser) -> Iterator[Line]:
    """How often two responses of one side are told from two of different sides, on topics with two of each."""
    topics = _read(TOPICS)
    of_relation: dict[bool, list[float]] = {True: [], False: []}
    of_score: dict[bool, list[float]] = {True: [], False: []}
    of_cosine: dict[bool, list[float]] = {True: [], False: []}
    for topic in topics:
        sides = [(side, text) for side, texts in enumerate(topic["sides"]) for text in texts]
        for (side, one), (other_side, other) in combinations(sides, 2):
            found = analyser.analyse(topic["query"], topic["question_type"], [("a", one), ("b", other)])
            agree = side == other_side
            relation = found.relations[0]
            of_relation[agree].append(max(relation.p_entail_ab, relation.p_entail_ba) - relation.p_contradict)
            of_score[agree].append(found.score.agreed - found.score.contested if found.score else 0)
            of_cosine[agree].append(found.similarity[0][1])
    for measure, values in (("relation", of_relation), ("agreed - contested", of_score), ("cosine alone", of_cosine)):
        yield (
            "topics",
            f"agree over contradict, AUC: {measure}",
            100 * auc(values[True], values[False]),
            False,
            len(topics),
        )
    sides = [(number, " ".join(side)) for number, topic in enumerate(topics) for side in topic["sides"]]
    mean, deviation = unrelated(_pooled([text for _, text in sides]), [number for number, _ in sides])
    yield "topics", "cosine of unrelated responses, mean x 100", 100 * mean, False, len(sides)
    yield "topics", "cosine of unrelated responses, SD x 100", 100 * deviation, False, len(sides)


def _pooled(texts: list[str]) -> Vectors:
    """The vectors of texts that are too long to be read as a whole."""
    parser = Parser()
    parts = [[sentence.text for sentence in parser.parse(text).sentences] for text in texts]
    sentences = list(chain.from_iterable(parts))
    vectors = dict(zip(sentences, Embedder().embed(sentences), strict=True))
    return np.stack([pooled(own, vectors) for own in parts])


def auc(above: list[float], below: list[float]) -> float:
    """How often a value of the first list exceeds one of the second; equal ones count half."""
    one, other = np.array(above)[:, None], np.array(below)[None]
    return float(((one > other) + 0.5 * (one == other)).mean())


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    main()
