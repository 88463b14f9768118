"""A query as it is told at its end: the responses, where they agree and where not, the consensus."""

from ..client.rest import Json
from . import words
from .terminal import Terminal

CAUTION = "Agreement is not correctness: models that learned alike can be wrong alike."
#: What stands in the place of findings that are not there, by the analysis's status.
ABSENT = {
    "pending": "The responses are still being compared.",
    "skipped": "The responses were not compared",
    "failed": "The comparison of the responses failed",
}
#: The style of a seat, by the number of its place in the panel.
STYLES = ("cyan", "magenta", "yellow", "green", "blue", "bright_red", "bright_cyan", "bright_magenta")


def tell(terminal: Terminal, query: Json) -> None:
    """The whole query; the consensus comes last, where it is seen."""
    terminal.say(query["query"], "bold")
    about = [query["job_id"], words.clock(query["created_at"]), query["domain"], query["question_type"]]
    terminal.say(" · ".join(word for word in about if word not in ("None", "Custom")), "dim")
    for place, response in enumerate(query["responses"]):
        _response(terminal, response, style_of(place))
    if query["status"] == "done":
        _analysis(terminal, query["analysis"])
    if consensus := query["consensus"]:
        terminal.head("Consensus", f"{consensus['agent_id']}, {words.spoken(consensus)}", "bold reverse")
        terminal.prose(consensus["text"])
    _ending(terminal, query)


def style_of(place: int) -> str:
    """The style of the seat at this place of the panel."""
    return f"bold {STYLES[place % len(STYLES)]}"


def _response(terminal: Terminal, response: Json, style: str) -> None:
    terminal.head(response["agent_id"], words.spoken(response), style)
    if response["text"]:
        terminal.prose(response["text"])
    elif response["status"] == "pending":
        terminal.say("No answer yet.", "dim")
    else:
        reason = f": {response['error']}" if response["error"] else "."
        terminal.say(f"No answer, {words.STATES[response['status']]}{reason}", "red")


def _ending(terminal: Terminal, query: Json) -> None:
    if outcome := words.outcome(query):
        terminal.say("")
        terminal.say(outcome, "bold yellow" if query["status"] == "done" else "bold red")
    for note in query["notes"]:
        terminal.item(note)
    if query.get("cost"):
        terminal.say("")
        terminal.say(f"Used: {words.used(query['cost'])}.", "dim")


def _analysis(terminal: Terminal, analysis: Json) -> None:
    terminal.head("Agreement")
    report = analysis.get("report")
    if report is None:
        reason = f": {analysis['reason'].rstrip('.')}." if analysis["reason"] else "."
        terminal.say(ABSENT["pending"] if analysis["status"] == "pending" else ABSENT[analysis["status"]] + reason)
        return
    _score(terminal, report)
    _votes(terminal, report["votes"])
    points = report["report"]
    _points(terminal, "Everybody says:", points["agreements"])
    _conflicts(terminal, [one for one in points["conflicts"] if one["standing"] != "dismissed"])
    _points(terminal, "Several say, but not all:", points["partial"])


def _score(terminal: Terminal, report: Json) -> None:
    score = report["score"]
    if score is None:
        terminal.say(f"There is no consensus score: {str(report['reason']).rstrip('.')}.")
        return
    terminal.say(
        f"{score['label']}: of all claims {score['agreed']} % are shared by several agents, {score['contested']} % are "
        f"contested, and {score['unique']} % are made by one alone."
    )
    terminal.say(CAUTION, "dim")


def _votes(terminal: Terminal, votes: Json | None) -> None:
    if votes is None:
        return
    terminal.say(f"Votes: {words.majority(votes)}", "bold")
    for agent, answer in votes["by_agent"].items():
        terminal.item(f"{agent}: {answer}")


def _points(terminal: Terminal, title: str, points: list[Json]) -> None:
    if points:
        terminal.say(title, "bold")
    for point in points:
        terminal.item(f"{point['quotes'][0]['text']} ({', '.join(point['agent_ids'])})")


def _conflicts(terminal: Terminal, conflicts: list[Json]) -> None:
    # Different votes are told with the votes.
    told = [conflict for conflict in conflicts if not conflict.get("is_vote")]
    if told:
        terminal.say("They contradict each other:", "bold")
    for conflict in told:
        one, other = conflict["one"], conflict["other"]
        sure = "against" if conflict["standing"] == "confirmed" else "possibly against"
        terminal.item(f"{one['agent_id']}: {one['text']} — {sure} — {other['agent_id']}: {other['text']}")
