"""Whether a set of responses is English, which everything but the similarity was made for."""

import re
from collections.abc import Sequence

from py3langid.langid import MODEL_FILE, LanguageIdentifier

ENGLISH = "en"
#: Fewer letters than this tell no language; English is assumed.
LEAST_LETTERS = 40
#: A text that is English with a greater probability than this is read as English.
MOST_ENGLISH = 0.05
#: No more is read, in characters.
MOST_CHARS = 2_000
_NOT_WORDS = re.compile(r"```.*?(?:```|$)|https?://\S+|[^\w\s'.,;:!?-]+|\d+", re.DOTALL)


class Languages:
    """Tells languages apart by their letter sequences.

    Source: Lui & Baldwin 2012, langid.py.
    """

    def __init__(self) -> None:
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def foreign(self, texts: Sequence[str]) -> str | None:
        """The language that most of the responses are written in, as an ISO 639-1 code; None where that is English."""
        found = [language for text in texts if (language := self._of(text)) is not None]
        foreign = [language for language in found if language != ENGLISH]
        return max(sorted(set(foreign)), key=foreign.count) if len(foreign) * 2 > len(found) else None

    def _of(self, text: str) -> str | None:
        words = _NOT_WORDS.sub(" ", text[:MOST_CHARS]).strip()
        if sum(character.isalpha() for character in words) < LEAST_LETTERS:
            return None
        certainties = {str(language): float(certainty) for language, certainty in self._identifier.rank(words)}
        return max(certainties, key=certainties.__getitem__) if certainties[ENGLISH] <= MOST_ENGLISH else ENGLISH
