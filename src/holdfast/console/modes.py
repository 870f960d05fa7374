"""Modes of the terminal that a cell has switched and not switched back: it crashed, or was careless. Pure.

The cell is gone, the terminal is still ours: mouse reports would be typed into the prompt, and what is shown
on the other screen is lost.
"""

from __future__ import annotations

import re

_MOUSE = frozenset({9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016})
"""These send something when the mouse moves, or the window gets the focus."""

_OTHER_SCREEN = frozenset({47, 1047, 1049})

_OFF = frozenset({1, *_MOUSE, *_OTHER_SCREEN, 2026})
"""Usually off: also the other codes of arrow keys, and to hold back what is drawn."""

_ON = frozenset({7, 25})
"""Usually on: to wrap long lines, to show the cursor."""

_SWITCH = re.compile(r"\x1b\[\?([\d;]{1,40})([hl])")
"""DECSET and DECRST (xterm's ctlseqs)."""

_NUMBERS = re.compile(r"\d{1,4}")


class Modes:
    """What is not as usual now."""

    def __init__(self) -> None:
        self._switched: set[int] = set()

    def follow(self, text: str) -> None:
        """`text` was written."""
        if "\x1b[?" not in text:
            return
        for switch in _SWITCH.finditer(text):
            for mode in map(int, _NUMBERS.findall(switch[1])):
                if mode in (_OFF if switch[2] == "h" else _ON):
                    self._switched.add(mode)
                else:
                    self._switched.discard(mode)

    def usual(self) -> str:
        """What makes all of them as usual; where the other screen goes, a line is begun on ours."""
        switched, self._switched = self._switched, set()
        back = "".join(f"\x1b[?{mode}{'h' if mode in _ON else 'l'}" for mode in sorted(switched))
        return f"{back}\r\n" if switched & _OTHER_SCREEN else back
