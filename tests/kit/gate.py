"""A gate that a cell waits at until the test opens it: a fifo, so that nobody sleeps or polls."""

from __future__ import annotations

import os
from pathlib import Path


class Gate:
    """Put `gate.wait` into a cell; the cell stops there until `open()`. One cell, once."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path

    @property
    def wait(self) -> str:
        """Code (an expression) that waits at the gate; interruptible, and without the GIL."""
        return f"open({str(self._path)!r}).read()"

    def open(self) -> None:
        """Let the cell go on. Waits for a cell that is still on its way to the gate."""
        with self._path.open("w"):
            pass
