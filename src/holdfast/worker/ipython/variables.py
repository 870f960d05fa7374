"""What is in the namespace, for a view of the variables. Only a double is asked, which may be killed for it.

The user's objects take part: each has a moment to say what it looks like, and may fail at it. Nothing is
imported, and nothing large is put into words.
"""

from __future__ import annotations

import itertools
import reprlib
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from holdfast.visible import in_line
from holdfast.worker.ipython.shell import ZMQInteractiveShell

TEXT_CHARACTERS = 80
"""Of a repr: what fits on a line."""

OBJECT_SECONDS = 0.2
"""For one object to tell about itself."""

LOOK_CHARACTERS = 400
"""Of a repr, before white space is taken out: frames and arrays are mostly that."""

_CONTAINERS = (str, bytes, bytearray, list, tuple, dict, set, frozenset, range, deque)
"""Whose len() costs nothing; dask's, say, computes all."""

_CHEAP = [each.__len__ for each in _CONTAINERS]
"""What a class that is derived from one of them has, if it does not count in a way of its own."""

_UNNAMED_MODULES = frozenset({"builtins", "__main__"})

_Told = TypeVar("_Told")


class _TooSlowError(BaseException):
    """Not an Exception: a `__repr__` that catches everything must not catch it."""


class _Short(reprlib.Repr):
    """As reprlib does it, but what is left out is not even looked at (it sorts whole dicts and sets)."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxdict = 10
        self.maxstring = self.maxother = LOOK_CHARACTERS
        self.maxlevel = 3

    def repr_dict(self, value: dict[Any, Any], level: int) -> str:
        """The first entries, in their order."""
        if level <= 0:
            return "{...}"
        some = itertools.islice(value.items(), self.maxdict)
        parts = [f"{self.repr1(key, level - 1)}: {self.repr1(each, level - 1)}" for key, each in some]
        return f"{{{', '.join(self._cut(parts, len(value)))}}}"

    def repr_set(self, value: set[Any], level: int) -> str:
        """Some elements."""
        return f"{{{self._some(value, level)}}}" if value else "set()"

    def repr_frozenset(self, value: frozenset[Any], level: int) -> str:
        """Some elements."""
        return f"frozenset({{{self._some(value, level)}}})" if value else "frozenset()"

    def repr_bytes(self, value: bytes, _level: int) -> str:
        """The beginning."""
        return repr(value[: self.maxstring])

    def repr_bytearray(self, value: bytearray, _level: int) -> str:
        """The beginning."""
        return repr(value[: self.maxstring])

    def repr_str(self, value: str, _level: int) -> str:
        """The beginning."""
        return repr(value[: self.maxstring])

    def repr_instance(self, value: object, _level: int) -> str:
        """All others describe themselves; what they raise is told (reprlib hides it)."""
        return repr(value)[: self.maxother]

    def _some(self, value: set[Any] | frozenset[Any], level: int) -> str:
        if level <= 0:
            return "..."
        some = itertools.islice(value, self.maxset)
        return ", ".join(self._cut([self.repr1(each, level - 1) for each in some], len(value)))

    def _cut(self, parts: list[str], count: int) -> list[str]:
        return [*parts, "..."] if count > len(parts) else parts


_short = _Short()


def described(shell: ZMQInteractiveShell, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a reply to `asked` (`VariablesRequest`)."""
    namespace = shell.user_ns
    names = [name for name in asked["names"] if name in namespace] if asked["names"] else _own_names(shell)
    shown = names[-asked["limit"] :]
    with _alarm():
        found = [_variable(name, namespace[name], text=asked["text"]) for name in shown]
    return {"variables": found, "more": len(names) - len(shown)}


def _own_names(shell: ZMQInteractiveShell) -> list[str]:
    """What the user has made: neither IPython's own names nor private ones. In the order of their making."""
    hidden = shell.user_ns_hidden
    return [
        name
        for name, value in shell.user_ns.items()
        if isinstance(name, str)
        and not name.startswith("_")
        and (name not in hidden or value is not hidden[name])
    ]


def _variable(name: str, value: object, *, text: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": _within_time(lambda: _type_name(type(value)), "?"),
        "size": _within_time(lambda: _size(value), None),
        "shape": _within_time(lambda: _shape(value), None) if text else None,
        "text": _text(value) if text else "",
    }


def _type_name(kind: type) -> str:
    module = kind.__module__
    name = kind.__qualname__
    return str(name) if module in _UNNAMED_MODULES else f"{module}.{name}"


def _size(value: object) -> int | None:
    if isinstance(value, _CONTAINERS) and type(value).__len__ in _CHEAP:
        return len(value)
    return None


def _shape(value: object) -> list[int] | None:
    """Of whatever has one, as arrays and frames have: a tuple of numbers. Classes themselves have none."""
    if isinstance(value, type) or not hasattr(type(value), "shape"):
        return None
    shape = value.shape  # type: ignore[attr-defined]
    return [int(each) for each in shape] if isinstance(shape, tuple) else None


def _text(value: object) -> str:
    try:
        with _time():
            told = _short.repr(value)
    except _TooSlowError:
        return f"(its repr takes longer than {OBJECT_SECONDS:g} s)"
    except BaseException as error:  # noqa: BLE001 - it is the user's code, which may raise anything
        return f"(its repr raises {type(error).__name__})"
    line = in_line(" ".join(told[:LOOK_CHARACTERS].split()))
    return line if len(line) <= TEXT_CHARACTERS else f"{line[: TEXT_CHARACTERS - 1]}…"


def _within_time(look: Callable[[], _Told], otherwise: _Told) -> _Told:
    try:
        with _time():
            return look()
    except BaseException:  # noqa: BLE001 - as above
        return otherwise


@contextmanager
def _alarm() -> Iterator[None]:
    """Have SIGALRM end what takes too long: this process is a copy, and nobody else's handler is missed."""

    def ring(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _time() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, OBJECT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
