"""Where the cursor is after some text was written: counted rows and columns, as the terminal moves. Pure.

Needed to begin a line where one is half written, and to go back over what a cell has shown (clear_output,
updated displays). An estimate where programs move the cursor themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from holdfast.console.ansi import ESCAPE

EXACT_CHARACTERS = 20_000
"""Of a longer text only the end is followed to the character: the rest has scrolled away."""

TAB = 8

_STEP = re.compile(
    rf"(?P<escape>{ESCAPE.pattern})|(?P<control>[\x00-\x1f\x7f])|[^\x00-\x1f\x7f]+", re.VERBOSE
)
_VERTICAL = re.compile(r"\x1b\[(\d*)([AB])")


@dataclass(slots=True)
class Extent:
    """A cursor that follows what is written on a terminal `width` columns wide; row 0 is where it began."""

    width: int
    row: int = 0
    column: int = 0

    def follow(self, text: str) -> None:
        """Move as the terminal does when `text` is written."""
        if len(text) > EXACT_CHARACTERS:
            early, text = text[:-EXACT_CHARACTERS], text[-EXACT_CHARACTERS:]
            self.row += early.count("\n")
            self.column = 0
        for step in _STEP.finditer(text):
            if step.lastgroup == "escape":
                self._escape(step[0])
            elif step.lastgroup == "control":
                self._control(step[0])
            else:
                self._advance(columns(step[0]))

    def _advance(self, count: int) -> None:
        # The terminal wraps when the character after the last column comes, not before.
        end = self.column + count
        rows = max(0, end - 1) // self.width
        self.row += rows
        self.column = end - rows * self.width

    def _control(self, character: str) -> None:
        if character == "\n":
            self.row, self.column = self.row + 1, 0
        elif character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(0, min(self.column, self.width - 1) - 1)
        elif character == "\t":
            self.column = min(self.width - 1, (self.column // TAB + 1) * TAB)

    def _escape(self, sequence: str) -> None:
        vertical = _VERTICAL.fullmatch(sequence)
        if vertical:
            rows = int(vertical[1] or 1)
            self.row += rows if vertical[2] == "B" else -rows


def columns(text: str) -> int:
    """Columns that printable `text` takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth  # noqa: PLC0415 - most text is ASCII

    return sum(max(0, wcwidth(character)) for character in text)
