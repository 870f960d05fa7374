"""A gate that a cell waits at until the test opens it: a fifo, so that nobody sleeps or polls."""

from __future__ import annotations

import os
from pathlib import Path


class Gate:
    """Put `gate.wait` into a cell; the cell stops there until `open()`. One cell, once."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self._held: int | None = None

    @property
    def wait(self) -> str:
        """Code (an expression) that waits at the gate; interruptible, and without the GIL."""
        return f"open({str(self._path)!r}).read()"

    def reached(self) -> None:
        """Wait until the cell is at the gate, where it stays."""
        self._held = os.open(self._path, os.O_WRONLY)

    def open(self) -> None:
        """Let the cell go on. Waits for a cell that is still on its way to the gate."""
        if self._held is None:
            self.reached()
        held, self._held = self._held, None
        if held is not None:
            os.close(held)
