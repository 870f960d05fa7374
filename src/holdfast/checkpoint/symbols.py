"""What a frame of the stream names rather than makes: strings, and what is imported. By reading alone.

Frames refer to each other's names, since a name is written once. So of a frame that can't be loaded its names
are still taken: else one damaged array would cost every other that comes after it.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple


class Global(NamedTuple):
    """Something that is imported."""

    module: str
    name: str


Symbol = str | Global

_STRINGS: Final = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
_GETS: Final = {"BINGET", "LONG_BINGET"}
_NOT_PUSHED: Final = {"PROTO", "FRAME", "MEMOIZE"}


def symbols(data: bytes, first: int, known: Callable[[int], object]) -> dict[int, Symbol]:
    """By number in the memo, of a frame that starts at number `first`; `known` are those of frames before.

    `data` may be only the beginning of the frame.
    """
    found: dict[int, Symbol] = {}
    number = first
    before, top = None, None  # what was pushed last, as far as it is a symbol
    for opcode, argument in _read(data):
        if opcode == "MEMOIZE":
            if top is not None:
                found[number] = top
            number += 1
        elif opcode not in _NOT_PUSHED:
            before, top = top, _pushed(opcode, argument, before, top, lambda n: found.get(n) or known(n))
    return found


def references(data: bytes) -> Iterator[int]:
    """Numbers in the memo that a frame asks for."""
    return (argument for opcode, argument in _read(data) if opcode in _GETS and isinstance(argument, int))


def _pushed(
    opcode: str, argument: object, before: Symbol | None, top: Symbol | None, of: Callable[[int], object]
) -> Symbol | None:
    if opcode in _STRINGS:
        return str(argument)
    if opcode in _GETS and isinstance(argument, int):
        found = of(argument)
        return found if isinstance(found, str | Global) else None
    if opcode == "STACK_GLOBAL" and isinstance(before, str) and isinstance(top, str):
        return Global(before, top)
    return None


def _read(data: bytes) -> Iterator[tuple[str, object]]:
    try:
        for opcode, argument, _ in pickletools.genops(data):
            yield opcode.name, argument
    except ValueError:
        return  # it is cut off here
