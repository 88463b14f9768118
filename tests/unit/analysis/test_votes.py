"""The votes: answers read as a careful reader would, counted, and counted again without each agent."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from folkmoot.analysis.options import options_of
from folkmoot.analysis.reader import UNCLEAR, AnswerReader
from folkmoot.analysis.votes import YES_OR_NO, count, majority, votes

HERE = Path(__file__).parent
LEARNED = HERE.parents[2] / "training" / "votes"
#: What the rules before it were held to, on responses that these had in sight, and the network reads a little worse.
EARLY, LATE = ({str(number) for number in numbers} for numbers in (range(1, 20), range(20, 39)))
MISSED = "the rules that read answers before met it; what the network reads is in docs/analysis.md"
YES, NO = YES_OR_NO

#: A question, its type, and the texts by the answer that a person reads in them.
Group = tuple[str, str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def reader() -> AnswerReader:
    """What reads the answers."""
    return AnswerReader()


def test_the_answers_of_written_responses_are_read_right(reader: AnswerReader) -> None:
    """Of plain, hedged, negated, leaning, choosing and undecided ones that nothing was learned from, 97% are right."""
    groups = [group for name in "cde" for group in _groups(HERE / "votes_unseen" / f"{name}.yaml")]
    right, of = _scored(reader, groups)

    assert of >= 700
    assert right >= 0.97 * of


@pytest.mark.parametrize(
    ("name", "least", "share"),
    [
        ("a", 240, 0.97),
        ("b", 240, 0.95),
        ("f", 100, 0.9),
        ("g", 200, 0.9),
        ("h", 100, 0.88),
        ("i", 200, 0.9),
        ("j", 200, 0.92),
        ("k", 100, 0.92),
        ("l", 200, 0.95),
        ("m", 200, 0.7),
        ("n", 80, 0.85),
        ("o", 180, 0.97),
        ("p", 180, 0.96),
        ("q", 200, 0.94),
        ("r", 160, 0.97),
        ("s", 200, 0.85),
        ("t", 160, 0.96),
        ("u", 160, 0.96),
        ("16", 53, 0.95),
        ("hard", 150, 0.9),
        ("argued", 40, 0.45),
    ],
)
def test_harder_answers_are_read_as_well_as_they_were(
    reader: AnswerReader, name: str, least: int, share: float
) -> None:
    """Literate, long, turning and merely arguing ones; docs/analysis.md tells by whom and how each set was written."""
    right, of = _scored(reader, _groups(HERE / "votes_unseen" / f"{name}.yaml"))

    assert of >= least
    assert right >= share * of


@pytest.mark.parametrize(
    ("names", "least", "share"),
    [(EARLY, 500, 0.97), (LATE, 650, 0.97), ({"phrases"}, 490, 0.995), ({"siblings"}, 180, 0.97)],
    ids=["early", "late", "phrases", "siblings"],
)
def test_what_was_learned_is_read_right(reader: AnswerReader, names: set[str], least: int, share: float) -> None:
    """Of what it learned from it reads what was asked of the rules before; every fourth group, for a test's time."""
    paths = sorted(path for path in LEARNED.glob("*.yaml") if path.stem in names)
    groups = [group for path in paths for group in _groups(path)]
    right, of = _scored(reader, groups[::4])

    assert of >= least
    assert right >= share * of


def test_an_older_set_is_read_right(reader: AnswerReader) -> None:
    """Of at least 150 written responses, hedged, negated and bare ones, 97% give the answer that a person reads."""
    right, of = _scored(reader, _labelled())

    assert of >= 312
    assert right >= 0.97 * of


@pytest.mark.xfail(reason=MISSED, strict=False)
def test_what_only_argues_is_seldom_given_the_wrong_side(reader: AnswerReader) -> None:
    """Of responses that argue in words of their own and never say yes or no, four in five get their side or none."""
    groups = _groups(HERE / "votes_unseen" / "argued.yaml")
    wrong = [got for _, answer, got in _read(reader, groups) if got not in (answer, UNCLEAR)]

    assert len(wrong) <= 8


