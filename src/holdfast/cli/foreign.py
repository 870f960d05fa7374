"""What cells have put out, written on a stream of ours: as it is, but on a terminal nothing that harms it.

It may be of another user, or of last year: a title, the clipboard, a question were for the terminal of then.
"""

from __future__ import annotations

from typing import TextIO

from holdfast.console import ansi
from holdfast.console.modes import Modes

HELD = 100_000
"""Characters of an escape that wait for its end, which may come with the next piece; a longer one is none."""


class Foreign:
    """On one stream. A file or a pipe gets everything."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._modes = Modes()
        self._half = ""

    def write(self, text: str) -> None:
        """One piece of it."""
        if not self._is_terminal:
            self._stream.write(text)
            return
        text = self._half + text
        end = ansi.unfinished(text)
        whole, self._half = text[:end], text[end:]
        if len(self._half) > HELD:
            whole, self._half = text[:end] + ansi.visible(self._half), ""
        whole = ansi.harmless(whole)
        self._modes.follow(whole)
        self._stream.write(whole)

    def settle(self) -> None:
        """What put it out is over: the terminal is as it was."""
        self._half = ""
        self._stream.write(self._modes.usual())

    def flush(self) -> None:
        """Show it."""
        self._stream.flush()
