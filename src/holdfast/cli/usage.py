"""How errors read on the command line: one line what, one line what to try. And whether colours."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from holdfast.errors import HoldfastError, NoSuchSession
from holdfast.visible import visible

_OPENS = {"attach", "a", "connect"}
"""Commands that would have had the session made, were there one: the others have nothing to do with `new`."""


class UsageError(HoldfastError):
    """The command line can't be understood, or asks for what can't be: exit status 2."""


def complain(error: HoldfastError, command: Sequence[str] = ()) -> int:
    """Print `error` on stderr; the exit status it has. `command`: what was typed, to be offered put right."""
    print(f"holdfast: {visible(error.what)}", file=sys.stderr)
    remedy = _corrected(error, command) if isinstance(error, NoSuchSession) and command else error.remedy
    if remedy:
        print(f"try: {visible(remedy)}", file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


def tell(line: str) -> None:
    """Words of our own: on stderr, so that they never mix with what a program printed."""
    print(visible(line), file=sys.stderr)


def as_typed(words: Sequence[str]) -> str:
    """A command line, such that a shell would take it."""
    import shlex  # noqa: PLC0415 - only for a mistake

    return shlex.join(["holdfast", *words])


def has_colours(stream: TextIO) -> bool:
    """Whether what is written there may have escapes in it (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _corrected(error: NoSuchSession, command: Sequence[str]) -> str | None:
    if not error.name:  # there is none at all
        return error.remedy
    if error.near is None or error.name not in command:
        return error.remedy if command[0] in _OPENS else "holdfast ls"
    words = [error.near if word == error.name else word for word in command]
    return f"{as_typed(words)}   (or: holdfast ls)"