def _labelled() -> list[Group]:
    written = json.loads((HERE / "labelled_votes.json").read_text(encoding="utf-8"))
    return [(one["query"], one["question_type"], one["answers"]) for one in written]


def _groups(path: Path) -> list[Group]:
    return [(group.pop("query"), group.pop("type"), group) for group in yaml.safe_load(path.read_text("utf-8"))]


def _scored(reader: AnswerReader, groups: Sequence[Group]) -> tuple[int, int]:
    """How many answers are read right, of how many; what is not is printed."""
    read = list(_read(reader, groups))
    for text, answer, got in read:
        if got != answer:
            print(f"{text[:100]!r}: {answer}, read as {got}")
    return sum(got == answer for _, answer, got in read), len(read)


def _read(reader: AnswerReader, groups: Sequence[Group]) -> Iterator[tuple[str, str, str]]:
    """Each text, its answer, and what it is read as; a mark's letter may be small or large."""
    for query, question_type, texts in groups:
        cases = [(text, str(answer)) for answer, own in texts.items() for text in own]
        responses = [(str(place), text) for place, (text, _) in enumerate(cases)]
        found = votes(query, question_type, responses, reader)
        got = found.by_agent.values() if found else [UNCLEAR] * len(cases)
        marks = {option.lower(): option for option in found.options} if found else {}
        for (text, answer), one in zip(cases, got, strict=True):
            yield text, marks.get(answer.lower(), answer), one


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I'd lean no.", NO),
        ("Yes, there are benefits, but on balance I'd say no.", NO),
        ("Some would say yes. I say no.", NO),
        ("No one doubts the benefits. My answer is yes.", YES),
        ("Some would say yes, others would say no.", UNCLEAR),
        ("Yes and no.", UNCLEAR),
        ("", UNCLEAR),
        (" \n", UNCLEAR),
        ("<think>Yes would be popular.</think>\nNo", NO),
        ("<think>Yes?</think>", UNCLEAR),
        ("Yes would be popular.</think>No", NO),
        ("<think>Yes, because", UNCLEAR),
        ('{"answer": "No"}', NO),
        ("\U0001d40d\U0001d428.", NO),
        ("yes " * 25_000, YES),
    ],
)
def test_what_a_response_concludes_counts(reader: AnswerReader, text: str, answer: str) -> None:
    """A conclusion outweighs the opening, others' opinions do not count, and nothing clear is unclear."""
    assert reader.read("Should voting be compulsory?", YES_OR_NO, [text]) == [answer]


def test_what_is_said_to_be_unlikely_is_denied(reader: AnswerReader) -> None:
    """Whatever was asked, "that is unlikely" is a no."""
    asked = "Will automation create more jobs than it destroys?"
    assert reader.read(asked, YES_OR_NO, ["That is unlikely.", "That is likely."]) == [NO, YES]


def test_options_are_found_however_they_are_marked() -> None:
    """Letters, numbers and a plain list all make options; a question without any has none."""
    assert options_of("Who? A) the family B) the doctors") == {"A": "the family", "B": "the doctors"}
    assert options_of("Which?\n1. tea\n2. coffee") == {"1": "tea", "2": "coffee"}
    assert list(options_of("Which first: tea, coffee or milk?")) == ["tea", "coffee", "milk"]
    assert options_of("Why is the sky blue?") == {}


