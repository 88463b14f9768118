"""Trains the reader of answers: `python -m training.answers [WEIGHTS] [STEPS]`.

Args:
    WEIGHTS: the file to write; `answers.onnx` in the working folder unless it is given. Its digest is printed.
    STEPS: ends after so many, to try the way out. Without it there are some 2,200, each of two seconds on two cores.

It learns from `training/votes`: questions with responses, by the answer that a person reads in them. What
`tests/unit/analysis` has of the kind is for measuring, and none of it is learned from.
"""

import hashlib
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import torch
import yaml
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from folkmoot.analysis.options import options_of
from folkmoot.analysis.reader import (
    BEGINNING,
    END,
    MAX_TOKENS,
    UNCLEAR,
    places,
    shortened,
    whole_tokenizer,
    with_options,
)
from folkmoot.analysis.votes import YES_NO, YES_OR_NO
from folkmoot.analysis.weights import tokenizer
from training.fitting import fit
from training.mpnet import WIDTH, Encoder
from training.writing import write

VOTES = Path(__file__).with_name("votes")
#: What models say before and after their answer, and answers nothing.
BACKGROUNDS = Path(__file__).with_name("backgrounds.yaml")
#: The share of the responses that stand among so many of these, at the most, on either side.
AMONG_OTHERS, MOST_AROUND = 0.5, 2
SEED = 1
#: Rounds over the responses.
ROUNDS = 3
RATE = 5e-5
#: From this file on the responses are as long as models answer, or say what they mean in other words. Of the easier
#: ones, which are many and much alike, each round has this share.
HARDER_FROM, EASIER = 52, 0.4
#: Word pieces of a batch.
PIECES = 2_048
#: Batches are made of examples of one length within so many of them.
BUCKET = 1_500
#: What stands where a batch's example has fewer options than the others.
NO_OPTION = -30.0


class Example(NamedTuple):
    """A response and its question as the network reads them, the pieces of each option, and the answer's place."""

    encoding: Encoding
    options: list[list[int]]
    answer: int


class Network(nn.Module):
    """MPNet over a response and a question with its options: how much speaks for each word piece, and for none."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.dropout, self.chosen, self.none = nn.Dropout(0.1), nn.Linear(WIDTH, 1), nn.Linear(2 * WIDTH, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(n, length) each, to (n, length, 2): columns as in `reader.py`, that of none with one value for each text."""
        states = self.encoder(input_ids, attention_mask)
        mask = attention_mask.unsqueeze(-1).float()
        mean = (states * mask).sum(1) / mask.sum(1)
        none = self.none(self.dropout(torch.cat([states[:, 0], mean], 1)))
        chosen = self.chosen(self.dropout(states))
        return torch.cat([chosen, none.unsqueeze(1).expand_as(chosen)], 2)


def main(arguments: Sequence[str]) -> int:
    """Train, write the file and say its digest."""
    path = Path(arguments[0]) if arguments else Path("answers.onnx")
    most = int(arguments[1]) if len(arguments) > 1 else None
    random.seed(SEED)
    torch.manual_seed(SEED)
    network = Network()
    train(network, most)
    encoding = tokenizer(MAX_TOKENS).encode("One.", "Other.")
    inputs = [torch.tensor([row, row]) for row in (encoding.ids, encoding.attention_mask)]
    write(network, inputs, ("input_ids", "attention_mask"), "answers", path)
    sys.stdout.write(f"{path}: sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return 0


def read() -> Iterator[Example]:
    """The labelled responses of a round, some of them in the midst of others' words, which differ each time.

    Left out are those to questions whose options are not recognised.
    """
    pairs_of, pieces = tokenizer(MAX_TOKENS), whole_tokenizer()
    backgrounds = yaml.safe_load(BACKGROUNDS.read_text(encoding="utf-8"))
    for file in sorted(VOTES.glob("*.yaml")):
        share = 1.0 if file.stem.isdigit() and int(file.stem) >= HARDER_FROM else EASIER
        for group in yaml.safe_load(file.read_text(encoding="utf-8")):
            query, question_type = group.pop("query"), group.pop("type")
            options = YES_OR_NO if question_type == YES_NO else options_of(query)
            asked, spans = with_options(query, options, pieces)
            keys = [*(key.lower() for key in options), UNCLEAR]
            for answer, texts in group.items():
                if options and str(answer).lower() in keys:
                    chosen = [text for text in texts if random.random() < share]  # nosec B311 # no secret
                    pairs = [(shortened(_among(text, backgrounds, pieces), pieces), asked) for text in chosen]
                    for encoding in pairs_of.encode_batch(pairs):
                        found = [places(encoding, span) for span in spans]
                        yield Example(encoding, found, keys.index(str(answer).lower()))


def _among(text: str, backgrounds: Sequence[str], pieces: Tokenizer) -> str:
    """The response, or the same with something before it, behind it, or both, as long as all of it is read."""
    if random.random() > AMONG_OTHERS:  # nosec B311 # no secret
        return text
    before, after = (random.sample(backgrounds, random.randint(0, MOST_AROUND)) for _ in range(2))  # nosec B311
    among = random.choice(["\n\n", " "]).join([*before, text, *after])  # nosec B311
    return among if len(pieces.encode(among, add_special_tokens=False).ids) <= BEGINNING + END else text


def train(network: Network, most: int | None) -> None:
    """All rounds, or so many steps."""
    first = _batches(list(read()))
    later = (batch for _ in range(ROUNDS) for batch in _batches(list(read())))

    def loss(batch: Sequence[Example]) -> Tensor:
        scores = _scores(network, batch)
        none = scores.shape[1] - 1
        answers = [example.answer if example.answer < len(example.options) else none for example in batch]
        return nn.functional.cross_entropy(scores, torch.tensor(answers), label_smoothing=0.03)

    steps = min(most or sys.maxsize, ROUNDS * len(first))
    fit(network, chain(first, later), loss, steps=steps, rate=RATE, new=(network.chosen, network.none))


def _scores(network: Network, batch: Sequence[Example]) -> Tensor:
    """(n, options + 1): the mean of each option's word pieces, and none."""
    longest, most = max(len(one.encoding.ids) for one in batch), max(len(one.options) for one in batch)

    def filled(field: str) -> Tensor:
        rows: list[list[int]] = [getattr(one.encoding, field) for one in batch]
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])

    shares = torch.zeros(len(batch), most, longest)
    for row, one in enumerate(batch):
        for option, found in enumerate(one.options):
            shares[row, option, found] = 1 / max(1, len(found))
    output = network(filled("ids"), filled("attention_mask")).float()
    chosen = torch.bmm(shares, output[:, :, :1]).squeeze(2).masked_fill(shares.sum(2) == 0, NO_OPTION)
    return torch.cat([chosen, output[:, 0, 1:]], 1)


def _batches(examples: Sequence[Example]) -> list[list[Example]]:
    """Batches of examples of about one length, in another order each time."""
    order = random.sample(examples, len(examples))
    batches: list[list[Example]] = []
    for start in range(0, len(order), BUCKET):
        batch: list[Example] = []
        for one in sorted(order[start : start + BUCKET], key=lambda one: len(one.encoding.ids)):
            if batch and (len(batch) + 1) * len(one.encoding.ids) > PIECES:
                batches.append(batch)
                batch = []
            batch.append(one)
        batches.append(batch)
    return random.sample(batches, len(batches))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
