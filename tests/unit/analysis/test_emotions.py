"""Emotions and tones: what plain sentences show, how often tones are told right, and shares that are shares."""

from pathlib import Path

import pytest
import yaml

from bench.analysis_heads import by_keywords, macro_f1, strongest, tone_sentences
from folkmoot.analysis import emotions, tones
from tests.unit.analysis.conftest import Measure

#: The least mean F1 of the tones that is good enough; 0.90 was measured.
LEAST_F1 = 0.65


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("I hate this, it makes me furious.", "anger"),
        ("That smell is disgusting and gross.", "disgust"),
        ("I am terrified of what comes next.", "fear"),
        ("Thank you so much, I love it!", "joy"),
        ("I cried all night, I miss her.", "sadness"),
        ("Wow, I never expected that at all!", "surprise"),
        ("The train leaves at eight from platform two.", "neutral"),
    ],
)
def test_plain_emotions_are_found(measure: Measure, text: str, emotion: str) -> None:
    """A sentence that says it plainly has the emotion as its largest share."""
    assert strongest(measure(text).emotions) == emotion


def test_tones_are_told_better_than_by_keywords(measure: Measure) -> None:
    """Of sentences that nothing was trained on the tones are told well, and far better than by words alone."""
    labelled = tone_sentences()
    meant = [tone for _, tone in labelled]

    ours = macro_f1(meant, [strongest(measure(text).tones) for text, _ in labelled])
    keywords = macro_f1(meant, [by_keywords(text) for text, _ in labelled])

    print(f"tones: macro-F1 {ours:.3f}, by keywords {keywords:.3f}")
    assert ours >= LEAST_F1 and ours > keywords + 0.1


def test_sentences_of_the_test_were_not_trained_on() -> None:
    """No labelled sentence is one of the frames that the tones are learned from, and each tone has thirty."""
    source = yaml.safe_load(Path("training/tones.yaml").read_text(encoding="utf-8"))
    frames = {frame for of in source["frames"].values() for frame in of}
    labelled = tone_sentences()

    assert not frames & {text for text, _ in labelled}
    assert {tone: [one for _, one in labelled].count(tone) for tone in tones.NAMES} == dict.fromkeys(tones.NAMES, 30)


@pytest.mark.parametrize("text", ["", " \n", "No", "🙂", "def f(): pass", "مرحبا", "word " * 20_000])
def test_shares_are_shares(measure: Measure, text: str) -> None:
    """Whatever the text, shares are none below 0 and sum to 1; of nothing all of it is neutral."""
    found = measure(text)

    for names, shares in ((tones.NAMES, found.tones), (emotions.NAMES, found.emotions)):
        assert tuple(shares) == names and sum(shares.values()) == pytest.approx(1)
        assert min(shares.values()) >= 0
        if not text.strip():
            assert shares["neutral"] == 1
