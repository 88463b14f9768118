"""Measures the heads on labelled texts that none of them was trained on: `python -m bench.analysis_heads DATA [LIMIT]`.

DATA holds `sst2-dev`, `tweetsent-val`, `tweetemo-val` and `goemotions-dev`, each as `.jsonl`; of each the first LIMIT
texts are measured, 1,000 unless told. The tones are measured on the sentences in tests/unit/analysis/tones.yaml, beside
what keywords make of them.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from folkmoot.analysis.embedding import Embedder
from folkmoot.analysis.emotions import LABELS
from folkmoot.analysis.manner import Manner, MannerMeter
from folkmoot.analysis.sentences import Parser

LIMIT = 1000
#: Between these a tweet's polarity counts as neutral; read off the tweets' own validation part.
NEUTRAL = 0.2
TONES = Path(__file__).parents[1] / "tests/unit/analysis/tones.yaml"
#: A fair try at the tones by words alone: about as many for each, chosen without looking at the sentences.
KEYWORDS = {
    "Empathetic": r"sorry|understand|feel|feelings|care|compassion|support|pain|suffer\w*|grief|comfort|kind\w*|heart|"
    r"lonely|afraid|fear|hurt\w*|love",
    "Judgmental": r"wrong|shame\w*|disgust\w*|stupid|immoral|irresponsible|unacceptable|terrible|bad|evil|cruel|"
    r"disgrace\w*|ridiculous|should never|blame|hypocri\w+",
    "Analytical": r"because|therefore|data|evidence|analysis|study|studies|effect|factor\w*|cost\w*|percent|per cent|"
    r"compared?|thus|consequently|result\w*|premise|estimate\w*",
    "Ambivalent": r"on the one hand|on the other|both|but|although|though|however|yet|mixed|unsure|not sure|torn|maybe|"
    r"perhaps|either",
    "Defensive": r"not my fault|blame\w*|accus\w+|never said|unfair\w*|criti\w+|attack\w*|reject|justif\w+|deny|"
    r"did nothing|we did|i did|defend|apologi\w+",
    "Curious": r"wonder|curious|interesting|fascinat\w+|explore|learn|how|why|what if|discover",
}

Measure = Callable[[Sequence[str]], list[Manner]]


def main(arguments: Sequence[str]) -> int:
    """Print every figure; 2 when the data are not named."""
    if not arguments:
        sys.stderr.write("Say where the data are: python -m bench.analysis_heads DATA [LIMIT]\n")
        return 2
    folder, limit = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else LIMIT
    measure = measuring()
    for name, figure in {
        "SST-2 dev, polarity, accuracy": sst2(measure, rows(folder, "sst2-dev", limit)),
        "TweetEval sentiment val, 3 classes, macro-F1": tweets(measure, rows(folder, "tweetsent-val", limit)),
        "GoEmotions dev, 7 classes, macro-F1": ekman(measure, rows(folder, "goemotions-dev", limit)),
        "tones, 7 classes, macro-F1": tones(measure),
        "tones by keywords, macro-F1": tones_by_keywords(),
    }.items():
        print(f"{100 * figure:5.1f}  {name}")
    return 0


def measuring() -> Measure:
    """What measures texts as the product does."""
    embedder, parser, meter = Embedder(), Parser(), MannerMeter()

    def measure(texts: Sequence[str]) -> list[Manner]:
        sentences = [[one.text for one in parser.parse(text).sentences] for text in texts]
        flat = [*texts, *(one for of in sentences for one in of)]
        vectors = embedder.embed(flat)
        measured, at = list[Manner](), len(texts)
        for place, of in enumerate(sentences):
            own = vectors[at : at + len(of)]
            measured.append(meter.measure(texts[place], vectors[place], of, own))
            at += len(of)
        return measured

    return measure


def rows(folder: Path, name: str, limit: int) -> list[dict[str, Any]]:
    """The first labelled texts of a file."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(lines, limit)]


def sst2(measure: Measure, labelled: Sequence[dict[str, Any]]) -> float:
    """How many sentences of film reviews are on the right side of 0."""
    measured = measure([row["text"] for row in labelled])
    pairs = zip(measured, labelled, strict=True)
    return float(np.mean([(one.sentiment.polarity > 0) == bool(row["label"]) for one, row in pairs]))


def tweets(measure: Measure, labelled: Sequence[dict[str, Any]]) -> float:
    """Positive, neutral and negative tweets."""
    measured = measure([row["text"] for row in labelled])
    said = [
        "positive"
        if one.sentiment.polarity > NEUTRAL
        else "negative"
        if one.sentiment.polarity < -NEUTRAL
        else "neutral"
        for one in measured
    ]
    return macro_f1([row["label"] for row in labelled], said)


def ekman(measure: Measure, labelled: Sequence[dict[str, Any]]) -> float:
    """Comments with one emotion of the six, or none."""
    grouped = {label: emotion for emotion, labels in LABELS.items() for label in labels}
    single = [
        (row["text"], next(iter(emotions)))
        for row in labelled
        if len(emotions := {grouped[label] for label in row["labels"]}) == 1
    ]
    measured = measure([text for text, _ in single])
    return macro_f1([emotion for _, emotion in single], [strongest(one.emotions) for one in measured])


def tones(measure: Measure) -> float:
    """The tones of sentences as they are meant."""
    labelled = tone_sentences()
    measured = measure([text for text, _ in labelled])
    return macro_f1([tone for _, tone in labelled], [strongest(one.tones) for one in measured])


def tones_by_keywords() -> float:
    """The same by the tone with most keywords; none found is neutral."""
    labelled = tone_sentences()
    return macro_f1([tone for _, tone in labelled], [by_keywords(text) for text, _ in labelled])


def tone_sentences() -> list[tuple[str, str]]:
    """Sentences and the tone that their author meant."""
    read = yaml.safe_load(TONES.read_text(encoding="utf-8"))
    return [(sentence, tone) for tone, sentences in read.items() for sentence in sentences]


def by_keywords(text: str) -> str:
    """The tone by keywords."""
    counts = {tone: len(re.findall(rf"\b(?:{words})\b", text, re.IGNORECASE)) for tone, words in KEYWORDS.items()}
    counts["Curious"] += text.count("?")
    tone = max(counts, key=lambda name: counts[name])
    return tone if counts[tone] else "neutral"


def strongest(shares: Any) -> str:
    """The name with the largest share."""
    return str(max(shares, key=lambda name: shares[name]))


def macro_f1(meant: Sequence[str], said: Sequence[str]) -> float:
    """The mean of every class's F1."""
    scores = []
    for name in sorted(set(meant)):
        right = sum(one == other == name for one, other in zip(meant, said, strict=True))
        scores.append(2 * right / (list(meant).count(name) + list(said).count(name)))
    return sum(scores) / len(scores)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
