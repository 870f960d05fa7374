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
_WRITERS = (io.BufferedWriter, io.BufferedRandom)
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
        if issubclass(type(value), _WRITERS):
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
    kind = type(value)  # never isinstance: that asks the object, which may answer with code of its own
    if issubclass(kind, threading.Condition):
        yield vars(value)["_lock"]  # not those of who waits: they are held by right
    elif _leads_away(value, kind):
        return
    elif kind in (list, tuple, dict):
        parts: Any = value.values() if kind is dict else value  # type: ignore[attr-defined]
        yield from islice(list(parts), ELEMENTS_LOOKED_AT)
    elif gc.is_tracked(value):
        yield from islice(gc.get_referents(value), ELEMENTS_LOOKED_AT)


def _leads_away(value: object, kind: type) -> bool:
    if issubclass(kind, type):
        return bool(type.__getattribute__(value, "__module__") != "__main__")
    return issubclass(kind, _STRANGERS) or str(kind.__module__).startswith(_SHELL)


def _is_hidden(name: object) -> bool:
    return not isinstance(name, str) or name.startswith("_") or name in _TO_THE_SHELL


def _is_held(lock: Any) -> bool:
    if lock.acquire(blocking=False):
        lock.release()
        return False
    return True


def _touch(file: Any) -> None:
    """Needs the file's own lock, and writes nothing. Of the base class: a user's override may do anything."""
    write = next(each.write for each in _WRITERS if issubclass(type(file), each))
    try:
        write(file, b"")
    except (OSError, ValueError):  # closed, or severed
        return


def _half_imported() -> list[str]:
    known: dict[str, Any] = getattr(importlib, "_bootstrap")._module_locks  # noqa: B009 - not in the stubs
    locks = [(name, each()) for name, each in known.items()]
    return [name for name, lock in locks if lock is not None and lock.owner is not None]
