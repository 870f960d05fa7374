"""What `known_hosts` says: which key a host had when it was first gone to. Pure: text in, text out.

tcp://gpu-3:5555 curve:rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
"""

from __future__ import annotations

from typing import NamedTuple

from holdfast import z85
from holdfast.keys.authorized import says_something


class Known(NamedTuple):
    """A line that names a host's key."""

    key: str
    line: int


def find(text: str, host: str) -> Known | None:
    """The key of `host`, in the first line that has one."""
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if says_something(line) and len(words) == 2 and words[0] == host:
            key = z85.read(words[1])
            if key is not None:
                return Known(key, number)
    return None


def added(text: str, host: str, key: str) -> str:
    """The file with one more line."""
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{host} {z85.shown(key)}\n"
