"""Where the cursor is after some text was written: counted rows and columns, as the terminal moves. Pure.

Needed to begin a line where one is half written, and to go back over what a cell has shown (clear_output,
updated displays). An estimate where programs move the cursor themselves.
"""

from __future__ import annotations

import re

from holdfast.console.ansi import ESCAPE

EXACT_CHARACTERS = 20_000
"""Of a longer text only the end is followed to the character: the rest has scrolled away."""

LONGEST_LINE = 200_000
"""Characters before those in which the line they begin in is looked for."""

TAB = 8

FARTHEST = 10_000
"""Rows or columns in one step: more than any terminal has."""

_SAVE, _RESTORE = ("\x1b7", "\x1b[s"), ("\x1b8", "\x1b[u")

_STEP = re.compile(
    rf"(?P<escape>{ESCAPE.pattern})|(?P<control>[\x00-\x1f\x7f])|[^\x00-\x1f\x7f]+", re.VERBOSE
)
_MOVE = re.compile(r"\x1b\[(\d{0,6})([A-G`])")


class Extent:
    """A cursor that follows what is written on a terminal `width` columns wide; row 0 is where it began."""

    __slots__ = ("_saved", "column", "row", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.row = self.column = 0
        self._saved = (0, 0)

    def follow(self, text: str) -> None:
        """Move as the terminal does when `text` is written."""
        if len(text) > EXACT_CHARACTERS:
            exact = len(text) - EXACT_CHARACTERS
            # From the beginning of a line: an escape that draws a picture is long, and must not be cut.
            exact = text.rfind("\n", max(0, exact - LONGEST_LINE), exact) + 1 or exact
            self.row += text.count("\n", 0, exact)
            self.column, text = 0, text[exact:]
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
        if sequence in _SAVE:
            self._saved = self.row, self.column
        elif sequence in _RESTORE:
            self.row, self.column = self._saved
        elif move := _MOVE.fullmatch(sequence):
            self._move(min(int(move[1] or 1), FARTHEST) or 1, move[2])

    def _move(self, count: int, where: str) -> None:
        """Up, down, forward, back, to the next or previous line, to a column (ECMA-48, section 8.3)."""
        if where in "BE":
            self.row += count
        elif where in "AF":
            self.row -= count
        if where in "EF":
            self.column = 0
        elif where in "G`":
            self.column = min(self.width, count) - 1
        elif where == "C":
            self.column = min(self.width - 1, self.column + count)
        elif where == "D":
            self.column = max(0, min(self.column, self.width - 1) - count)


def columns(text: str) -> int:
    """Columns that printable `text` takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth  # noqa: PLC0415 - most text is ASCII

    return sum(max(0, wcwidth(character)) for character in text)
