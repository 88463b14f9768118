"""The forms of a word and its class, for `same_question`: what a plural, a past form or a synonym is read as."""

import re
from functools import cache

from folkmoot import same_words as words
from folkmoot.same_classes import CLASSES

#: One syllable that ends in one vowel and one consonant: that is doubled before "-ed".
_DOUBLING = re.compile(r"^[^aeiou]*(?:qu)?[aeiou][bdfgklmnprtvz]$")
#: Marks a past form and a gerund, so that "eaten" is never "eat".
PAST, GERUND = "+d", "+g"


def base(word: str) -> str:
    """The word without its ending, as its class of synonyms is called; past forms and gerunds stay marked as such."""
    singular = one_of(word)
    if singular in words.GERUNDS:
        return marked(words.GERUNDS[singular], GERUND)
    if singular in words.IRREGULAR:
        return marked(words.IRREGULAR[singular], PAST)
    if not singular.endswith(("eed", "thing")) and singular not in words.NO_FORMS:
        for ending, mark in (("ied", PAST), ("ed", PAST), ("ing", GERUND)):
            if singular.endswith(ending) and len(singular) >= len(ending) + 3:
                return _in_class(singular.removesuffix(ending) + ("y" if ending == "ied" else "")) + mark
    if singular.endswith("ly") and singular.removesuffix("ly") in _classes():
        return _classes()[singular.removesuffix("ly")] + "ly"
    return _classes().get(singular, singular)


def one_of(word: str) -> str:
    """The word in the singular."""
    if word in words.NO_PLURALS or len(word) < 4:
        return word
    if word in words.PLURALS:
        return words.PLURALS[word]
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def marked(verb: str, mark: str) -> str:
    """A verb's form, given the verb itself; `base` reads the same out of the form."""
    return _in_class(_stem(verb)) + mark


def _stem(verb: str) -> str:
    """What "-ed" and "-ing" are put to: "bann" of "ban", "plan" of "plane", so that no two verbs share it."""
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1]
    return verb + verb[-1] if _DOUBLING.search(verb) or verb in words.DOUBLING else verb


def _in_class(stem: str) -> str:
    return _stems().get(stem, stem)


@cache
def _lines() -> list[list[str]]:
    """The classes, each as its names."""
    joined = re.sub(r",\s+", ", ", CLASSES.strip())
    return [[name.strip() for name in line.split(", ")] for line in joined.splitlines()]


@cache
def _classes() -> dict[str, str]:
    """Each name of one word, by its class, where that is called by one word."""
    lines = [line for line in _lines() if " " not in line[0]]
    return {name: first for first, *others in lines for name in others if " " not in name}


@cache
def names() -> dict[tuple[str, ...], str]:
    """Each name of several words, or of a class that is called by several, by its class."""
    return {
        tuple(part if "+" in part else base(part) for part in name.split()): line[0].replace(" ", "_")
        for line in _lines()
        for name in line
        if " " in name or " " in line[0]
    }


@cache
def _stems() -> dict[str, str]:
    return {_stem(word): _stem(first) for word, first in _classes().items()}
