"""After a promotion: which of the user's variables hold something that did not come along.

Only looking, and shallow: the namespace, and one level into its lists, tuples, sets and dicts. Libraries are
recognised without importing them, and an object's own methods are only called if a descriptor is at stake.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from holdfast import processes
from holdfast.link.messages import Absent, Child, LeftBehind
from holdfast.worker.standby import orphans, sharing
from holdfast.worker.standby.bars import is_tqdms
from holdfast.worker.standby.fates import NATIVE_FILE
from holdfast.worker.standby.privatise import Private, Severed

ELEMENTS_LOOKED_AT = 1_000
"""Of one container: a longer one is data, and looking costs time while the user waits."""


COMMAND_LENGTH = 200
"""Characters of a child's command line that are told: who has started it knows it by less."""


def left_behind(namespace: Mapping[str, object], private: Private) -> LeftBehind:
    """Everything that did not come along, once each: by variable first, then what no variable holds."""
    search = _Search(private)
    things = list(_reachable(namespace))
    for name, value in things:
        with contextlib.suppress(Exception):  # a foreign object's code; nothing else may be lost for it
            search.look(name, value)
    return search.result(sharing.not_rolled_back(things))


def nameless(private: Private) -> LeftBehind:
    """Threads and descriptors that did not come along; no object of the user's is asked, which might hang."""
    return _Search(private).result([])


