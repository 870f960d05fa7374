"""What cells have put out, written on a stream of ours: as it is, but on a terminal nothing that harms it.

It may be of another user, or of last year: a title, the clipboard, a question were for the terminal of then.
"""

from __future__ import annotations

import codecs
import functools
import os
from typing import IO, TextIO

from holdfast.client import start
from holdfast.config import places
from holdfast.console import sieve
from holdfast.console.modes import Modes

PIECE_BYTES = 65_536
"""That are read at once: what a pipe holds."""


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


def question(text: str, stream: TextIO) -> str:
    """What a cell asks, as it is to be written on `stream`."""
    return sieve.sifted(text, others=not _may_do_all()) if stream.isatty() else text


def relay(source: IO[bytes], stream: TextIO) -> None:
    """Write on `stream` what a command on another host puts out, as it comes, to its end."""
    shown, decoder = Foreign(stream), codecs.getincrementaldecoder("utf-8")("replace")
    while data := os.read(source.fileno(), PIECE_BYTES):
        shown.write(decoder.decode(data))
        shown.flush()
    shown.settle()
    shown.flush()


@functools.cache
def _may_do_all() -> bool:
    """Whether the user says so (`console.escapes`)."""
    if places.unsaid(os.environ) and not start.given:
        return False
    from holdfast.config import layers  # noqa: PLC0415 - 30 ms, and mostly nothing is set

    return layers.look(None, start.given).tree().console.escapes == "all"
