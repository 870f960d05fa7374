"""Locks that nobody will ever release: their holders are threads that did not come along.

Whoever waits for one waits for ever, so what needs it is lost. They are looked for where the session's own
objects can reach them, in a disposable copy: to try a lock is to take it.
"""

from __future__ import annotations

import _thread
import gc
import importlib
import io
import logging
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

OBJECTS_LOOKED_AT = 200_000
"""In a tenth of a second. Nearest first: what lies behind so many is data."""
ELEMENTS_LOOKED_AT = 10_000
"""Of one container; a longer one is data."""

_LOCKS = (_thread.LockType, _thread.RLock)
_STRANGERS = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, threading.Thread)
"""What leads away from the session's own objects, or is a thread's own."""
_SHELL = ("IPython", "holdfast", "traitlets")
_TO_THE_SHELL = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})


def held(namespace: Mapping[str, object], trying: Callable[[str], None]) -> Iterator[str]:
    """In words, what can't be used any more. `trying` is told before something that may wait for ever."""
    for module in _half_imported():
        yield f"an import of {module} by a thread that does not come along stays unfinished"
    said = set()
    for name, value in reachable(namespace):
        if isinstance(value, io.BufferedWriter | io.BufferedRandom):
            trying(f"files of {name}")
            _touch(value)
        elif type(value) in _LOCKS and name not in said and _is_held(value):
            said.add(name)
            yield f"a lock that {name} needs is held by a thread that does not come along"


def reachable(namespace: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """What can be reached from the session's variables and log handlers, with the variable; nearest first."""
    seen = {
        id(namespace),
        *(id(vars(each)) for each in list(sys.modules.values()) if hasattr(each, "__dict__")),
    }
    waiting = deque((name, value) for name, value in namespace.items() if not _is_hidden(name))
    waiting += [("logging", each()) for each in getattr(logging, "_handlerList", ())]
    for _ in range(OBJECTS_LOOKED_AT):
        if not waiting:
            return
        name, value = waiting.popleft()
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value
            waiting.extend((name, each) for each in _parts(value))


def _parts(value: object) -> Iterator[object]:
    kind = type(value)
    if isinstance(value, threading.Condition):
        yield value._lock  # type: ignore[attr-defined]  # not those of who waits: they are held by right
    elif _leads_away(value):
        return
    elif kind is dict:
        yield from islice(_values(value), ELEMENTS_LOOKED_AT)
    elif gc.is_tracked(value):
        yield from islice(gc.get_referents(value), ELEMENTS_LOOKED_AT)


def _leads_away(value: object) -> bool:
    if isinstance(value, type):
        return value.__module__ != "__main__"
    return isinstance(value, _STRANGERS) or type(value).__module__.startswith(_SHELL)


def _values(value: Any) -> Iterator[object]:
    return iter(list(value.values()))


def _is_hidden(name: str) -> bool:
    return name.startswith("_") or name in _TO_THE_SHELL


def _is_held(lock: Any) -> bool:
    if lock.acquire(blocking=False):
        lock.release()
        return False
    return True


def _touch(file: io.BufferedWriter | io.BufferedRandom) -> None:
    """Needs the file's own lock, and writes nothing. Of the base class: a user's override may do anything."""
    write: Any = io.BufferedWriter.write if isinstance(file, io.BufferedWriter) else io.BufferedRandom.write
    try:
        write(file, b"")
    except (OSError, ValueError):  # closed, or severed
        return


def _half_imported() -> list[str]:
    known: dict[str, Any] = getattr(importlib, "_bootstrap")._module_locks  # noqa: B009 - not in the stubs
    locks = [(name, each()) for name, each in known.items()]
    return [name for name, lock in locks if lock is not None and lock.owner is not None]
