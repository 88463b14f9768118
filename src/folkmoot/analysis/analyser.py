"""All that is measured of a set of responses, in order; the models are loaded once and serve every query."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from folkmoot.analysis import score as scoring
from folkmoot.analysis.claims import Claim, Quote, claims_of
from folkmoot.analysis.consensus import ConsensusCheck, check
from folkmoot.analysis.contradiction import stances
from folkmoot.analysis.document import Analysis
from folkmoot.analysis.embedding import DIMENSIONS, Embedder, Vectors
from folkmoot.analysis.inference import CrossEncoder
from folkmoot.analysis.language import Languages
from folkmoot.analysis.manner import Manner, MannerMeter
from folkmoot.analysis.question import is_polar
from folkmoot.analysis.reader import UNCLEAR, AnswerReader
from folkmoot.analysis.relations import relations, to_ask
from folkmoot.analysis.report import report
from folkmoot.analysis.roles import Fidelity, RoleCheck
from folkmoot.analysis.sentences import MAX_CHARS, Parser, Passage
from folkmoot.analysis.votes import YES_OR_NO, Votes, answers, votes

TOO_FEW = "Agreement needs at least two responses that claim something; there {verb} {count}."
FOREIGN = "The analysis is for English, and these responses seem to be in another language ({language})."


@dataclass(frozen=True)
class _Read:
    """The responses with what every measure starts from."""

    agent_ids: tuple[str, ...]
    texts: tuple[str, ...]
    passages: tuple[Passage, ...]
    vectors: Mapping[str, Vectors]
    claims: tuple[tuple[Claim, ...], ...] = field(default=())


class Analyser:
    """Holds the models: about 400 MB, a few seconds to load."""

    def __init__(self, *, threads: int = 2) -> None:
        self._embedder = Embedder(threads=threads)
        self._encoder = CrossEncoder(threads=threads)
        self._reader = AnswerReader(threads=threads)
        self._parser = Parser()
        self._languages = Languages()
        self._manner = MannerMeter()
        self._roles = RoleCheck(self._embedder)
        self._beside = ThreadPoolExecutor(2, thread_name_prefix="beside")

    def analyse(
        self,
        query: str,
        question_type: str,
        responses: Sequence[tuple[str, str]],
        consensus: str | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> Analysis:
        """Measure these responses.

        Args:
            query: what was asked.
            question_type: as the catalogue names it.
            responses: (agent_id, text) of each response that counts; the aggregator's own text is none of them.
            consensus: that text, to be held against the responses; nothing else changes by it.
            roles: by agent, the role that it was given.
        """
        # Neither needs the other: while the answers are read, the sentences are found.
        answering = self._beside.submit(self._answers, query, question_type, responses)
        read = self._read(responses)
        # The networks leave a core free now and then, and what reads letters does not need them.
        manners = self._beside.submit(self._manners, read)
        foreign = self._languages.foreign(read.texts)
        voted, answered = answering.result()
        aligned = scoring.alignments(read.claims)
        known = stances(to_ask(aligned, answered), self._encoder)
        found = scoring.verdicts(read.claims, aligned, known, answered)
        if voted is not None:
            found = _with_answers(found, read.agent_ids, answered)
        score = None if foreign else scoring.score(found)
        return Analysis(
            agent_ids=read.agent_ids,
            similarity=self._similarity(read),
            score=score,
            reason=None if score else _reason(found, foreign),
            verdicts=tuple(chain.from_iterable(found)),
            relations=tuple(
                relations(read.agent_ids, aligned, known, dict(zip(read.agent_ids, answered, strict=True)))
            ),
            votes=voted,
            manners=tuple(manners.result()),
            report=report(found),
            consensus=self._check(consensus, read, found),
            fidelity=self._fidelity(read, roles or {}),
            notes=tuple(_notes(read, foreign)),
        )

    def _read(self, responses: Sequence[tuple[str, str]]) -> _Read:
        agent_ids, texts = tuple(agent for agent, _ in responses), tuple(text for _, text in responses)
        passages, embedded = list[Passage](), dict[str, Future[dict[str, Vectors]]]()
        # While one response is parsed, the sentences of those before it are embedded.
        for text in texts:
            passages.append(self._parser.parse(text))
            embedded[text] = self._beside.submit(self._embedder.read, text, _texts(passages[-1]))
        # By the alphabet, so that no order of agents decides where one's whole text is a sentence of another's.
        vectors = {part: vector for text in sorted(embedded) for part, vector in embedded[text].result().items()}
        claims = tuple(claims_of(agent, passage, vectors) for agent, passage in zip(agent_ids, passages, strict=True))
        return _Read(agent_ids, texts, tuple(passages), vectors, claims)

    def _vectors(self, texts: Sequence[str]) -> dict[str, Vectors]:
        return dict(zip(texts, self._embedder.embed(texts), strict=True))

    def _answers(
        self, query: str, question_type: str, responses: Sequence[tuple[str, str]]
    ) -> tuple[Votes | None, list[str]]:
        """The vote, and what each response answers, also where it was asked openly and yes or no can answer it."""
        voted = votes(query, question_type, responses, self._reader)
        if voted is None and not is_polar(query):
            return None, [UNCLEAR] * len(responses)
        by_agent = voted.by_agent if voted else answers(query, YES_OR_NO, responses, self._reader)
        return voted, [by_agent[agent] for agent, _ in responses]

    @staticmethod
    def _similarity(read: _Read) -> list[list[float]]:
        """Cosines of the whole responses; a blank one is like nothing but itself."""
        if not read.texts:
            return []
        vectors = np.stack([read.vectors[text] * bool(text.strip()) for text in read.texts])
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, 1.0)
        return [[round(float(np.clip(value, -1, 1)), 4) for value in row] for row in cosines]

    def _manners(self, read: _Read) -> list[Manner]:
        return [
            self._manner.measure(text, read.vectors[text], sentences, _stacked(sentences, read.vectors))
            for text, sentences in zip(read.texts, map(_texts, read.passages), strict=True)
        ]

    def _check(
        self, consensus: str | None, read: _Read, found: Sequence[Sequence[scoring.Verdict]]
    ) -> ConsensusCheck | None:
        if consensus is None:
            return None
        passage = self._parser.parse(consensus)
        stated = claims_of("", passage, self._vectors(_texts(passage)))
        return check(stated, read.claims, found, self._encoder)

    def _fidelity(self, read: _Read, roles: Mapping[str, str]) -> dict[str, Fidelity]:
        checked = {
            agent: self._roles.fidelity(roles.get(agent, ""), [claim.vector for claim in own])
            for agent, own in zip(read.agent_ids, read.claims, strict=True)
        }
        return {agent: fidelity for agent, fidelity in checked.items() if fidelity is not None}


def _with_answers(
    found: Sequence[tuple[scoring.Verdict, ...]], agent_ids: Sequence[str], answers: Sequence[str]
) -> list[tuple[scoring.Verdict, ...]]:
    """The verdicts, each response's vote before them."""
    quotes = [Quote(agent, f"The answer is {answer}.") for agent, answer in zip(agent_ids, answers, strict=True)]
    first = scoring.answer_verdicts(quotes, answers)
    return [(verdict, *own) if verdict else own for verdict, own in zip(first, found, strict=True)]


def _reason(found: Sequence[Sequence[scoring.Verdict]], foreign: str | None) -> str:
    count = sum(bool(own) for own in found)
    if foreign and count >= 2:
        return FOREIGN.format(language=foreign)
    return TOO_FEW.format(verb="was" if count == 1 else "were", count="one" if count else "none")


def _notes(read: _Read, foreign: str | None) -> list[str]:
    notes = [f"{FOREIGN.format(language=foreign)} Only the similarity can be relied on."] if foreign else []
    return notes + [
        f"Of the response of {agent} the first {MAX_CHARS:,} characters were read for claims, and no more."
        for agent, passage in zip(read.agent_ids, read.passages, strict=True)
        if passage.chars_left_out
    ]


def _texts(passage: Passage) -> list[str]:
    return [sentence.text for sentence in passage.sentences]


def _stacked(texts: Sequence[str], vectors: Mapping[str, Vectors]) -> Vectors:
    return np.array([vectors[text] for text in texts], np.float32).reshape(len(texts), DIMENSIONS)