@pytest.mark.parametrize(
    ("query", "options"),
    [
        (
            "Is a hot dog (a) a sandwich, (b) a taco, or (c) neither?",
            {"A": "a sandwich", "B": "a taco", "C": "neither"},
        ),
        ("Which?\n  A - tea\n  B - milk\n(Choose one.)", {"A": "tea", "B": "milk"}),
        ("Which?\n\nA. tea\nB. milk\n\nPlease explain.", {"A": "tea", "B": "milk"}),
        ("Which? 1 = tea, 2 = milk", {"1": "tea", "2": "milk"}),
        (
            "Which diet: low-carb (A), Mediterranean (B), or vegan (C)?",
            {"A": "low-carb", "B": "Mediterranean", "C": "vegan"},
        ),
        ("Which? Options: forbid it; allow it, with rules", ["forbid it", "allow it, with rules"]),
        ("Choose between tea and milk.", ["tea", "milk"]),
        ("Tea, milk or water - what comes first?", ["Tea", "milk", "water"]),
        ("Who decides if nobody can - the family, the doctors or a court?", ["the family", "the doctors", "a court"]),
        ("What is best (tea / milk / water)?", ["tea", "milk", "water"]),
        ("Where to: Paris, Rome or Bonn? Please answer in one word.", ["Paris", "Rome", "Bonn"]),
        ("Should we raise taxes, cut spending, or borrow more?", ["raise taxes", "cut spending", "borrow more"]),
        ("Is it better to rent or to buy?", ["to rent", "to buy"]),
        ("Who decides? (i) the family (ii) the doctors", {"I": "the family", "II": "the doctors"}),
        ("Which? x. tea y. milk", {"X": "tea", "Y": "milk"}),
        ("Which?\n(W) tea\n(X) milk", {"W": "tea", "X": "milk"}),
        ("Which?\n(p) tea\n(q) milk\n(r) water", {"P": "tea", "Q": "milk", "R": "water"}),
        ("Which first? 1 tea 2 milk", {"1": "tea", "2": "milk"}),
        ("Which first? - tea - milk", ["tea", "milk"]),
        ("With a day left, should we see the coast, the lake or the hills?", ["the coast", "the lake", "the hills"]),
        ("In a town with 1 hospital and 2 schools, what is first: roads, homes or parks?", ["roads", "homes", "parks"]),
        ("If X = income and Y = costs, which tax: flat, progressive or none?", ["flat", "progressive", "none"]),
        ("I can hire one: a cook, a nurse or an engineer. Who?", ["a cook", "a nurse", "an engineer"]),
        ("My landlord offers a lower rent or a new kitchen. Which should I take?", ["a lower rent", "a new kitchen"]),
        ("Should school begin at 8, at 9 or at 10?", ["at 8", "at 9", "at 10"]),
        (
            "Should she move in with us, get a carer, or go to a home?",
            ["move in with us", "get a carer", "go to a home"],
        ),
        ("To teach it, is it wiser to call on her by name, or talk to her?", ["call on her by name", "talk to her"]),
        ("Learning the piano, the guitar or the drums: which first?", ["the piano", "the guitar", "the drums"]),
        (
            "Should it be prohibited, limited to disease, or left to us?",
            ["prohibited", "limited to disease", "left to us"],
        ),
        ("Where: the yard in the centre, the field or the hill?", ["the yard in the centre", "the field", "the hill"]),
        ("Should we spend more on roads, less on roads, or as now?", ["more on roads", "less on roads", "as now"]),
        (
            "Should a museum holding looted art return it, lend it back, or keep it?",
            ["return it", "lend it back", "keep it"],
        ),
        ("Should someone who will stay for only three years rent or buy a home?", ["rent", "buy a home"]),
        ("Should a firm that pollutes a river pay a fine or close?", ["pay a fine", "close"]),
        ("Should my aunt who lives alone move in with us, or hire a cook?", ["move in with us", "hire a cook"]),
        ("Should the failing firm sell up, borrow or wait?", ["sell up", "borrow", "wait"]),
        ("Is justice mainly about fairness, desert or need?", ["fairness", "desert", "need"]),
        ("Should the first doses go to nurses, the elderly, or pupils?", ["nurses", "the elderly", "pupils"]),
        ("Should the first doses go to people at risk or the elderly?", ["people at risk", "the elderly"]),
        ("Should the prize go to the team, the coach or a charity?", ["the team", "the coach", "a charity"]),
        ("Should the grant be given to artists, schools, or museums?", ["artists", "schools", "museums"]),
        ("Should the last seat be offered to Anna, Ben, or Carla?", ["Anna", "Ben", "Carla"]),
        ("Should the firm give it to nurses, the poor or pupils?", ["nurses", "the poor", "pupils"]),
        ("Should the first aim be access to water, schools, or roads?", ["access to water", "schools", "roads"]),
        ("Should it be given to charity, sold, or burned?", ["given to charity", "sold", "burned"]),
        ("Should the state, the church or nobody pay?", ["the state", "the church", "nobody pay"]),
        ("Should jets be 1 banned, 2 capped, or 3 left alone?", {"1": "banned", "2": "capped", "3": "left alone"}),
        ("Jets should be 1 banned, 2 capped, 3 left alone.", {"1": "banned", "2": "capped", "3": "left alone"}),
        ("Fireworks should be 1 banned, 2 capped", {"1": "banned", "2": "capped"}),
        ("Should we 1 leave or 2 stay?", {"1": "leave", "2": "stay"}),
        ("Jets should be A banned, B capped, or C left alone.", {"A": "banned", "B": "capped", "C": "left alone"}),
        ("Should it be 1 day a week, 2 days a week, or more?", ["1 day a week", "2 days a week", "more"]),
        ("Should a team have 1 leader or 2 leaders?", ["1 leader", "2 leaders"]),
        ("Should they be 1 metre tall or 2 metres tall?", ["1 metre tall", "2 metres tall"]),
        ("Should we have 1 dog now, 2 later, or none?", ["1 dog now", "2 later", "none"]),
        ("We can be A early, or B late. Which first: tea or milk?", ["tea", "milk"]),
        ("We can be A early, or B late. Which? Please explain.", {"A": "early", "B": "late"}),
        ("Which? - tea - tea", []),
        ("What should be done about crime and poverty?", []),
        ("", []),
    ],
)
def test_options_are_found_in_every_usual_form(query: str, options: dict[str, str] | list[str]) -> None:
    """On lines or in running text, marked before, behind or not at all, whatever follows the question."""
    assert options_of(query) == (options if isinstance(options, dict) else {words: words for words in options})


