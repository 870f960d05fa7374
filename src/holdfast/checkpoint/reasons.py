"""Why a variable could not be written, or not be made again, in words that its owner understands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pickle import PicklingError
from typing import Any, Final

from holdfast.visible import in_line

LONGEST: Final = 200
"""Characters of a reason: some libraries put whole values into their errors."""

NO_TIME: Final = "there was no time left for it"
NO_NAME: Final = "its name can't be written"
WAS_HELD: Final = "a lock in it was held; it is free now"


class Refused(PicklingError):
    """An object that would be pickled, but not be what it was afterwards."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        """As `an open file (data.csv)`."""


class TooLarge(PicklingError):
    """A variable that takes more bytes than it may."""


def why_not_written(value: object, error: BaseException) -> str:
    """Words for what pickling `value` raised."""
    what = error.what if isinstance(error, Refused) else _unpicklable(_said(error))
    if what:
        return _short(what if _is_it(value, error, what) else f"it holds {what}")
    if isinstance(error, TooLarge):
        return str(error)
    if isinstance(error, RecursionError) or "deep recursion" in _said(error):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "there was not enough memory"
    return _short(f"it can't be pickled: {_error(error)}")


def why_not_loaded(error: BaseException) -> str:
    """Words for what loading raised."""
    if isinstance(error, ModuleNotFoundError):
        return _short(f"the module {error.name} is not there")
    if isinstance(error, ImportError | AttributeError):
        return _short(f"what it is made of is not there: {_said(error)}")
    return _short(f"making it again failed: {_error(error)}")


def refusal(kind: type) -> Callable[[Any], str] | None:
    """For objects of `kind` that pickle would take but not bring back: what they are. None for all others."""
    for base in kind.__mro__:
        if words := _NOT_WHAT_THEY_WERE.get((base.__module__, base.__qualname__)):
            return words
    return None


def _is_it(value: object, error: BaseException, what: str) -> bool:
    """Whether the variable itself is what can't be written, rather than something in it."""
    kind = type(value)
    if isinstance(error, Refused):
        words = refusal(kind)
        return words is not None and words(value) == what
    return _UNPICKLABLE.get(kind.__qualname__) == what or f"'{kind.__qualname__}'" in what


def _unpicklable(message: str) -> str | None:
    found = re.search(r"cannot pickle '([\w.]+)' object", message)
    if not found:
        return None
    name = found[1].rpartition(".")[2]
    return _UNPICKLABLE.get(name, f"an object of type '{name}', which can't be pickled")


def _error(error: BaseException) -> str:
    said = _said(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - it may be a class of the user's, and is told outside of its turn
        return ""


def one_line(text: str, longest: int) -> str:
    """`text` as a line that can be written and shown."""
    line = in_line(" ".join(text[: 4 * longest].split()).encode(errors="replace").decode())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _short(words: str) -> str:
    return one_line(words, LONGEST)


def _file(file: Any) -> str:
    name = getattr(file, "name", None)
    state = "a closed file" if file.closed else "an open file"
    return f"{state} ({name})" if isinstance(name, str) else state


def _thread(thread: Any) -> str:
    return f"a thread ({thread.name})"


def _just(words: str) -> Callable[[Any], str]:
    return lambda _: words


_NOT_WHAT_THEY_WERE: dict[tuple[str, str], Callable[[Any], str]] = {
    ("_io", "FileIO"): _file,
    ("_io", "BufferedReader"): _file,
    ("_io", "BufferedWriter"): _file,
    ("_io", "BufferedRandom"): _file,
    ("_io", "BufferedRWPair"): _file,
    ("_io", "TextIOWrapper"): _file,
    ("comm.base_comm", "BaseComm"): _just("a connection to the frontend"),
    ("ipywidgets.widgets.widget", "Widget"): _just("a widget"),
    ("socket", "socket"): _just("a socket"),
    ("threading", "Thread"): _thread,
    ("subprocess", "Popen"): _just("a child process"),
    ("asyncio.subprocess", "Process"): _just("a child process"),
    ("multiprocessing.process", "BaseProcess"): _just("a child process"),
    ("multiprocessing.pool", "Pool"): _just("a pool of threads or processes"),
    ("concurrent.futures._base", "Executor"): _just("a pool of threads or processes"),
    ("concurrent.futures._base", "Future"): _just("a result that is still awaited"),
    ("asyncio.events", "AbstractEventLoop"): _just("an event loop"),
    ("_asyncio", "Future"): _just("a task or future of an event loop"),
    ("asyncio.futures", "Future"): _just("a task or future of an event loop"),
}
"""Classes that have a state of their own, or locks, which would be written, and come back dead or empty."""

_UNPICKLABLE = {
    "generator": "a generator",
    "async_generator": "an asynchronous generator",
    "coroutine": "a coroutine",
    "frame": "a frame of a running function",
    "traceback": "a traceback",
    "socket": "a socket",
    "Connection": "a connection",
    "Cursor": "a cursor of a connection",
    "module": "a module that can't be imported",
    "weakref": "a weak reference",
    "ReferenceType": "a weak reference",
    "_local": "data of a thread",
    "ContextVar": "a context variable",
    "mmap": "a memory map",
    "SSLContext": "an encrypted connection's settings",
    "DuckDBPyConnection": "a database connection",
    "DuckDBPyRelation": "a query of a database",
    "_thread._local": "data of a thread",
}
"""Names of classes, as pickle's errors have them."""
