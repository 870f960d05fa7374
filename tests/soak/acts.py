"""What happens in a run, as data: it is written down while it happens, and can be played again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

CELL, LOOK, RESTART = "cell", "look", "restart"
"""Kinds of acts beside the faults."""


@dataclass(frozen=True)
class Act:
    """One thing that happens: `kind` is one of the above, or a fault's name."""

    kind: str
    code: str = ""
    moment: float = 0.0
    """Seconds, of a fault that comes from outside: how long after it could first come."""

    def __str__(self) -> str:
        return f"{self.kind} {self.code!r}" if self.code else self.kind


class Transcript:
    """The acts of one chapter, written as they happen: a chapter begins with an empty namespace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._acts: list[Act] = []
        self.begin()

    def begin(self) -> None:
        """A chapter: what was before it has no part in what comes."""
        self._acts.clear()
        self._path.write_text("")

    def add(self, act: Act) -> None:
        """It is about to happen."""
        self._acts.append(act)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(act)) + "\n")

    def __len__(self) -> int:
        return len(self._acts)

    def keep(self, path: Path) -> None:
        """A copy, for a replay."""
        path.write_text(self._path.read_text())


def read(path: Path) -> Iterator[Act]:
    """The acts of a transcript."""
    for line in path.read_text().splitlines():
        yield Act(**json.loads(line))
