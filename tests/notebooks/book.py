"""Notebooks as plain files: cells below `# %%` lines, with what a client does beside running them.

A cell that is all comment is in IPython's syntax (magics, `!`, `?`): the `# ` of its lines is taken off. So
each file stays Python that tools can read. After `# %%` may stand JSON with fields of `Cell`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BOOKS = Path(__file__).with_name("books")
MARK = re.compile(r"^# %%(?: (.*))?\n", re.MULTILINE)
"""`# %%bash` is none."""


@dataclass(frozen=True)
class Cell:
    """Code, and what the client says beside it."""

    code: str
    answers: list[str] = field(default_factory=list)
    """What is typed when the cell asks for input, in this order."""
    expressions: dict[str, str] = field(default_factory=dict)
    """The request's user_expressions."""
    silent: bool = False
    store_history: bool = True
    ask: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Requests that follow the cell: type and content."""
    widgets: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What the browser's half of a widget says after the cell: name of the model, new state."""
    times: bool = False
    """Its text holds durations, which are left out of the comparison."""
    unordered: bool = False
    """The order of its lines of text is left to chance by ipykernel, too: compared as a set."""
    apart: dict[str, str] = field(default_factory=dict)
    """Where Holdfast differs on purpose, and why: `execute_reply.ename`, or all that begins so."""


@dataclass(frozen=True)
class Book:
    """One notebook."""

    name: str
    cells: list[Cell]


def names() -> list[str]:
    """Of all notebooks there are."""
    return sorted(path.stem for path in BOOKS.glob("*.py"))


def read(name: str) -> Book:
    """The notebook of this name."""
    _, *parts = MARK.split((BOOKS / name).with_suffix(".py").read_text())
    cells = [
        Cell(_code(body.strip("\n")), **json.loads(head or "{}"))
        for head, body in zip(parts[::2], parts[1::2], strict=True)
    ]
    return Book(name, cells)


def _code(body: str) -> str:
    lines = body.split("\n")
    if all(not line or line.startswith("#") for line in lines):
        return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
    return body
