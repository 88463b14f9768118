"""Which claims the cross-encoder is asked about, and how."""

import numpy as np

from folkmoot.analysis.claims import Alignment, claims_of
from folkmoot.analysis.reader import UNCLEAR
from folkmoot.analysis.relations import to_ask
from folkmoot.analysis.sentences import Parser


def test_the_nearest_claims_are_wanted_whole_only_where_no_answers_are_known() -> None:
    """They are asked about in any case; answers say already how two responses stand, so one direction is enough."""
    sentences = ("Zoos protect rare animals.", "Visitors pay a small fee.")
    ours, theirs = (
        claims_of(agent, Parser().parse(text), {text: np.eye(2, dtype=np.float32)[row]})[0]
        for row, (agent, text) in enumerate(zip("ab", sentences, strict=True))
    )
    aligned = {(0, 1): [Alignment(ours, theirs, 0.0, is_closest=True)]}

    for answers, is_whole in ((("Yes", "No"), False), (("Yes", "Yes"), False), (("Yes", UNCLEAR), True)):
        assert [pair.is_closest for pair in to_ask(aligned, answers)] == [is_whole]
