"""A program's output as lines: what is shown now, and what may yet turn out to be a question. Pure.

The end of the output that is no whole line is held back for a moment: if the program then waits for its
keyboard, that is what it asks. What the terminal echoes of an answer is not shown, since the frontend shows
the answer; and who draws a whole screen, which no cell has, is found out.
"""

from __future__ import annotations

import re

HELD_CHARACTERS = 4_096
"""Of a line without an end: no question is so long."""

_ESCAPE = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, movements, modes
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: a window's title
    r"|[ -/]*[0-Z\\^-~])"
)
"""Of ECMA-48, what programs send."""

_LONGEST_ESCAPE = 32
"""Of those that draw; looked back so far when a text came in pieces."""

_TAKES_SCREEN = re.compile(r"\x1b\[\?(?:47|1047|1049)h")
"""To the alternate screen: editors, pagers, monitors."""

_DRAWS = re.compile(r"\x1b\[\?1h\x1b=|\x1b\[6n|\x1b\[(?:\d+(?:;\d*)?)?H")
"""Keys as of a full screen; where is the cursor; go there: of a program that reads keys, it says the same."""

_PASTE = re.compile(r"\x1b\[\?2004[hl]\r?")
"""How pasted text is marked: a cell's frontend sends lines, pasted or not."""


def plain(text: str) -> str:
    """The last line of `text` as a question: without colours and what was written over."""
    return _ESCAPE.sub("", text).rstrip("\r").rpartition("\r")[2]


class Lines:
    """What a program has written, as it comes."""

    def __init__(self) -> None:
        self.held = ""
        """Not shown yet: the end of the last line."""
        self.open = False
        """The last line has no end yet, whether it is shown or not."""

    def feed(self, text: str) -> str:
        """Take what was written; returns what is to be shown now."""
        if not text:
            return ""
        whole, newline, rest = _PASTE.sub("", self.held + text).rpartition("\n")
        self.held = rest
        self.open = bool(rest) or (self.open and not newline)
        if len(rest) > HELD_CHARACTERS:
            return whole + newline + self.take()
        return whole + newline

    def take(self) -> str:
        """What was held: it is shown, or asked, after all."""
        held, self.held = self.held, ""
        return held


class Echo:
    """Takes the terminal's echo of an answer out of what comes next."""

    def __init__(self) -> None:
        self._expected = ""
        self._swallowed = ""

    def expect(self, typed: str) -> None:
        """`typed` and Enter were typed; "": Enter alone is shown, as after a password."""
        self._expected = "".join(_shown(each) for each in typed) + "\n"
        self._swallowed = ""

    def without(self, text: str) -> str:
        """`text` without the echo. What only began like it is given back."""
        at = 0
        while self._expected and at < len(text):
            if text[at] == self._expected[0]:
                self._expected = self._expected[1:]
                step = 1
            elif text[at] == "\r":
                step = 1
            elif found := _ESCAPE.match(text, at):
                step = found.end() - at
            else:
                return self.give_up() + text[at:]
            self._swallowed += text[at : at + step]
            at += step
        if not self._expected:
            self._swallowed = ""
        return text[at:]

    def give_up(self) -> str:
        """No more of it will come; what was kept for it."""
        swallowed, self._swallowed, self._expected = self._swallowed, "", ""
        return swallowed


class Takeover:
    """Finds out when a program begins to draw a whole screen."""

    def __init__(self) -> None:
        self._before = ""

    def find(self, text: str, *, keys: bool) -> int | None:
        """Where in `text` it begins, if it does. `keys`: the program reads single keys, not lines."""
        seen, before = self._before + text, len(self._before)
        self._before = seen[-_LONGEST_ESCAPE:]
        for wanted in (_TAKES_SCREEN, _DRAWS) if keys else (_TAKES_SCREEN,):
            for found in wanted.finditer(seen):
                if found.end() > before:
                    return max(0, found.start() - before)
        return None


def _shown(character: str) -> str:
    """As a terminal echoes it (ECHOCTL, termios(3))."""
    control = character < " " and character not in "\t\n"
    return "^" + chr(ord(character) + 0x40) if control else character
