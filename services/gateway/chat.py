"""A chat as OpenAI's clients send it, and what of it the council is asked."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from folkmoot.agents import Roster
from folkmoot.asks import Ask
from folkmoot.errors import InvalidRequest, NotFound
from folkmoot.settings import Settings
from services.gateway.schemas import DomainName, Name, QuestionTypeName, RoleName

#: The council's name among the models; a seat's is this, a slash and its agent_id.
COUNCIL = "folkmoot"
#: What the fields of an `Ask` are called here.
FIELDS = {"query": "messages", "agents": "panel"}


class UnknownModel(NotFound):
    """No model of this name."""


class ContextExceeded(InvalidRequest):
    """The messages are longer than what is taken."""


class Part(BaseModel):
    """A part of a message; only text is understood."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[Part], Field(max_length=256)] | None = None

    def said(self) -> str:
        """Its text.

        Raises:
            InvalidRequest: it holds something else than text.
        """
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        if strange := next((part.type for part in self.content if part.type != "text"), None):
            raise InvalidRequest({"messages": f"Only parts of the type text are understood, not {strange[:64]!r}."})
        return "".join(part.text or "" for part in self.content)


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool = False


class ChatBody(BaseModel):
    """A chat completion to make. Sampling is the roster's, so `temperature` and the like change nothing."""

    # OpenAI's clients send fields that no council has a use for.
    model_config = ConfigDict(extra="ignore", strict=True)

    model: Annotated[Name, Field(examples=[COUNCIL])]
    messages: Annotated[list[Message], Field(min_length=1, max_length=2048)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(description="Only 1 is possible.", json_schema_extra={"enum": [1, None]})] = None
    tools: Annotated[list[Any] | None, Field(description="No tools are called.", json_schema_extra={"maxItems": 0})] = (
        None
    )
    functions: Annotated[
        list[Any] | None, Field(description="No functions are called.", json_schema_extra={"maxItems": 0})
    ] = None
    response_format: Annotated[dict[str, Any] | None, Field(description="Only text is possible.")] = None

    domain: DomainName = "Custom"
    question_type: QuestionTypeName = "None"
    roles: Annotated[dict[Name, RoleName] | list[RoleName], Field(max_length=64)] = []
    panel: Annotated[
        list[Name] | None,
        Field(validation_alias=AliasChoices("panel", "agents"), description="Whom to ask; by agent_id."),
    ] = None
    aggregator: Name | None = None
    deadline_s: Annotated[
        float | None,
        Field(
            validation_alias=AliasChoices("deadline_s", "deadline"), description="Seconds until the answer is whole."
        ),
    ] = None
    use_cache: Annotated[
        bool,
        Field(description="False asks every seat anew, and keeps the new answers in place of those that there were."),
    ] = True

    def as_ask(self, roster: Roster, settings: Settings) -> Ask:
        """The same as the council takes it: the user's last words are the question, what was said before is with it.

        Raises:
            UnknownModel: there is no such model.
            InvalidRequest: it wants what no council gives, or the last word is not the user's.
            ContextExceeded: it is too long.
        """
        self._refuse_the_impossible()
        ask = Ask(
            query=self._question(),
            domain=self.domain,
            question_type=self.question_type,
            roles=tuple(self.roles) if isinstance(self.roles, list) else self.roles,
            agents=self._panel(roster),
            aggregator=self.aggregator,
            deadline_s=self.deadline_s,
            instructions="\n\n".join(filter(None, (one.said() for one in self.messages if _instructs(one)))),
            turns=tuple(self._turns()),
            use_cache=self.use_cache,
        )
        _check_length(ask, settings)
        return ask

    def _refuse_the_impossible(self) -> None:
        problems = {
            "n": (self.n or 1) != 1 and "There is one answer to a question. Leave `n` out, or send 1.",
            "tools": bool(self.tools) and "The council calls no tools. Leave `tools` out.",
            "functions": bool(self.functions) and "The council calls no functions. Leave `functions` out.",
            "response_format": (self.response_format or {}).get("type", "text") != "text"
            and "The council answers in prose. Leave `response_format` out.",
        }
        if found := {name: sentence for name, sentence in problems.items() if sentence}:
            raise InvalidRequest(found)
        if self.messages[-1].role != "user":
            raise InvalidRequest({"messages": "The last message must be the user's: it is the question."})

    def _panel(self, roster: Roster) -> tuple[str, ...] | None:
        if self.model == COUNCIL:
            return None if self.panel is None else tuple(self.panel)
        family, _, seat = self.model.partition("/")
        if family != COUNCIL or seat not in roster.seats:
            raise UnknownModel(f"The model {self.model[:128]!r} does not exist. {_choice(roster)}")
        if self.panel is not None:
            raise InvalidRequest({"panel": f"{self.model} is one seat by itself. For a panel ask {COUNCIL}."})
        return (seat,)

    def _question(self) -> str:
        """The user's last words; several messages without an answer between them are one question."""
        texts: list[str] = []
        for message in reversed([one for one in self.messages if not _instructs(one)]):
            if message.role != "user":
                break
            texts.append(message.said())
        return "\n\n".join(filter(None, reversed(texts)))

    def _turns(self) -> list[tuple[str, str]]:
        """What was asked before, each with what was answered."""
        turns: list[tuple[str, str]] = []
        asked: list[str] = []
        for message in self.messages:
            if message.role == "user":
                asked.append(message.said())
            elif message.role == "assistant":
                turns.append(("\n\n".join(filter(None, asked)), message.said()))
                asked = []
        return turns


def _instructs(message: Message) -> bool:
    return message.role in ("system", "developer")


def _check_length(ask: Ask, settings: Settings) -> None:
    before = len(ask.instructions) + sum(len(text) for turn in ask.turns for text in turn)
    for what, length, most in (
        ("The question", len(ask.query), settings.query_chars),
        ("What comes before the question", before, settings.conversation_chars),
    ):
        if length > most:
            raise ContextExceeded({"messages": f"{what} has {length} characters; at most {most} are possible."})


def models(roster: Roster) -> list[str]:
    """The names of all models: the council, and each seat by itself."""
    return [COUNCIL, *(f"{COUNCIL}/{seat}" for seat in roster.seats)]


def _choice(roster: Roster) -> str:
    return f"Choose from: {', '.join(models(roster))}."
