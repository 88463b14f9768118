"""The six tones that a response can be written in, and none of them."""

from folkmoot.analysis.heads import ShareMeter, softmax
from folkmoot.analysis.weights import FOLDER, Weights

TONES = Weights(FOLDER / "tones.npz", "cceb898f87e5ba3c3ad82132f01d85a2abe4b558846ef4634743d9af5d9a99fa")
#: In the order of the weights. What each was learned from, training/heads.py and training/tones.yaml say.
NAMES = ("Empathetic", "Judgmental", "Analytical", "Ambivalent", "Defensive", "Curious", "neutral")


def tone_meter() -> ShareMeter:
    """What measures them; beside the embedding it reads the words that join an argument, which tell its tone."""
    return ShareMeter(TONES, NAMES, softmax)
