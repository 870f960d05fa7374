"""What the text of cells may do to the terminal: what passes is listed, not what must not. Pure.

`Strict` is for text of others: colours, links to the web, moves within what the same text has written. What
it lets through are whole escapes of known forms, so no terminal can read them otherwise than we have.
`Lenient` is for what the user runs here: a program may do what it may without us, but for questions, since
their answers would be typed into the prompt. Both take text piece by piece, cut anywhere.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, Protocol

from holdfast.console import ansi

STRING_CHARACTERS = 4_000_000
"""Of an escape that is a string of its own (pictures, titles) so many are swallowed while its end does not
come: the largest pictures fit. What follows then is text, or a program that forgot the end would be mute."""

LINK_CHARACTERS = 4_096
"""Of a link. VTE takes 2,083 of its address."""

HELD_CHARACTERS = 100_000
"""Of an escape of one's own that wait for its end; a longer one goes on as it is."""

_ESC = "\x1b"

_PLAIN = re.compile(r"(?:[^\x00-\x06\x0b\x0c\x0e-\x1f\x7f-\x9f]++|\x1b\[[\d;:]{0,80}m)++", re.ASCII)
"""Text without control characters but bell, backspace, tab, newline and carriage return, and colours in it:
mostly all there is, so it is found at once. Characters from 0x80 on (C1) are escapes by themselves, in UTF-8
too."""

_CONTROL = re.compile(r"\x1b\[([0-?]{0,80})([ -/]{0,2})")
"""A control sequence (CSI) but for its last character. 80 characters are all that a colour needs."""

_SHORT = re.compile(r"\x1b[ -/]{1,4}")
"""The beginning of an escape without parameters: character sets, and the like."""

_STRINGS = "]P_^Xk"
"""What begins, behind ESC, a string of its own: OSC, DCS, APC, PM, SOS, and titles as screen has them."""

_STRING_END = re.compile(r"[\x07\x18\x1a\x1b]")
"""BEL, CAN, SUB, and ESC: the string's own end is ESC \\, any other escape ends it too (VT500's parser)."""

_COUNT = re.compile(r"\d{0,5}", re.ASCII)

_LINK = re.compile(r"(?:id=[\w.-]{1,250})?;(?:(?:https?://|mailto:)[!-~]+)?", re.ASCII)
"""OSC 8, behind its number. The terminal shows where it leads, and opens it only when the user clicks. Not
file: such a name is one of the other host, what is opened is a file or a program of this one. Nor any other
scheme, since each starts a program that takes what it is given."""

_NO_LINK = "\x1b]8;;\x1b\\"


Escapes = Literal["safe", "all"]


class Trust(NamedTuple):
    """Whose text a console takes for its user's own."""

    elsewhere: bool = False
    """The session is on another host: all of it is others' text."""
    escapes: Escapes = "safe"
    """The setting: `all` takes everything for one's own."""

    def others(self, *, mine: bool) -> bool:
        """Whether the text of a cell is others'; `mine`: it was run here."""
        return self.escapes == "safe" and (self.elsewhere or not mine)


ONLY_OWN = Trust()


class Sieve(Protocol):
    """For the text of one cell, in the order in which it is written."""

    def through(self, text: str) -> str:
        """What of `text`, and of what was held back, may be written. The beginning of an escape is held."""

    def stay(self) -> None:
        """Something else was written: it can't be gone back over."""

    def restart(self) -> None:
        """What was written is over: nothing is held, and nothing can be gone back to."""


