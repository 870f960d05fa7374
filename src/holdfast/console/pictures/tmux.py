"""tmux between us and the terminal: what it lets through, and how that is wrapped (tmux(1)).

It is asked itself: the variables of the terminal outside are those of whoever started tmux, maybe long ago.
"""

from __future__ import annotations

import subprocess
from typing import NamedTuple

ASK_SECONDS = 2.0
"""For tmux to answer a command: it takes milliseconds, and more on a busy machine; the first picture waits.
It is drawn in blocks if nothing comes."""

MOST_CHARACTERS = 1_000_000
"""Of one escape: tmux throws away longer ones (its INPUT_BUF_DEFAULT_SIZE)."""

_QUESTION = "\t".join(
    f"#{{{name}}}"
    for name in ("allow-passthrough", "client_termname", "client_termtype", "client_termfeatures")
)


class Outside(NamedTuple):
    """The terminal around tmux."""

    passes: bool
    """tmux hands on what is wrapped for it."""
    term: str
    """Its TERM."""
    kind: str
    """What it calls itself: `iTerm2 3.5`; empty if it does not, or to an old tmux."""
    features: frozenset[str]
    """What tmux itself can do with it: `sixel`, `RGB`."""


def look_outside() -> Outside | None:
    """What is around the tmux that we are in; None if it does not say."""
    command = ["tmux", "display-message", "-p", _QUESTION]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    answer = asked.stdout.rstrip("\n").split("\t")
    if len(answer) != 4:
        return None
    passes, term, kind, features = answer
    # Before tmux 3.3 there was no such option, and everything passed. Of a choice it tells the number.
    return Outside(passes not in ("0", "off"), term, kind, frozenset(features.split(",")))


def passed_through(escape: str) -> str:
    """`escape` for the terminal around tmux."""
    return "\x1bPtmux;" + escape.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def drawn_through(drawing: str) -> str:
    """An escape that draws where the cursor is: tmux moves the real one only when a character is written."""
    return " " + passed_through("\x1b[D" + drawing)