@pytest.mark.parametrize(
    ("options", "text", "answer"),
    [
        ({"A": "tax", "B": "carbon tax"}, "A carbon tax.", "B"),
        ({"A": "tax", "B": "carbon tax"}, "A tax.", "A"),
        ({"A": "yes, always", "B": "yes, if asked", "C": "no"}, "No, never.", "C"),
        ({"1": "4", "2": "5", "3": "6"}, "Four days.", "1"),
        ({"A": "tea", "B": "milk"}, "Number two!", "B"),
        ({"A": "tea", "B": "milk"}, "The latter.", "B"),
        ({"A": "tea", "B": "milk", "C": "water"}, "The third one, I'd guess.", "C"),
        ({"tea": "tea", "milk": "milk"}, "Option two.", "milk"),
        ({"A": "tea", "B": "milk"}, "The former, though the latter has its charms.", "A"),
        ({"tea": "tea", "milk": "milk"}, "I'd take the latter", "milk"),
        ({"tea [x(": "tea [x(", "milk": "milk"}, "\\ Neither ( milk", UNCLEAR),
        ({"A": "tea", "B": "milk", "C": "none of the above"}, "Neither.", "C"),
        ({"A": "tea", "B": "milk"}, "None of the above.", UNCLEAR),
        ({"A": "tea", "B": "milk", "C": "both A and B"}, "Both.", "C"),
        ({"A": "ban it", "B": "do not ban it"}, "It should not be banned.", "B"),
        ({"A": "tea", "B": "milk"}, "b)", "B"),
        ({"A": "tea", "B": "milk"}, "\U0001f171\ufe0f", "B"),
        ({"A": "tea", "B": "milk"}, "\u24d0", "A"),
        ({"A": "tea", "B": "milk"}, "If there's time, A; if not, B.", UNCLEAR),
        ({"1": "tea", "2": "milk"}, "2!", "2"),
        ({"A": "the family", "B": "the doctors", "C": "a court"}, "A court should decide.", "C"),
        ({"A": "the family", "B": "the doctors", "C": "a court"}, "Not A but B.", "B"),
        ({"A": "the family", "B": "the doctors", "C": "a court"}, "A or B.", UNCLEAR),
        ({"A": "tea", "B": "milk"}, "", UNCLEAR),
    ],
)
def test_a_choice_is_read_as_the_options_are_named(
    reader: AnswerReader, options: dict[str, str], text: str, answer: str
) -> None:
    """Options may contain or deny each other, or stand for others; an article is no option."""
    listed = " ".join(f"{key}) {words}" for key, words in options.items())

    asked = "Who should decide?" if "a court" in options.values() else "Which of these should it be?"
    assert reader.read(f"{asked} {listed}", options, [text]) == [answer]


