"""What cells have put out, written on a stream of ours: as it is, but on a terminal nothing that harms it.

It may be of another user, or of last year: a title, the clipboard, a question were for the terminal of then.
"""

from __future__ import annotations

import functools
import os
from typing import TextIO

from holdfast.client import start
from holdfast.config import places
from holdfast.console import sieve
from holdfast.console.modes import Modes


class Foreign:
    """On one stream. A file or a pipe gets everything."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._sieve = sieve.sieve(others=not _may_do_all()) if stream.isatty() else None
        self._modes = Modes()

    def write(self, text: str) -> None:
        """One piece of it."""
        if self._sieve is not None:
            text = self._sieve.through(text)
            self._modes.follow(text)
        self._stream.write(text)

    def settle(self) -> None:
        """What put it out is over: the terminal is as it was."""
        if self._sieve is not None:
            self._sieve.restart()
        self._stream.write(self._modes.usual())

    def flush(self) -> None:
        """Show it."""
        self._stream.flush()


@functools.cache
def _may_do_all() -> bool:
    """Whether the user says so (`console.escapes`)."""
    if places.unsaid(os.environ) and not start.given:
        return False
    from holdfast.config import layers  # noqa: PLC0415 - 30 ms, and mostly nothing is set

    return layers.look(None, start.given).tree().console.escapes == "all"
