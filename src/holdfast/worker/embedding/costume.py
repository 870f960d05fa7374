"""What cells of an embedded program find in place of its own: streams, `input`, debuggers, hooks.

Put on before a cell, taken off after it: whatever the program does between cells, it does as itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

from holdfast.worker.template import LOWEST_FD

_ABSENT = object()
_libc = ctypes.CDLL(None)


class Costume:
    """Some names in modules and classes, each with the value that the program gave it and that of cells."""

    def __init__(self, *places: tuple[object, str]) -> None:
        """What is there now is the program's."""
        self._places = places
        self._theirs = self._look()
        self._ours = self._theirs

    def put_on(self) -> None:
        """Cells' values stand."""
        self._theirs = self._look()
        self._set(self._ours)

    def take_off(self) -> None:
        """The program's values stand; what a cell has changed it finds again next time."""
        self._ours = self._look()
        self._set(self._theirs)

    def _look(self) -> list[object]:
        return [getattr(module, name, _ABSENT) for module, name in self._places]

    def _set(self, values: list[object]) -> None:
        for (module, name), value in zip(self._places, values, strict=True):
            if value is not _ABSENT:
                setattr(module, name, value)
            elif hasattr(module, name):
                delattr(module, name)


class Outputs:
    """Descriptors 1 and 2, to which C code and subprocesses write: the cell's client reads them meanwhile."""

    def __init__(self, pipes: tuple[int, int]) -> None:
        self._pipes = dict(zip((1, 2), pipes, strict=True))
        self._theirs = {number: _kept(number) for number in self._pipes}

    def close(self) -> None:
        """Let go of all but 1 and 2 themselves."""
        for number in (*self._pipes.values(), *self._theirs.values()):
            if number is not None:
                os.close(number)

    @contextlib.contextmanager
    def to_the_client(self) -> Iterator[None]:
        """What is written until the end goes to the client; what was written before, does not."""
        _flush()
        for number, pipe in self._pipes.items():
            if self._theirs[number] is not None:
                os.dup2(pipe, number)
        try:
            yield
        finally:
            _flush()
            for number, theirs in self._theirs.items():
                if theirs is not None:
                    os.dup2(theirs, number)


def _kept(number: int) -> int | None:
    """Another descriptor of the same file; None if `number` is closed, as some daemons have it."""
    import fcntl  # noqa: PLC0415 - used once, here

    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, LOWEST_FD)
    except OSError:
        return None


def _flush() -> None:
    """What the program has written and still holds back goes where it was meant to go."""
    for stream in (sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(
                OSError, ValueError
            ):  # a closed stream, a full disk: the program's affair
                stream.flush()
    _libc.fflush(None)
