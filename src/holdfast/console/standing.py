"""A prompt that stands before anybody reads it: how it goes away for what takes its place. Pure."""

from __future__ import annotations


class Standing:
    """At most one, on the line below the output; the cursor is behind it."""

    def __init__(self) -> None:
        self._column: int | None = None

    def begin(self, column: int) -> None:
        """It was drawn, on one line; the output above it ends in `column`."""
        self._column = column

    def left(self) -> bool:
        """Whether it stands; from now on it is a line like all others."""
        column, self._column = self._column, None
        return column is not None

    def taken_away(self) -> str:
        """What makes it vanish and puts the cursor behind the output; "" if none stands."""
        column, self._column = self._column, None
        if column is None:
            return ""
        return "\r\x1b[A" + (f"\x1b[{column}C" if column else "") + "\x1b[J"
