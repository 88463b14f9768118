"""What a scripted model says without a script: sensible sentences that depend on what was asked."""

import re
import zlib
from collections.abc import Iterator

#: Words by which a prompt gives its role away, to sentences in that role's spirit.
REASONS = {
    ("utilitarian", "consequences"): (
        "The sum of benefit across everyone affected outweighs the harm to the few.",
        "Measured in lives improved per unit of cost, it compares well with the alternatives.",
        "Where the expected welfare falls, the policy has to be dropped without sentiment.",
    ),
    ("deontolog", "duties"): (
        "There is a duty here that no favourable outcome can cancel.",
        "People must never be treated merely as a means to somebody's end.",
        "A rule that could not be willed for all is not one that may be followed by some.",
    ),
    ("virtue", "character"): (
        "A person of good character would act with courage and with moderation.",
        "Habits formed by this choice shape what kind of community we become.",
        "Honesty and compassion matter here more than any calculation.",
    ),
    ("libertarian", "liberty"): (
        "Adults own themselves, and consent settles most of the matter.",
        "Compulsion by the state needs a justification that is missing so far.",
        "Voluntary arrangements would reach the same aim at a smaller price to freedom.",
    ),
    ("rawls", "veil of ignorance"): (
        "Behind a veil of ignorance nobody would accept an arrangement that abandons the worst off.",
        "Equal basic liberties come first, and fair opportunity follows.",
        "Inequalities are tolerable only where those with the least gain from them.",
    ),
    ("precaution", "go wrong"): (
        "Where the damage could not be undone, the burden of proof lies with those who would act.",
        "The evidence is still thin, and thin evidence counsels small and reversible steps.",
        "Monitoring has to be in place before, and not after, the first exposure.",
    ),
    (): (
        "The strongest evidence available points in one direction, with some important exceptions.",
        "Practical limits such as cost, staff and time decide more than principle does.",
        "It is worth asking those who would live with the result what they think of it.",
    ),
}
MANNERS = (
    "Experience from comparable cases supports this reading.",
    "Critics raise a fair point about fairness.",
    "The details of how it is carried out will decide whether it succeeds.",
    "A review after one year would keep mistakes small.",
    "Trust, once lost, is slow to return.",
    "Transparency towards the public is part of any honest answer.",
    "Much depends on who bears the cost and who sees the gain.",
)


def answer(model: str, stage: str, prompt: str) -> str:
    """Several sentences that depend on model, role and question.

    The first `#case-…` of the question is repeated, so that a test can follow a query through the stages.
    """
    seed = zlib.crc32(f"{model}\n{prompt}".encode(errors="replace"))
    tag = re.search(r"#case-\w+", prompt)
    about = f" on {tag.group()}" if tag else ""
    sentences = list(_consensus(about) if stage == "consensus" else _response(prompt, seed, about))
    sentences.insert(2, MANNERS[zlib.crc32(model.encode()) % len(MANNERS)])
    return " ".join(sentences)


def _response(prompt: str, seed: int, about: str) -> Iterator[str]:
    told = prompt.lower()
    role = next((signs for signs in REASONS if any(sign in told for sign in signs)), ())
    yield f"{'Yes' if seed % 2 else 'No'}, and the answer{about} rests on {3 + seed % 5} considerations."
    yield from REASONS[role]
    yield MANNERS[seed // 7 % len(MANNERS)]


def _consensus(about: str) -> Iterator[str]:
    yield f"Taken together, the panel{about} agrees on a careful and conditional course."
    yield "All contributions accept that those affected deserve a voice, and that results are to be measured."
    yield "They part ways over how much weight outcomes should carry against duties and rights."
    yield "A limited trial with clear safeguards and a date for review is what most of them share."
