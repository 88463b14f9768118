"""The form a question is asked with; everything it offers comes from the gateway's catalogue."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from services.client.job import moment
from services.client.rest import Json
from services.ui import chosen, render
from services.ui.account import Updates
from services.ui.memory import EMPTY_DRAFT, Memory

#: Rows for agents are drawn before the catalogue is known; a roster may have as many seats as this.
ROWS = 16

CHOOSE, DEAL = "I choose", "Dealt at random"


class Form:
    """The question's form.

    Attributes:
        fields: the components whose values `body` takes, in its order.
        changed: what its steps may change.
        offered: the catalogue that the boxes were filled from.
    """

    def __init__(self, memory: Memory) -> None:
        """Draw the form, still empty, into the page being built."""
        self._memory = memory
        self.offered = gr.State({})
        with gr.Row(visible=False, elem_classes="fm-line") as self.following:
            self.parent = gr.HTML("", js_on_load=None)
            self.alone_button = gr.Button("Ask without it", size="sm", scale=0, min_width=130)
        self.question = gr.Textbox(
            label="Your question", placeholder="What should the panel weigh?", lines=3, max_lines=14, elem_id="fm-ask"
        )
        with gr.Row():
            self.domain = gr.Dropdown(label="Domain", min_width=120)
            self.question_type = gr.Dropdown(label="Question type", min_width=120)
        self.chosen = gr.HTML("", js_on_load=None)
        self.examples = gr.Dataset(
            label="Examples", components=["html"], samples=[], type="index", elem_id="fm-examples"
        )
        self._draw_panel()
        self.fields: list[Component] = [
            self.question,
            memory.draft,
            self.domain,
            self.question_type,
            self.dealing,
            self.aggregator,
            self.deadline_s,
        ]
        self.fields += [self.offered, *self.asked, *self.roles]
        shown = [self.following, self.parent, self.chosen, self.reasoning]
        self.changed = [*self.fields, self.examples, *self.rows, *shown]

    def _draw_panel(self) -> None:
        self.dealing = gr.Radio(
            [CHOOSE, DEAL], value=CHOOSE, label="Panel and ethical roles", elem_id="fm-dealing",
            info="Each agent ticked answers on its own. A role is the principle it reasons from.",
        )  # fmt: skip
        self.rows, self.asked, self.roles = [], [], []
        with gr.Column(elem_id="fm-panel"):
            for _ in range(ROWS):
                with gr.Row(visible=False, elem_classes="fm-agent") as row:
                    self.asked.append(gr.Checkbox(min_width=120))
                    self.roles.append(gr.Dropdown(container=False, min_width=120))
                self.rows.append(row)
        self.reasoning = gr.HTML("", js_on_load=None)
        with gr.Row():
            self.aggregator = gr.Dropdown(label="Aggregator", info="Writes the consensus.", min_width=120)
            self.deadline_s = gr.Number(label="Deadline", info="Seconds for all of it.", precision=0, min_width=120)

    def empty(self) -> Updates:
        """Forget what was typed and what was offered."""
        return self.follow({}) | {self.question: "", self.offered: {}}

    def follow(self, draft: Json) -> Updates:
        """Have the next question follow up an earlier one, or none."""
        draft = EMPTY_DRAFT | draft
        return {
            self._memory.draft: draft,
            self.following: gr.Row(visible=bool(draft["parent_job_id"])),
            self.parent: render.following(draft["parent"]),
        }

    def repeat(self, catalogue: Json, resource: Json) -> Updates:
        """Fill the form with a query that was asked, its panel and roles too, so that they can be changed."""
        roles = {response["agent_id"]: response["role"] for response in resource["responses"]}
        updates: Updates = {}
        for asked, role, agent in zip(self.asked, self.roles, catalogue["agents"], strict=False):
            was_asked = agent["agent_id"] in roles
            updates[asked] = was_asked
            updates[role] = gr.Dropdown(value=roles.get(agent["agent_id"], "None"), interactive=was_asked, visible=True)
        named = {self.domain: resource["domain"], self.question_type: resource["question_type"]}
        question = {self.question: resource["query"], self.dealing: CHOOSE}
        draft = {"question": resource["query"]}
        explained = self.explain(catalogue, resource["domain"], resource["question_type"])
        reasoning = {self.reasoning: chosen.reasoning(catalogue, list(roles.values()))}
        examples = self.show_examples(catalogue, resource["domain"])
        return updates | named | question | self.follow(draft) | examples | explained | reasoning

    def fill(self, catalogue: Json, draft: Json) -> Updates:
        """Offer what the catalogue holds, with the usual panel ticked and the draft back in its box."""
        agents, limits = catalogue["agents"], catalogue["limits"]
        domains, types = catalogue["domains"], catalogue["question_types"]
        seats = [agent["agent_id"] for agent in agents]
        aggregator = next((agent["agent_id"] for agent in agents if agent["is_aggregator"]), seats[0])
        begun = self.choose_domain(catalogue, domains[0], types[0])
        return {
            self.offered: catalogue,
            self.question: gr.Textbox(value=draft["question"], max_length=limits["query_chars"]),
            self.domain: gr.Dropdown(choices=domains, value=domains[0]),
            self.question_type: gr.Dropdown(choices=types, value=types[0]),
            self.aggregator: gr.Dropdown(choices=seats, value=aggregator),
            self.deadline_s: gr.Number(
                value=limits["deadline_s"], minimum=limits["deadline_least_s"], maximum=limits["deadline_max_s"]
            ),
            self.dealing: CHOOSE,
            self.reasoning: chosen.reasoning(catalogue, []),
        } | self.follow(draft) | begun | self._fill_panel(catalogue)  # fmt: skip

    def _fill_panel(self, catalogue: Json) -> Updates:
        agents, roles = catalogue["agents"], catalogue["roles"]
        updates: Updates = {}
        for row, asked, role, agent in zip(self.rows, self.asked, self.roles, agents, strict=False):
            agent_id = agent["agent_id"]
            usual = not agent["is_aggregator"] or len(agents) == 1
            updates[row] = gr.Row(visible=True)
            updates[asked] = gr.Checkbox(label=agent_id, info=agent["model"], value=usual)
            updates[role] = gr.Dropdown(
                label=f"Role of {agent_id}", choices=roles, value=roles[0], interactive=usual, visible=True
            )
        return updates

    def show_roles(self, dealing: str, *asked: bool) -> Updates:
        """Let a role be chosen for each agent ticked, unless the roles are dealt."""
        return {
            role: gr.Dropdown(visible=dealing == CHOOSE, interactive=ticked)
            for role, ticked in zip(self.roles, asked, strict=True)
        }

    def explain(self, catalogue: Json, domain: str, question_type: str) -> Updates:
        """What the chosen domain and question type have the agents told."""
        return {self.chosen: chosen.framing(catalogue, domain, question_type)}

    def explain_roles(self, catalogue: Json, dealing: str, *rows: Any) -> Updates:
        """What the roles have the agents told; `rows` are whether each agent is asked, and then each one's role."""
        roles = [role for role, asked in zip(rows[ROWS:], rows[:ROWS], strict=True) if asked and role]
        return {self.reasoning: chosen.dealt() if dealing == DEAL else chosen.reasoning(catalogue, roles)}

    def choose_domain(self, catalogue: Json, domain: str, question_type: str) -> Updates:
        """The examples of the chosen domain, and what it means."""
        return self.show_examples(catalogue, domain) | self.explain(catalogue, domain, question_type)

    def show_examples(self, catalogue: Json, domain: str) -> Updates:
        """The examples of the chosen domain."""
        samples = [[escape(example["query"])] for example in _examples(catalogue, domain)]
        return {self.examples: gr.Dataset(samples=samples)}

    def take_example(self, catalogue: Json, domain: str, chosen: int) -> Updates:
        """Fill the form with an example."""
        example = _examples(catalogue, domain)[chosen]
        text = example["query"]
        explained = self.explain(catalogue, domain, example["question_type"])
        return {self.question: text, self.question_type: example["question_type"]} | explained


