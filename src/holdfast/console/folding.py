"""Our own words on a narrow terminal: broken between words, not within one. Pure.

Only what we say ourselves: what a cell prints is the cell's, and the terminal breaks it where it likes.
"""

from __future__ import annotations

import re

from holdfast.console.ansi import ESCAPE
from holdfast.console.extent import columns

_WORD = re.compile(r"( *)([^ ]+)")


def folded(text: str, width: int) -> str:
    """`text` in lines of at most `width` columns, where its words allow it."""
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    done, column = "", 0
    for gap, word in _WORD.findall(line):
        wide = columns(ESCAPE.sub("", word))
        if column and column + len(gap) + wide > width:
            done, column = f"{done}\n{word}", wide
        else:
            done, column = f"{done}{gap}{word}", column + len(gap) + wide
    return done
