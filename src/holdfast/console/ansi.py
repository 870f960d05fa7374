"""Colours and terminal escapes: the few we write ourselves, and what a terminal would answer. Pure.

Only the sixteen colours that every terminal theme has chosen for itself: readable on light and dark.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.protocol.terminal import Colours

IN = "32"
"""Green, as IPython's input prompt."""
IN_NUMBER = "92;1"
OUT = "31"
"""Red, as IPython's output prompt."""
OUT_NUMBER = "91;1"
WHO = "33;1"
"""Another client's name."""
NOTE = "90"
"""Holdfast's own words: grey, so that they are not taken for output."""
BAR = "36"
"""What is done of something, in a progress bar."""
WARNING = "33"
ERROR = "31;1"

ESCAPE = re.compile(
    r"""\x1b (?: \[ [0-?]* [ -/]* [@-~]                 # CSI: colours, cursor
              | \] [^\x07\x1b]* (?: \x07 | \x1b\\ )     # OSC: titles, links
              | Ptmux; (?: [^\x1b] | \x1b\x1b )* \x1b\\  # what tmux hands on, with its escapes doubled
              | [PX^_] [^\x1b]* \x1b\\                  # DCS, SOS, PM, APC: images
              | [ -/]* [0-~] )                          # the short ones
    """,
    re.VERBOSE,
)
"""One terminal escape (ECMA-48, section 5.4 and 8.3)."""

_QUESTION = re.compile(
    r"""[\x05\x80-\x9f]                                       # ENQ: who are you; and C1, see below
      | \x1b (?: Z                                          # the same, as DECID
              | \[ (?: [?>=]? [\d;]* c                      # the same, as DA1 to DA3
                    | \?? [\d;]* (?: n | \$p )              # state, cursor, modes: DSR, DECRQM
                    | \? [\d;]* [Sum]                      # graphics, keyboard, its modifiers
                    | > [\d;]* q                           # version: XTVERSION
                    | [\d;]* (?: x | \*y | \$[uw] | &u )   # line, checksum, tables
                    | (?: 1[1-9] | 2[01] ) [\d;]* t )       # window: sizes and titles
              | \] (?: [^\x07\x1b]* [;=]\? (?: ; [^\x07\x1b]* )?                 # OSC: colours, clipboard
                    | 1337; (?: Report | Capa | RequestU ) [^\x07\x1b]* )        # iTerm2's
                (?: \x07 | \x1b\\ )
              | P [$+] [qQ] [^\x1b]* \x1b\\                 # DECRQSS, XTGETTCAP, XTGETXRES
              | _G [^\x1b;]* a=q [^\x1b]* \x1b\\ )          # kitty's pictures
    """,
    re.VERBOSE,
)
"""What a terminal answers (xterm's ctlseqs), as if the user had typed it. The codes from 0x80 on (C1) are
short for an escape; nobody means them, and what they begin would have to be known in a second form."""

_MAY_ASK = re.compile(r"[\x05\x1b\x80-\x9f]")
"""Its first character: to look for that alone is ten times as fast."""

_STRINGS = "]P_^Xk"
"""What begins, behind an escape, a string of its own."""

_ST = "\x1b\\"
"""The end of a string; where there is none it means nothing, but ends a half written escape."""

_COLOUR = re.compile(r"\x1b\[[\d;:]*m")


def colours() -> Colours:
    """How many colours the terminal has, by what it says in its variables."""
    term = os.environ.get("TERM", "")
    if os.environ.get("NO_COLOR") or term in ("", "dumb"):
        return "none"
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return "truecolor"
    return "256" if "256color" in term or "kitty" in term or "ghostty" in term else "16"


def colourless() -> bool:
    """Whether the user wants no colours (no-color.org), or the terminal has none."""
    return colours() == "none"


def paint(text: str, colour: str) -> str:
    """`text` in a colour (SGR parameters), or as it is if there are to be none."""
    return text if colourless() else f"\x1b[{colour}m{text}\x1b[0m"


def drawn(text: str) -> str:
    """A traceback or a help page, as IPython has drawn it; without its colours if there are to be none."""
    return _COLOUR.sub("", text) if colourless() else text


def only_colours(text: str) -> str:
    """`text` of whose escapes only the colours are left."""
    return ESCAPE.sub(lambda found: found[0] if _COLOUR.fullmatch(found[0]) else "", text)


def unasking(text: str) -> str:
    """`text` without the questions to the terminal: whoever asks has another one, and we get the answer."""
    if _MAY_ASK.search(text) is None:
        return text
    told = _QUESTION.sub("", text)
    if told != text and _QUESTION.search(told):  # one was around the other
        return _QUESTION.sub(lambda _: _ST, text)
    return told


def unfinished(text: str) -> int:
    """Where an escape begins whose end is not in `text`; its length if there is none."""
    begin = text.rfind("\x1b")
    if begin < 0:
        return len(text)
    if begin == len(text) - 1:  # may be half of a string's end
        before = text.rfind("\x1b", 0, begin)
        return before if before >= 0 and text[before + 1] in _STRINGS else begin
    if text[begin + 1] in _STRINGS:
        return len(text) if text[begin + 1] == "]" and "\x07" in text[begin:] else begin
    found = ESCAPE.match(text, begin)
    return begin if found is None or found[0] == "\x1b[" else len(text)
