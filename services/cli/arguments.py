"""What can be said on the command line."""

import argparse
from importlib import metadata

from ..client.logins import SERVER
from .exits import MEANINGS

STATUSES = ("open", "done", "failed", "cancelled")
#: Of the history, a page; the server gives no more at once.
PAGE = (1, 100)

_EPILOG = "exit status:\n" + "\n".join(f"  {status:<4}{meaning}" for status, meaning in MEANINGS.items())


def parser() -> argparse.ArgumentParser:
    """The whole grammar; each command's name is `command`."""
    whole = argparse.ArgumentParser(
        prog="folkmoot",
        description="Ask several language models at once; get one answer that says where they agree.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"folkmoot {_version()}")
    commands = whole.add_subparsers(dest="command", metavar="command", required=True)
    _login(commands)
    _ask(commands)
    _history(commands)
    show = _command(commands, "show", "show a query: the responses, the consensus, where they agree and where not")
    show.add_argument("job", help="its job_id, or `last` for the newest")
    _command(commands, "agents", "show how the agents are")
    export = _command(commands, "export", "write the whole record of a query", json=False)
    export.add_argument("job", help="its job_id, or `last` for the newest")
    export.add_argument("-o", "--output", metavar="FILE", help="where to; default: standard output")
    export.add_argument("--format", choices=["md", "json"], help="default: what FILE ends in, or md")
    return whole


def _login(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    login = _command(commands, "login", "sign in, and keep the token for this server", json=False)
    login.add_argument("username", nargs="?", help="asked for when it is missing")
    login.add_argument("--token", action="store_true", help="use an API token, which is read from standard input")
    _command(commands, "logout", "end the session, and forget its token", json=False)


def _ask(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ask = _command(commands, "ask", "ask the council, and watch it answer; Ctrl-C cancels the question")
    ask.add_argument("question", nargs="*", help="read from standard input when it is missing or `-`")
    ask.add_argument("--domain", help="such as Healthcare")
    ask.add_argument("--type", dest="question_type", metavar="TYPE", help="such as Yes/No")
    ask.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="[AGENT=]ROLE",
        help="a role for an agent, or without AGENT= one to be dealt out; can be given again",
    )
    ask.add_argument("--agents", metavar="A,B", help="the panel; default: all but the aggregator")
    ask.add_argument("--aggregator", metavar="AGENT", help="who concludes")
    ask.add_argument("--deadline", type=float, metavar="S", help="seconds until the query has ended")
    ask.add_argument("--no-cache", action="store_true", help="ask the models, whatever they said before")
    ask.add_argument("--follow-up", metavar="JOB", help="the query that this one follows up, or `last`")
    ask.add_argument("--key", help="an idempotency key: the same question under the same key is asked once")
    ask.add_argument("--quiet", action="store_true", help="show no progress")


def _history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    history = _command(commands, "history", "list your queries, newest first")
    history.add_argument("--search", metavar="TEXT", help="only those that contain this")
    history.add_argument("--status", choices=STATUSES, help="only those that ended so, or are open")
    history.add_argument("--domain", help="only those of this domain")
    history.add_argument("--limit", type=_count, default=20, metavar="N", help="how many; default: 20")


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_: str, json: bool = True
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=help_, description=help_, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("--server", metavar="URL", help=f"default: FOLKMOOT_URL, or {SERVER}")
    if json:
        command.add_argument("--json", action="store_true", help="print JSON as the API gives it, for scripts")
    return command


def _count(text: str) -> int:
    if text.isdecimal() and PAGE[0] <= int(text) <= PAGE[1]:
        return int(text)
    raise argparse.ArgumentTypeError(f"give a number from {PAGE[0]} to {PAGE[1]}, not {text!r}")


def _version() -> str:
    try:
        return metadata.version("folkmoot-cli")
    except metadata.PackageNotFoundError:
        return "from its source"
