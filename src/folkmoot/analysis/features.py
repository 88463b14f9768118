"""The axes of the radar: what a response is like, each from 0 to 1."""

import re
from collections.abc import Mapping, Sequence

from folkmoot.analysis.sentiment import Sentiment

#: A response of this many words is as long as the axis is: about what the 500 tokens of an agent hold.
LONGEST_WORDS = 375
#: Variety of words falls with a text's length, so it is measured in windows of so many words (Covington & McFall 2010).
WINDOW_WORDS = 50
#: No more than this is read of a text, in characters, as of a parsed one.
MAX_CHARS = 8_000
#: A hedge in every sentence is as cautious as the axis goes.
HEDGES = re.compile(
    r"\b(?:may|might|could|would|perhaps|maybe|possibl[ey]|probabl[ey]|likely|unlikely|seem(?:s|ed)?|appear(?:s|ed)?"
    r"|suggest(?:s|ed)?|tend(?:s|ed)? to|sometimes|often|usually|generally|typically|somewhat|relatively|roughly"
    r"|apparently|presumably|arguably|in (?:some|many|most) cases|it depends|depend(?:s|ing) on"
    r"|i (?:think|believe|guess|suppose)|not (?:sure|certain)|uncertain|unclear|to (?:some|a certain) extent)\b",
    re.IGNORECASE,
)
WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
#: A group of vowels is a syllable; an `e` that ends a word is silent unless it follows an `l` or stands alone.
VOWELS = re.compile(r"[aeiouy]+")
SILENT = re.compile(r"(?<=[^aeiouyl])e$")

#: The tones that have an axis.
TONES = ("Analytical", "Empathetic", "Curious")


def measure(text: str, sentences: Sequence[str], sentiment: Sentiment, tones: Mapping[str, float]) -> dict[str, float]:
    """Every axis by its name.

    Args:
        sentences: the text's; of none the text itself is taken for one.
    """
    words = WORDS.findall(text[:MAX_CHARS].lower())
    count = max(1, len(sentences))
    return {
        "Length": min(1.0, len(words) / LONGEST_WORDS),
        "Polarity": (sentiment.polarity + 1) / 2,
        "Subjectivity": sentiment.subjectivity,
        **{tone: tones[tone] for tone in TONES},
        "Readability": readability(words, count),
        "Lexical diversity": lexical_diversity(words),
        "Hedging": min(1.0, len(HEDGES.findall(text[:MAX_CHARS])) / count),
    }


def readability(words: Sequence[str], sentences: int) -> float:
    """Flesch's reading ease as a part of its 100 points; 0 of no words.

    Source: Flesch 1948.
    """
    if not words:
        return 0.0
    syllables = sum(max(1, len(VOWELS.findall(SILENT.sub("", word)))) for word in words)
    ease = 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)
    return min(1.0, max(0.0, ease / 100))


def lexical_diversity(words: Sequence[str]) -> float:
    """Different words of all words, as the mean of all windows; 0 of no words."""
    if not words:
        return 0.0
    windows = range(max(1, len(words) - WINDOW_WORDS + 1))
    size = min(len(words), WINDOW_WORDS)
    return sum(len(set(words[at : at + size])) for at in windows) / len(windows) / size
