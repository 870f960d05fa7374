"""A text stream that is a terminal's stand-in: what was written can be read as a person would see it."""

from __future__ import annotations

import io

import pyte

COLUMNS, ROWS = 40, 12


class Page(io.StringIO):
    """Says that it is a terminal, of `COLUMNS` by `ROWS`, and shows what one would show."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Whether this is a terminal: yes."""
        return True

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without the empty end."""
        screen = pyte.Screen(COLUMNS, ROWS)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        lines = [line.rstrip() for line in screen.display]
        while lines and not lines[-1]:
            del lines[-1]
        return lines
