"""Where a command's words go: answers to standard output, the rest to standard error, codes to terminals alone."""

import io
import json
import re
from typing import Any, TextIO

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

#: Texts of models and users must not steer the terminal, nor turn the reading direction of what follows.
_CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The text without what a terminal would obey instead of showing it."""
    return _CODES.sub("", text.replace("\r\n", "\n"))


class Terminal:
    """The two streams of a command."""

    def __init__(self, answers: TextIO, notices: TextIO) -> None:
        for stream in (answers, notices):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        self._answers, self.notices = _console(answers), _console(notices)

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees progress as it comes."""
        return self.notices.is_terminal and not self.notices.is_dumb_terminal

    def say(self, line: str, style: str = "") -> None:
        """A line of the answer."""
        self._answers.print(Text(clean(line), style), soft_wrap=not self._answers.is_terminal)

    def tell(self, line: str) -> None:
        """A line about the command, beside its answer."""
        self.notices.print(Text(clean(line)), soft_wrap=not self.notices.is_terminal)

    def complain(self, line: str) -> None:
        """Why the command did not do what it was told."""
        text = Text.assemble(("folkmoot: ", "bold red"), clean(line))
        self.notices.print(text, soft_wrap=not self.notices.is_terminal)

    def head(self, title: str, about: str = "", style: str = "bold") -> None:
        """The title of a part of the answer."""
        self.say("")
        if self._answers.is_terminal:
            self._answers.print(Text.assemble((clean(title), style), ("  " + clean(about) if about else "", "dim")))
        else:
            self.say(f"## {title}{f' ({about})' if about else ''}")

    def prose(self, text: str) -> None:
        """What a model wrote: drawn as the Markdown that it mostly is at a terminal, as it came elsewhere."""
        if self._answers.is_terminal:
            # Links stay words: where one leads must be seen.
            markdown = Markdown(clean(text), hyperlinks=False)
            self._answers.print(Padding(markdown, (0, 0, 0, 2)), width=min(self._answers.width, 100))
        else:
            self.say(text)

    def item(self, text: str, indent: int = 2) -> None:
        """An item of a list."""
        if self._answers.is_terminal:
            row = Table.grid(padding=(0, 1))
            row.add_row(Text("•"), Text(clean(text)))
            self._answers.print(Padding(row, (0, 0, 0, indent)), width=min(self._answers.width, 100))
        else:
            self.say(f"- {' '.join(text.split())}")

    def table(self, titles: list[str], rows: list[list[str]], wide: int) -> None:
        """Rows under their titles; in a pipe without them, divided by tabs.

        Args:
            wide: the column that gives way when there is too little room.
        """
        if not self._answers.is_terminal:
            for row in rows:
                self.say("\t".join(" ".join(clean(cell).split()) for cell in row))
            return
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        for place, title in enumerate(titles):
            table.add_column(title, no_wrap=place != wide, ratio=1 if place == wide else None, overflow="fold")
        for row in rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        self._answers.print(table)

    def json(self, content: Any) -> None:
        """The content for a script; ASCII alone, so that no terminal obeys it and no encoding lacks a letter."""
        self._answers.file.write(json.dumps(content, indent=2) + "\n")


def _console(stream: TextIO) -> Console:
    # What is no terminal gets no codes, whatever the environment asks for.
    return Console(file=stream, force_terminal=stream.isatty(), highlight=False, markup=False, emoji=False)