def test_what_cannot_be_read_whole_does_no_harm(reader: AnswerReader) -> None:
    """Of a long question and of many options as much is read as there is room for; no option is lost."""
    query = f"{'The town has money and little time. ' * 2_000}Which should it be? A) the school B) the bridge"
    options = {"A": f"the school {'by the old mill ' * 60}", "B": "the bridge"}
    long = f"{'There is much to be weighed here. ' * 300}My choice is B."

    assert reader.read(query, options, ["B.", long, "A", ""]) == ["B", "B", "A", UNCLEAR]
    many = {str(number): f"option {number}" for number in range(60)}
    shares = reader.shares(query, many, ["Option 3.", "\U0001f600" * 9_000, "\u0627\u0644" * 9_000])
    assert shares.shape == (3, 61) and (shares > 0).all()
    assert shares.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert reader.shares("Why?", YES_OR_NO, []).shape == (0, 3)


def test_others_change_no_answer(reader: AnswerReader) -> None:
    """A response is read by itself, whatever else is read with it, and in whatever order."""
    texts = ["I'd lean no.", "Yes." * 60, "It depends.", "Certainly, since nothing speaks against it."]
    alone = [reader.shares("Should we?", YES_OR_NO, [text])[0].tolist() for text in texts]

    assert reader.shares("Should we?", YES_OR_NO, texts).tolist() == alone
    assert reader.shares("Should we?", YES_OR_NO, texts[::-1]).tolist() == alone[::-1]


def test_the_vote_is_counted_with_and_without_each_agent() -> None:
    """A tie has no majority, whoever leaves may decide the vote, and an unclear answer counts for nobody."""
    counted = count({YES: YES, NO: NO}, {"a": YES, "b": YES, "c": NO, "d": UNCLEAR})

    assert (counted.majority, counted.dissenters) == (YES, ("c",))
    assert counted.tally == {YES: 2, NO: 1, UNCLEAR: 1}
    assert counted.without == {"a": None, "b": None, "c": YES, "d": YES}
    assert majority([YES, NO]) is None


def test_an_option_may_be_called_unclear(reader: AnswerReader) -> None:
    """Who chooses it votes for it, and who takes no side still does not, whether or not the options have letters."""
    responses = [("a", "It is unclear."), ("b", "Void."), ("c", "Unclear."), ("d", "")]
    for query, own in (("Is it clear, unclear, or void?", "Unclear"), ("Is it A) clear B) unclear C) void?", "B")):
        found = votes(query, "Multiple Choice", responses, reader)

        assert found is not None
        assert [*found.by_agent.values()] == [own, found.options[2], own, UNCLEAR]
        assert (found.options[1], found.majority, found.dissenters) == (own, own, ("b",))
        assert found.tally == dict(zip((*found.options, UNCLEAR), (0, 2, 1, 1), strict=True))


def test_an_open_question_has_no_vote(reader: AnswerReader) -> None:
    """Only questions with given answers are voted on."""
    assert votes("Why?", "Open-ended", [("a", "Yes.")], reader) is None
    assert votes("Why?", "Multiple Choice", [("a", "Yes.")], reader) is None