class Strict:
    """For text of others."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """As `Sieve` has it."""
        self._held = ""
        self._swallowed: int | None = None
        """Characters of a string whose end has not come; None: there is none."""
        self.stay()

    def stay(self) -> None:
        """As `Sieve` has it."""
        self._row = self._deepest = 0
        """Below the line in which this text began: so far it may go back up, and no farther."""

    def through(self, text: str) -> str:
        """As `Sieve` has it."""
        if not self._held and self._swallowed is None and _PLAIN.fullmatch(text):
            self._down(text)
            return text
        text, self._held = self._held + text, ""
        passed: list[str] = []
        place = 0
        while place < len(text):
            if self._swallowed is not None:
                place = self._swallow(text, place)
            elif plain := _PLAIN.match(text, place):
                self._down(plain[0])
                passed.append(plain[0])
                place = plain.end()
            elif text[place] == _ESC:
                place = self._escape(text, place, passed)
            else:
                place += 1
        return "".join(passed)

    def _down(self, plain: str) -> None:
        self._row += plain.count("\n")
        self._deepest = max(self._deepest, self._row)

    def _hold(self, text: str, place: int) -> int:
        """What follows decides."""
        self._held = text[place:]
        return len(text)

    def _swallow(self, text: str, place: int) -> int:
        """Go on within a string: the place of what comes behind it."""
        assert self._swallowed is not None
        most = place + STRING_CHARACTERS - self._swallowed
        end = _STRING_END.search(text, place, most)
        if end is None:
            place_now = min(len(text), most)
            self._swallowed = None if place_now == most else self._swallowed + place_now - place
            return place_now
        if end[0] == _ESC and end.end() == len(text):
            self._swallowed += end.start() - place
            return self._hold(text, end.start())
        self._swallowed = None
        return _behind(text, end)

    def _escape(self, text: str, place: int, passed: list[str]) -> int:
        """An escape at `place`: let it through, drop it or hold it; the place of what comes behind it."""
        kind = text[place + 1 : place + 2]
        if not kind:
            return self._hold(text, place)
        if kind == "[":
            return self._control(text, place, passed)
        if kind == "]" and "8;".startswith(text[place + 2 : place + 4]):
            return self._link(text, place, passed)
        if kind in _STRINGS:
            self._swallowed = 0
            return place + 2
        if " " <= kind <= "/":
            begun = _SHORT.match(text, place)
            assert begun is not None
            if begun.end() == len(text):
                return self._hold(text, place)
            return begun.end() + ("0" <= text[begun.end()] <= "~")
        return place + 1 + ("0" <= kind <= "~")

    def _control(self, text: str, place: int, passed: list[str]) -> int:
        begun = _CONTROL.match(text, place)
        assert begun is not None
        if begun.end() == len(text):
            return self._hold(text, place)
        final = text[begun.end()]
        if not "@" <= final <= "~":
            return begun.end()  # it is none
        if not begun[2]:
            passed.append(self._allowed(begun[1], final))
        return begun.end() + 1

    def _allowed(self, parameters: str, final: str) -> str:
        """A control sequence that is no colour, or what is left of it."""
        whole = f"\x1b[{parameters}{final}"
        if final == "K":
            return whole if parameters in ("", "0", "1", "2") else ""
        if final == "J":  # below the cursor: above it there may be others' text
            return whole if parameters in ("", "0") else ""
        if final not in "ABCDEFG" or not _COUNT.fullmatch(parameters):
            return ""
        if final in "CDG":
            return whole
        count = max(1, int(parameters or 1))
        count = min(count, self._row if final in "AF" else self._deepest - self._row)
        self._row += -count if final in "AF" else count
        if not count:
            return "\r" if final in "EF" else ""
        return f"\x1b[{count}{final}"

    def _link(self, text: str, place: int, passed: list[str]) -> int:
        begin = place + len("\x1b]8;")
        end = _STRING_END.search(text, begin, place + LINK_CHARACTERS)
        if end is None and len(text) < place + LINK_CHARACTERS:
            return self._hold(text, place)
        if end is None:
            self._swallowed = 0
            return begin
        if end[0] == _ESC and end.end() == len(text):
            return self._hold(text, place)
        behind = _behind(text, end)
        is_whole = end[0] == "\x07" or behind == end.start() + 2
        is_good = is_whole and _LINK.fullmatch(text, begin, end.start())
        passed.append(text[place:behind] if is_good else _NO_LINK)  # nor may the link before it go on
        return behind


class Lenient:
    """For the text of one's own."""

    def __init__(self) -> None:
        self._held = ""

    def stay(self) -> None:
        """As `Sieve` has it: one's own may go where it likes."""

    def restart(self) -> None:
        """As `Sieve` has it."""
        self._held = ""

    def through(self, text: str) -> str:
        """As `Sieve` has it."""
        text = self._held + text
        end = ansi.unfinished(text)
        if len(text) - end > HELD_CHARACTERS:
            end = len(text)
        whole, self._held = text[:end], text[end:]
        return ansi.unasking(whole)


def sieve(*, others: bool) -> Sieve:
    """For the text of one cell; `others`: of somebody else's, or of another host."""
    return Strict() if others else Lenient()


def sifted(text: str, *, others: bool) -> str:
    """`text` that is whole: what of it may be written."""
    return sieve(others=others).through(text)


def _behind(text: str, end: re.Match[str]) -> int:
    """Where a string is over; of an escape that is not its own end, where that begins."""
    if end[0] != _ESC:
        return end.end()
    return end.start() + 2 if text[end.start() + 1] == "\\" else end.start()
