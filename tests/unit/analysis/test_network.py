"""The networks compute the same on every processor."""

from pathlib import Path

import pytest

from folkmoot.analysis import network
from folkmoot.analysis.embedding import Embedder
from folkmoot.analysis.inference import CrossEncoder
from folkmoot.analysis.reader import AnswerReader
from folkmoot.analysis.votes import YES_OR_NO

ASKED = "Should voting be compulsory?"
SAID = ["Yes.", "I'd lean no.", "It depends.", "Nobody is free who has to. " * 12]
PAIRS = [("Voting should be compulsory.", "Nobody should have to vote."), ("It rains.", "It is wet outside.")]


@pytest.mark.parametrize(
    ("flags", "loses"),
    [
        ("flags : fpu avx avx2 avx512f avx512_vnni avx512_bitalg\n", False),
        ("flags : fpu avx avx2 avx_vnni fma\n", False),
        ("flags : fpu avx avx2 avx_vnni_int8\n", True),
        ("flags : fpu avx avx2 fma\n", True),
        (None, True),
    ],
)
def test_only_processors_that_say_so_add_in_32_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None, loses: bool
) -> None:
    """What is not known to be exact is taken not to be."""
    monkeypatch.setattr(network, "PROCESSOR", tmp_path / "cpuinfo")
    if flags is not None:
        network.PROCESSOR.write_text(flags, encoding="utf-8")

    assert network.overflows() is loses


def test_nothing_overflows_on_this_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the networks give here is what they give where ONNX Runtime is told to be exact."""
    answered, inferred = AnswerReader().shares(ASKED, YES_OR_NO, SAID), CrossEncoder().infer(PAIRS)
    embedded = Embedder().embed(SAID)
    monkeypatch.setattr(network, "overflows", lambda: True)

    assert AnswerReader().shares(ASKED, YES_OR_NO, SAID) == pytest.approx(answered, abs=0.02)
    assert CrossEncoder().infer(PAIRS) == pytest.approx(inferred, abs=0.02)
    assert (Embedder().embed(SAID) * embedded).sum(axis=1) == pytest.approx(1, abs=0.001)
