"""A picture that is ready to be drawn, and the place it takes. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """Columns and rows of characters, or pixels."""

    width: int
    height: int


class Picture(NamedTuple):
    """What to write, with the cursor at the beginning of a line; it is below the picture after that."""

    text: str
    rows: int
    forget: str = ""
    """What makes the terminal forget it, beside overwriting it."""


def placed(drawing: str, rows: int, forget: str = "") -> Picture:
    """A picture of `rows` rows that one escape draws, wherever that leaves the cursor."""
    # The room is made before, so that drawing scrolls nothing and the saved place stays what it is.
    room = "\n" * rows
    return Picture(f"{room}\x1b[{rows}A\x1b7{drawing}\x1b8\x1b[{rows}B", rows, forget)
