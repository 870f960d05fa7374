"""Text of somebody else among words of ours: what would steer a terminal is shown, not obeyed. Pure."""

from __future__ import annotations

import re

_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters but newline and tab; those that are an escape of one character (C1, in UTF-8 too); and
those that begin a line or turn the order of what is read: code must not look otherwise than it is."""


def visible(text: str) -> str:
    """`text` with them made visible."""
    return _STEERS.sub(lambda match: repr(match[0])[1:-1], text)


def in_line(text: str) -> str:
    """The same, on one line: a name, or what else stands among words of ours."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


NAME_CHARACTERS = 100
"""Of what a client calls its user or itself: user names have 32, mail addresses and UUIDs fit as well."""


def as_name(text: str) -> str:
    """What a client calls its user or itself, as everybody else is told of it."""
    if len(text) <= NAME_CHARACTERS and text.isprintable():
        return text
    return in_line(text[:NAME_CHARACTERS])[:NAME_CHARACTERS]
