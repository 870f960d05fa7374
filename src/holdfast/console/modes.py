"""Modes of the terminal that a cell has switched and not switched back: it crashed, or was careless. Pure.

The cell is gone, the terminal is still ours: mouse reports would be typed into the prompt, that would be
drawn in another character set, and what is shown on the other screen is lost.
"""

from __future__ import annotations

import re

_SENDS = frozenset({9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2031, 2048})
"""These send something when the mouse moves, or the window gets the focus, other colours, a size."""

_OTHER_SCREEN = frozenset({"?47", "?1047", "?1049"})

_ORIGIN = 6
"""Rows are counted from the scroll region's first."""

_OFF = frozenset({1, 5, _ORIGIN, 66, 69, *_SENDS, 47, 1047, 1049, 2026})
"""Usually off, also: other codes of arrow keys and of the keypad, all in reverse, margins at the sides, and
to hold back what is drawn. Not 2004: the prompt switches it for itself."""

_ON = frozenset({7, 25})
"""Usually on: to wrap long lines, to show the cursor."""

_ANSI_OFF = frozenset({2, 4, 20})
"""Of the modes without a question mark: keyboard locked, insert, newline for return."""
_ANSI_ON = frozenset({12})
"""That the terminal does not show by itself what is typed."""

_SWITCH = re.compile(
    r"""\x0e | \x1b (?: \[ (?: (?P<kind>\??) (?P<modes>[\d;]{1,40}) (?P<to>[hl])    # DECSET, SM
                           | (?P<region>[\d;]{0,40}) r                            # DECSTBM
                           | (?P<keys>[<=>]) (?P<flags>[\d;]{0,40}) u              # kitty's keyboard
                           | (?P<modifiers>>[\d;]{1,40}m)                         # XTMODKEYS
                           | (?P<shape>\d{0,4}\x20q)                              # DECSCUSR
                           | (?P<soft>!p) )                                       # DECSTR
                   | (?P<hard>c) | (?P<keypad>[=>])                               # RIS, DECKPAM
                   | (?P<set>[()] [^\x1b] | %[@G] | [no]) )                       # character sets
    """,
    re.VERBOSE,
)
"""What switches something that stays (xterm's ctlseqs)."""

_INK = re.compile(r"\x1b\[([\d;:]*)m")
_LINK = re.compile(r"\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]*)(?:\x07|\x1b\\)")
_NUMBERS = re.compile(r"\d{1,4}")

_NO_INK, _NO_LINK = "\x1b[0m", "\x1b]8;;\x1b\\"

_USUAL_SET = "\x1b(B\x1b)B\x0f"
_LAST_ROW = "\x1b[999B"


class Modes:
    """What is not as usual now."""

    def __init__(self) -> None:
        self._undo: dict[str, str] = {}
        """What was switched, in its order, and what switches it back."""
        self._inked = self._linked = False

    def follow(self, text: str) -> None:
        """`text` was written; no escape in it is cut."""
        if "\x1b" not in text and "\x0e" not in text:
            return
        for switch in _SWITCH.finditer(text):
            self._take(switch)
        if (ink := _last(_INK, text)) is not None:
            self._inked = ink.strip("0") != ""
        if (link := _last(_LINK, text)) is not None:
            self._linked = link != ""

    def ink(self) -> str:
        """What makes the text that comes next plain: no colour, no link."""
        plain = _NO_INK * self._inked + _NO_LINK * self._linked
        self._inked = self._linked = False
        return plain

    def usual(self) -> str:
        """What makes all as usual, the last first. Where the screen or the cursor goes, a line is begun."""
        undo, self._undo = self._undo, {}
        back = "".join(reversed(undo.values()))
        homes = _LAST_ROW if undo.keys() & {"region", f"?{_ORIGIN}"} else ""
        line = "\r\n" if homes or undo.keys() & _OTHER_SCREEN else ""
        return f"{back}{homes}{self.ink()}{line}"

    def _take(self, switch: re.Match[str]) -> None:
        if switch["modes"] is not None:
            self._set(switch["kind"], switch["modes"], on=switch["to"] == "h")
        elif switch["soft"] or switch["hard"]:
            self._undo.clear()
            self._inked = self._linked = False
        elif switch["region"] is not None:
            self._keep("region", "\x1b[r", is_on=switch["region"] != "")
        elif switch["keys"]:
            self._keyboard(switch["keys"], switch["flags"])
        elif switch["modifiers"]:
            self._keep("modifiers", "\x1b[>4m", is_on=switch["modifiers"] != ">4m")
        elif switch["shape"]:
            self._keep("shape", "\x1b[0 q", is_on=switch["shape"][0] not in "0 ")
        elif switch["keypad"]:
            self._keep("keypad", "\x1b>", is_on=switch["keypad"] == "=")
        else:
            self._charset(switch["set"] or switch[0])

    def _charset(self, what: str) -> None:
        if what[0] == "%":
            self._keep("encoding", "\x1b%G", is_on=what == "%@")
        elif what not in ("(B", ")B") or "set" in self._undo:
            self._undo["set"] = _USUAL_SET

    def _set(self, kind: str, modes: str, *, on: bool) -> None:
        usually_on, usually_off = (_ON, _OFF) if kind else (_ANSI_ON, _ANSI_OFF)
        for mode in map(int, _NUMBERS.findall(modes)):
            if mode in usually_on | usually_off:
                back = "h" if mode in usually_on else "l"
                self._keep(f"{kind}{mode}", f"\x1b[{kind}{mode}{back}", is_on=on == (mode in usually_off))

    def _keyboard(self, how: str, flags: str) -> None:
        """Flags are set, or pushed on a stack of them, or some are taken off it."""
        if how == "=":
            self._keep("keys", "\x1b[=0u", is_on=flags.partition(";")[0].strip("0") != "")
            return
        pushed = [name for name in self._undo if name.startswith("keys ")]
        if how == ">":
            self._undo[f"keys {len(pushed)}"] = "\x1b[<u"
        for name in pushed[::-1][: int((_NUMBERS.findall(flags) or ["1"])[0])] if how == "<" else ():
            del self._undo[name]

    def _keep(self, name: str, back: str, *, is_on: bool) -> None:
        self._undo.pop(name, None)
        if is_on:
            self._undo[name] = back


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    """The first group of the last escape of this form: mostly the last escape of all."""
    place = text.rfind("\x1b")
    while place >= 0:
        if found := pattern.match(text, place):
            return found[1]
        place = text.rfind("\x1b", 0, place)
    return None