def _reachable(namespace: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Plain names first: `_` and its like name the same objects once more."""
    words = (each for each in namespace if isinstance(each, str))  # globals() takes any key
    names = sorted(words, key=lambda each: each.startswith("_"))
    yield from ((name, namespace[name]) for name in names)
    for name in names:
        for key, element in islice(_elements(namespace[name]), ELEMENTS_LOOKED_AT):
            yield f"{name}{key}", element


def _elements(value: object) -> Iterator[tuple[str, object]]:
    kind = type(value)  # not isinstance: a derived class may answer with code of its own
    if kind is dict:
        assert isinstance(value, dict)
        yield from (
            (f"[{key!r}]" if type(key) in _PLAIN_KEYS else "[...]", each) for key, each in value.items()
        )
    elif kind in (list, tuple):
        assert isinstance(value, list | tuple)
        yield from ((f"[{index}]", each) for index, each in enumerate(value))
    elif kind in (set, frozenset):
        assert isinstance(value, set | frozenset)
        yield from (("{...}", each) for each in value)


_PLAIN_KEYS = (str, int)


class _Search:
    """What has been found so far."""

    def __init__(self, private: Private) -> None:
        self._severed = {each.fd: each for each in private.severed}
        self._threads = {id(each): each for each in private.survey.threads if not is_tqdms(each)}
        self._native_files = {each.target for each in private.severed if each.kind == NATIVE_FILE}
        self._found: list[Absent] = []
        self._children: list[Child] = []
        self._seen: set[int] = set()
        self._named: set[int] = set()  # severed numbers and ids of threads that a variable holds

    def look(self, name: str, value: object) -> None:
        """Note `value` under `name` if it did not come along."""
        if id(value) in self._seen:
            return
        if child := self._process(name, value):
            self._children.append(child)
            self._seen.add(id(value))
            return
        for kind, judge in self._judges:
            if what := judge(value):
                self._found.append(Absent(kind or self._kind(value), name, what))
                self._seen.add(id(value))
                return

    @property
    def _judges(self) -> tuple[tuple[str, Callable[[object], str | None]], ...]:
        return (
            ("thread", self._thread),
            ("pool", self._executor),
            ("database", self._database),
            ("", self._descriptor),
        )

    def result(self, not_rolled_back: list[Absent]) -> LeftBehind:
        """All that was found, and what no variable holds."""
        nameless = [
            Absent(_kind(each), "", _in_words(each))
            for fd, each in self._severed.items()
            if fd not in self._named
        ]
        nameless += [
            Absent("thread", "", f"thread {each.name}")
            for key, each in self._threads.items()
            if key not in self._named
        ]
        return LeftBehind(self._found + nameless, self._children, not_rolled_back)

    def _kind(self, value: object) -> str:
        severed = self._number(value)
        return _kind(severed) if severed else "other"

    def _thread(self, value: object) -> str | None:
        if id(value) not in self._threads:
            return None
        self._named.add(id(value))
        return f"thread {self._threads[id(value)].name}"

    def _process(self, name: str, value: object) -> Child | None:
        """Who had ended before is as it was, unless its pipes could still be read."""
        if not _is_one_of(value, _PROCESSES):
            return None
        pipes = [self._number(_attribute(value, pipe)) for pipe in ("stdin", "stdout", "stderr")]
        pid = _attribute(value, "pid")
        status = _attribute(_attribute(value, "_popen") or value, "returncode")
        if not isinstance(pid, int) or (status is not None and not any(pipes)):
            return None
        if isinstance(status, int):
            return Child(pid, _command(value, pid), name, False, status)
        try:
            status = orphans.ended(pid, patience=0)
        except ChildProcessError:  # not known, or not yet
            return Child(pid, _command(value, pid), name, False)
        return Child(pid, _command(value, pid), name, status is None, status)

    def _executor(self, value: object) -> str | None:
        words = _word_for(value, _EXECUTORS)
        # Unused ones have no threads or processes yet, and start them here when they are used.
        if not words or not any(_attribute(value, workers) for workers in _WORKERS):
            return None
        self._named.update(_threads_of(value) & self._threads.keys())
        return words

    def _database(self, value: object) -> str | None:
        if not self._native_files:
            return None
        if _is_one_of(value, {("sqlite3", "Connection")}):
            lost = self._native_files.intersection(_sqlite_files(value))
            return f"database connection ({', '.join(sorted(lost))})" if lost else None
        return _word_for(value, _NATIVE_HANDLES)

    def _descriptor(self, value: object) -> str | None:
        severed = self._number(value)
        return _in_words(severed) if severed else None

    def _number(self, value: object) -> Severed | None:
        """What was severed from under `value`, if it has a descriptor; that is then no longer nameless."""
        fd = _fileno(value) if self._severed else None
        severed = self._severed.get(fd) if fd is not None else None
        if severed:
            self._named.add(severed.fd)
        return severed


def _in_words(severed: Severed) -> str:
    return f"{severed.kind} ({severed.target})"


def _kind(severed: Severed) -> str:
    """One of `Absent.kind`, told by the words that `fates` and `peers` have for it."""
    return next((kind for word, kind in _KINDS.items() if word in severed.kind), "other")


_KINDS = {"socket": "connection", "pipe": "pipe", "file": "file", "folder": "file"}


def _command(process: object, pid: int) -> str:
    """What was started, shortened: as it says itself while it runs, else as it was asked for."""
    asked = _attribute(process, "args") or _attribute(process, "name")
    words = asked if isinstance(asked, list | tuple) else [asked] if asked else []
    found = processes.command(pid) if orphans.runs(pid) else ""
    return (found or " ".join(map(str, words)))[:COMMAND_LENGTH]


def _attribute(value: object, name: str) -> object:
    """An attribute of an object that may refuse it, as a closed process does; None then."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - it is a foreign object's code
        return None


def _threads_of(executor: object) -> set[int]:
    """Ids of what an executor holds in its attributes or in a set or list there: among them its threads."""
    held = list(vars(executor).values())
    return {id(each) for each in held} | {
        id(each) for some in held if isinstance(some, set | list) for each in some
    }


def _fileno(value: object) -> int | None:
    kind = type(value)
    ask = getattr(kind, "fileno", None)
    # A ZeroMQ socket asks its context, whose threads are not there.
    if not callable(ask) or isinstance(value, type) or kind.__module__.startswith("zmq"):
        return None
    try:
        number = ask(value)
    except Exception:  # noqa: BLE001 - whatever a foreign object says, it has no descriptor to tell of
        return None
    return number if isinstance(number, int) else None


_Class = tuple[str, str]
_PROCESSES: set[_Class] = {
    ("subprocess", "Popen"),
    ("asyncio.subprocess", "Process"),
    ("multiprocessing.process", "BaseProcess"),
}
_EXECUTORS: dict[_Class, str] = {
    ("concurrent.futures.thread", "ThreadPoolExecutor"): "thread pool",
    ("concurrent.futures.process", "ProcessPoolExecutor"): "process pool",
    ("multiprocessing.pool", "ThreadPool"): "thread pool",
    ("multiprocessing.pool", "Pool"): "process pool",
}
_WORKERS = ("_threads", "_processes", "_pool")
_NATIVE_HANDLES: dict[_Class, str] = {
    ("duckdb", "DuckDBPyConnection"): "database connection",
    ("_duckdb", "DuckDBPyConnection"): "database connection",
    ("h5py._hl.files", "File"): "HDF5 file",
    ("tables.file", "File"): "HDF5 file",
    ("netCDF4._netCDF4", "Dataset"): "NetCDF file",
}


def _classes(value: object) -> Iterator[_Class]:
    return ((kind.__module__, kind.__qualname__) for kind in type(value).__mro__)


def _is_one_of(value: object, wanted: Iterable[_Class]) -> bool:
    return any(each in wanted for each in _classes(value))


def _word_for(value: object, words: Mapping[_Class, str]) -> str | None:
    return next((words[each] for each in _classes(value) if each in words), None)


def _sqlite_files(connection: Any) -> list[str]:
    """Files of a connection; asking needs no access to them."""
    try:
        return [file for _, _, file in connection.execute("PRAGMA database_list")]
    except Exception:  # noqa: BLE001 - closed, of another thread, or with a row factory of its own: not known
        return []
