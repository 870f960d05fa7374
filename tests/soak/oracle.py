"""What must be: a plain interpreter in a process of its own, which runs the same cells and never dies.

It goes back by beginning anew: what was done and still counts is done again.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DIGEST = Path(__file__).with_name("digest.py")
_PROGRAM = Path(__file__).with_name("interpreter.py")

SECONDS = 60.0
"""For a cell: a first import of a big library."""

NO_CELL = 0
"""In place of an execution count: of what the session has lost, and has named."""


class Oracle:
    """Knows what the session's namespace must hold."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._cells: list[tuple[int, str]] = []  # execution count and code, of those that count
        self._process = self._start()

    def run(self, count: int, code: str) -> str:
        """Run a cell of the session's, which has ended; the name of its error, if it ends with one."""
        self._cells.append((count, code))
        return str(self._ask({"code": code}))

    def digests(self) -> dict[str, str]:
        """Of all variables."""
        found: dict[str, str] = self._ask({})
        return found

    def show(self, name: str) -> str:
        """A variable, for people."""
        return str(self._ask({"show": name}))

    def counts(self) -> list[int]:
        """Numbers of the cells whose effects there are."""
        return [count for count, _ in self._cells if count != NO_CELL]

    def without(self, counts: set[int]) -> None:
        """These cells do not count any more."""
        kept = [cell for cell in self._cells if cell[0] not in counts]
        if len(kept) != len(self._cells):
            self.close()
            self._cells, self._process = [], self._start()
            for count, code in kept:
                self.run(count, code)

    def forget(self, names: Iterable[str]) -> None:
        """These variables do not count any more."""
        for name in sorted(names):
            self.run(NO_CELL, f"globals().pop({name!r}, None)")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM), str(DIGEST)],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, question: dict[str, str]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(question), file=self._process.stdin, flush=True)
        ready, _, _ = select.select([self._process.stdout], [], [], SECONDS)
        answer = self._process.stdout.readline() if ready else ""
        if not answer:
            raise RuntimeError(f"the plain interpreter does not answer: {question}")
        return json.loads(answer)
