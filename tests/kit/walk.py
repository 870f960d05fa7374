"""One person at a shell in a real terminal: what is typed, and what is on the screen then.

The table of a section of docs/habits.md is walked through: a walk fails if it leaves out one of the table's
rows, or if what a row promises in `code` was not on the screen.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment, scratch
from kit.processes import kill, left_over
from kit.source import ROOT
from kit.terminal import CTRL_BACKSLASH, CTRL_C, CTRL_D, CTRL_R, ENTER, TAB, UP, Terminal

HABITS = ROOT / "docs" / "habits.md"

KEYS = {
    "Up": UP,
    "Tab": TAB,
    "Enter": ENTER,
    "Ctrl-R": CTRL_R,
    "Ctrl-C": CTRL_C,
    "Ctrl-D": CTRL_D,
    "Ctrl-\\": CTRL_BACKSLASH,
}
"""Keys as the table names them."""

PROMPT = re.compile(r"\$|In \[\d+\]:")
"""Of the shell, or of a console."""

LOADED_SECONDS = 40.0
"""For a session to start, or jedi to load, on a machine that does other things."""

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")


@dataclass
class Row:
    """A habit: what is typed, and what the document says one gets."""

    typed: str
    promises: str
    done: set[str] = field(default_factory=set)
    """What of it was typed."""
    seen: list[str] = field(default_factory=list)
    """Screens that there were after it was typed."""

    def names(self) -> list[str]:
        """What is typed: each piece of code, each key, or the words themselves."""
        spans = _SPAN.findall(self.typed)
        keys = [key for key in KEYS if re.search(rf"(^|\s){re.escape(key)}($|\s)", self.typed)]
        return [*spans, *keys] or [self.typed]

    def left_out(self) -> list[str]:
        """What of it nobody has typed."""
        return [each for each in self.names() if each not in self.done]

    def missing(self) -> list[str]:
        """What it promises in `code` and was not to be seen."""
        screens = [" ".join(screen.split()) for screen in self.seen]
        return [each for each in _SPAN.findall(self.promises) if not any(each in one for one in screens)]


def sections() -> dict[str, list[Row]]:
    """The document's tables, by the headings that they stand below."""
    _, *parts = _HEADING.split(HABITS.read_text())
    tables = dict(zip(parts[::2], parts[1::2], strict=True))
    return {heading: list(_rows(text)) for heading, text in tables.items()}


def _rows(text: str) -> Iterator[Row]:
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| you type"):
            typed, promises = (cell.strip() for cell in line.strip("|").split(" | "))
            yield Row(typed.replace(r"\|", "|"), promises)


class Person:
    """Types in `terminal`, where a shell runs, and looks."""

    def __init__(self, terminal: Terminal, rows: list[Row]) -> None:
        self._terminal = terminal
        self._rows = rows
        self._row: Row | None = None
        self._since = 0

    def types(self, line: str) -> Self:
        """Type a line, and Enter, at the next prompt."""
        self.at_prompt()
        self._habit(line.partition("\n")[0])
        self._terminal.send(line.replace("\n", ENTER) + ENTER)
        return self

    def begins(self, text: str) -> Self:
        """Type, and no Enter."""
        self.at_prompt()
        self._terminal.send(text)
        return self.sees(text)

    def habit(self, typed: str) -> Self:
        """What was typed last is the table's `typed`, with more around it."""
        self._row = None
        self._habit(typed)
        return self

    def answers(self, line: str) -> Self:
        """Type a line where no prompt of ours is."""
        self._habit(line)
        self._terminal.send(line + ENTER)
        return self

    def presses(self, key: str, *, then: str = "") -> Self:
        """Press a key by its name, and type what follows on it."""
        self._habit(key)
        self._terminal.send(KEYS[key] + then)
        return self

    def pastes(self, text: str) -> Self:
        """Paste a text into the terminal."""
        self.at_prompt()
        self._habit("a paste")
        self._terminal.paste(text)
        return self

    def sees(self, *texts: str) -> Self:
        """Wait for each of `texts` below what was typed last."""
        for text in texts:
            self._terminal.wait_until(lambda text=text: text in self._news, repr(text), LOADED_SECONDS)  # type: ignore[misc]
        return self

    def sees_no(self, text: str) -> Self:
        """At the next prompt `text` is not among what is above it since the last line was typed."""
        self._await_prompt()
        above = self._news.rpartition("\n")[0]
        assert text not in above, above
        return self.at_prompt()

    @property
    def _news(self) -> str:
        """What is on the screen since the last line was typed, also where that has scrolled off."""
        return "\n".join(self._terminal.all_text.splitlines()[self._since :])

    def at_prompt(self) -> Self:
        """Wait for the next prompt; what is seen from now on is below it."""
        self._await_prompt()
        self._look()
        self._since = len(self._terminal.all_text.splitlines()) - 1
        return self

    def _await_prompt(self) -> None:
        self._terminal.wait_until(
            lambda: PROMPT.fullmatch("".join(self._terminal.lines[-1:])) is not None,
            "a prompt",
            LOADED_SECONDS,
        )

    def _look(self) -> None:
        if self._row is not None:
            self._row.seen.append(self._news)

    def _habit(self, typed: str) -> None:
        self._look()
        found = [row for row in self._rows if typed in row.names()]
        if found:
            self._row = next((row for row in found if typed not in row.done), found[-1])
            self._row.done.add(typed)

    def rests(self) -> None:
        """The walk is over: every row was walked through, and held what it promises."""
        self.at_prompt()
        broken = [f"{row.typed}: {row.missing()}" for row in self._rows if row.missing()]
        broken += [f"{row.typed}: {each!r} not typed" for row in self._rows for each in row.left_out()]
        assert not broken, "docs/habits.md has what the walk has not:\n" + "\n".join(broken)


@contextmanager
def walk(section: str, **files: str) -> Iterator[Person]:
    """Somebody at a shell in a folder named ledger, with `files` (name without .py, content) in it."""
    with scratch() as home:
        ledger = home / "ledger"
        ledger.mkdir()
        for name, content in files.items():
            (ledger / f"{name}.py").write_text(content)
        mark = secrets.token_hex(8)
        env = environment(home, mark) | {"HOME": str(home), "PATH": f"{_commands(home)}:/usr/bin:/bin"}
        env |= {"PS1": "$ ", "PAGER": "less", "LESS": "", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
        env.pop("NO_COLOR", None)
        try:
            with Terminal(_shell(ledger), env, columns=110, rows=40) as terminal:
                person = Person(terminal, sections()[section])
                yield person
                person.rests()
            stop = [sys.executable, "-m", "holdfast", "stop", "--all"]
            subprocess.run(stop, check=True, env=env, capture_output=True, timeout=60)
            assert not left_over(mark, Deadline(END_SECONDS))
        finally:
            kill(mark)


def _shell(folder: Path) -> list[str]:
    return ["env", "-C", str(folder), "bash", "--norc", "--noprofile"]


def _commands(home: Path) -> Path:
    """A folder with `holdfast` in it, as an installation has one."""
    folder = home / "bin"
    folder.mkdir()
    command = folder / "holdfast"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m holdfast "$@"\n')
    command.chmod(0o755)
    return folder
