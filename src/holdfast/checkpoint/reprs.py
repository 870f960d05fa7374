"""What lost variables looked like: their repr, in a child, since a repr may hang, crash, or be huge."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from holdfast.checkpoint.children import Child, Say
from holdfast.checkpoint.reasons import one_line

LONGEST: Final = 120
"""Characters. They stand in a notice, and help to recognise a value, not to have it back."""

SECONDS: Final = 1.0
"""For one of them: it is a courtesy."""

MOST: Final = 100
"""Variables. Nobody reads more."""

_MOST_ACCIDENTS: Final = 5
"""Hangs or crashes after which the rest goes without."""


def last_reprs(lost: Mapping[str, object]) -> dict[str, str]:
    """Of as many as possible."""
    found: dict[str, str] = {}
    names = list(lost)[:MOST]
    for _ in range(_MOST_ACCIDENTS):
        left = names[len(found) :]
        if not left:
            break
        try:
            child = Child(partial(_say_all, {name: lost[name] for name in left}), SECONDS)
            child.listen(lambda told: found.update([msgspec.msgpack.decode(told, type=tuple[str, str])]))
        except OSError:
            break
        if len(found) < len(names):
            found[names[len(found)]] = ""  # this one was its end
    return {name: text for name, text in found.items() if text}


def _say_all(values: Mapping[str, object], say: Say) -> None:
    for name, value in values.items():
        say(msgspec.msgpack.encode((name, _repr(value))))


def _repr(value: object) -> str:
    try:
        return one_line(_short.repr(value), LONGEST)
    except BaseException:  # noqa: BLE001 - it is a foreign object's code
        return f"<{type(value).__qualname__}>"


_short = reprlib.Repr()
_short.maxstring = _short.maxother = LONGEST
