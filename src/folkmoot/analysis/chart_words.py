"""What each chart shows, in words, for those who cannot see it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

Name = Literal["heatmap", "sentiment", "emotion", "radar", "claims"]
Report = Mapping[str, Any]

#: Shares below this go unnamed, as nobody would see them either.
LEAST_NAMED = 0.05
#: Of one response, so many tones or features are named.
MOST_NAMED = 3


def heatmap(agents: Sequence[str], report: Report) -> str:
    """The similarity of each pair, the most similar first."""
    begins = "Heatmap of topical similarity, from 0 (nothing in common) to 1 (the same)."
    pairs = [
        (report["similarity"][a][b], f"{agents[a]} and {agents[b]}")
        for a in range(len(agents))
        for b in range(a + 1, len(agents))
    ]
    if not pairs:
        return f"{begins} {agents[0]} alone answered, so there is nothing to compare."
    return f"{begins} {_listed(f'{names} {value:.2f}' for value, names in sorted(pairs, reverse=True))}."


def sentiment(agents: Sequence[str], report: Report) -> str:
    """Each response's polarity."""
    values = (
        f"{agent} {one['polarity']:+.2f}".replace("-", "−")
        for agent, one in zip(agents, report["sentiment"], strict=True)
    )
    return f"Bar chart of wording polarity, from −1 (negative) to +1 (positive): {_listed(values)}."


def emotion(agents: Sequence[str], report: Report) -> str:
    """Each response's strongest tones."""
    values = (f"{agent}: {_strongest(one)}" for agent, one in zip(agents, report["tones"], strict=True))
    return f"Stacked bar chart of emotional tones. {'; '.join(values)}."


def radar(agents: Sequence[str], report: Report) -> str:
    """Each response's features, all of them."""
    values = (
        f"{agent}: {_listed(f'{axis} {value:.2f}' for axis, value in one.items())}"
        for agent, one in zip(agents, report["features"], strict=True)
    )
    return f"Radar chart of features, each from 0 to 1. {'; '.join(values)}."


def claims(agents: Sequence[str], report: Report) -> str:
    """How many claims of each kind each response makes."""
    kinds = ("supported", "contested", "unique")
    counts = {agent: dict.fromkeys(kinds, 0) for agent in agents}
    for claim in report["claims"]:
        counts[claim["agent_id"]][claim["kind"]] += 1
    values = (f"{agent}: {_listed(f'{count} {kind}' for kind, count in of.items())}" for agent, of in counts.items())
    return f"Stacked bar chart of claims. {'; '.join(values)}."


def _strongest(shares: Mapping[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda item: -item[1])[:MOST_NAMED]
    return _listed(f"{name} {share:.0%}" for name, share in ordered if share >= LEAST_NAMED)


def _listed(parts: Any) -> str:
    return ", ".join(parts)


#: By the chart's name.
ALT_TEXTS: Mapping[Name, Callable[[Sequence[str], Report], str]] = {
    "heatmap": heatmap,
    "sentiment": sentiment,
    "emotion": emotion,
    "radar": radar,
    "claims": claims,
}