class Filled(NamedTuple):
    """The form's values, in the order of `Form.fields`, but for the rows of the panel, which follow."""

    question: str
    draft: Json
    domain: str
    question_type: str
    dealing: str
    aggregator: str
    deadline_s: float | None
    catalogue: Json


def parted(fields: Sequence[Any]) -> tuple[Filled, Sequence[Any]]:
    """The values of `Form.fields` as all but the panel, and the rows of the panel."""
    count = len(Filled._fields)
    return Filled(*fields[:count]), fields[count:]


def body(filled: Filled, rows: Sequence[Any]) -> Json:
    """The form's values as the body of a query; the gateway judges them.

    Args:
        filled: all but the panel.
        rows: whether each row's agent is asked, and then each row's role.
    """
    seats = [agent["agent_id"] for agent in filled.catalogue["agents"]]
    panel = [seat for seat, asked in zip(seats, rows[:ROWS], strict=False) if asked]
    chosen = {seat: role for seat, role in zip(seats, rows[ROWS:], strict=False) if seat in panel}
    dealt = [role for role in filled.catalogue["roles"] if role != "None"]
    return {
        "query": filled.question,
        "domain": filled.domain,
        "question_type": filled.question_type,
        "agents": panel,
        "roles": dealt if filled.dealing == DEAL else chosen,
        "aggregator": filled.aggregator,
        "parent_job_id": filled.draft["parent_job_id"] or None,
    } | ({} if filled.deadline_s is None else {"deadline_s": filled.deadline_s})


def afresh(asked: Json) -> Json:
    """The body of a query that was asked, to be asked once more of the models themselves.

    Args:
        asked: the query's resource.
    """
    panel = asked["responses"]
    length_s = (moment(asked["deadline_at"]) - moment(asked["created_at"])).total_seconds()
    return {name: asked[name] for name in ("query", "domain", "question_type", "parent_job_id")} | {
        "agents": [response["agent_id"] for response in panel],
        "roles": {response["agent_id"]: response["role"] for response in panel},
        "aggregator": asked["aggregator"]["requested"],
        "deadline_s": length_s,
        "use_cache": False,
    }


def _examples(catalogue: Json, domain: str) -> list[Json]:
    return [example for example in catalogue["examples"] if example["domain"] == domain]
