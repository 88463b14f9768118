"""What a similarity means: how alike responses to unrelated questions are, found by permutation."""

from collections.abc import Sequence

import numpy as np

from folkmoot.analysis.embedding import Vectors

#: Mean and standard deviation of the cosine of two responses to different questions, of the topics in bench/data,
#: each with all that is said for one side of it, so that it is as long as responses are;
#: `python -m bench.analysis_quality` finds them again.
UNRELATED_MEAN, UNRELATED_SD = 0.21, 0.12


def above_chance(similarity: float) -> float:
    """How many standard deviations a cosine lies above that of two responses to unrelated questions."""
    return (similarity - UNRELATED_MEAN) / UNRELATED_SD


def unrelated(vectors: Vectors, questions: Sequence[int], *, rounds: int = 200, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation of the cosine of responses dealt out again among the questions.

    Args:
        vectors: (n, 384), unit rows, one a response.
        questions: the number of the question that each answers.
        rounds: how often they are dealt out.
        seed: of the dealing.
    """
    generator = np.random.default_rng(seed)
    asked = np.array(questions)
    cosines = vectors @ vectors.T
    found = []
    for _ in range(rounds):
        a, b = generator.permutation(len(asked)), generator.permutation(len(asked))
        apart = asked[a] != asked[b]
        found.append(cosines[a[apart], b[apart]])
    dealt = np.concatenate(found)
    return float(dealt.mean()), float(dealt.std())
