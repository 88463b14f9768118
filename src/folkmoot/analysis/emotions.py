"""Emotions after Ekman: anger, disgust, fear, joy, sadness and surprise, and none of them."""

from folkmoot.analysis.heads import ShareMeter, logistic
from folkmoot.analysis.weights import FOLDER, Weights

EMOTIONS = Weights(FOLDER / "emotions.npz", "52480f58f11d831b963a29a86db61915d00067c49ed8a38d0a29ee5a2390408e")
#: Each emotion, in the order of the weights, with those of GoEmotions' 28 labels that its authors group under it.
LABELS = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        *("admiration", "amusement", "approval", "caring", "desire", "excitement"),
        *("gratitude", "joy", "love", "optimism", "pride", "relief"),
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}
NAMES = tuple(LABELS)


def emotion_meter() -> ShareMeter:
    """What measures them, trained on GoEmotions.

    Source: Demszky et al. 2020 (GoEmotions), Ekman 1992 (the six).
    """
    return ShareMeter(EMOTIONS, NAMES, logistic)
