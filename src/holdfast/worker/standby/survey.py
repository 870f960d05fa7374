"""What the live worker notes before each fork, so that its copy can be made right. In the way of every cell.

Here is the parent's side only. The copy's side is `privatise`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import os
import signal
import stat
import threading
import weakref
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from holdfast.worker.standby import trackers
from holdfast.worker.standby.descriptors import is_harmless, open_numbers

_CLOCKS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_Identity: TypeAlias = tuple[int, int, int]  # number, device, inode


class Survey(NamedTuple):
    """The live worker at the moment before the fork, as far as a fork does not carry it over by itself."""

    ours: frozenset[int]
    """The numbers that are not the user's: never reported as lost."""
    held: frozenset[int]
    """The numbers that a copy holds as they are, though the user's."""
    foreign: bool
    """Something of the user's is open that both processes could feel: the copy must be private before the
    live worker goes on."""
    python_files: frozenset[int]
    """Numbers of files open for writing that a Python file object holds; the others are native code's."""
    timers: tuple[tuple[float, float], ...]
    """Seconds left and interval of the real, virtual and profiling timer (setitimer(2)): not inherited."""
    threads: tuple[threading.Thread, ...]
    """Other threads that run Python: a fork has only the one that called it."""


def survey(ours: frozenset[int]) -> Survey:
    """Look at this process, and write out what Python holds back in writers of regular files.

    `ours` must have 0, 1, 2 and the link; what it names counts as known. Call it before `gc.freeze()`, which
    hides file objects from the search, and before `quiet.held_still()`: it lets other threads run.
    OSError if there is no free descriptor to look with: then there can be no copy either.
    """
    held = trackers.descriptors()
    foreign, written = _look(open_numbers(), ours | held)
    return Survey(
        ours=ours,
        held=held,
        foreign=foreign,
        python_files=_known.flushed(written) if written else frozenset(),
        timers=tuple(map(signal.getitimer, _CLOCKS)),
        threads=_other_threads(),
    )


def restore(before: Survey) -> None:
    """In the copy that becomes the worker: start the timers with what they had left."""
    for clock, (left, interval) in zip(_CLOCKS, before.timers, strict=True):
        if left:
            signal.setitimer(clock, left, interval)


def _other_threads() -> tuple[threading.Thread, ...]:
    if threading.active_count() == 1:
        return ()
    return tuple(each for each in threading.enumerate() if each is not threading.current_thread())


def _look(numbers: Iterable[int], ours: frozenset[int]) -> tuple[bool, set[_Identity]]:
    """Whether anything foreign is open, and which regular files are open for writing."""
    foreign = False
    written = set()
    for fd in numbers:
        if fd in ours:
            continue
        try:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE:
                written.add((fd, status.st_dev, status.st_ino))
        except OSError:  # closed meanwhile: the look's own descriptor is always among the numbers
            continue
        foreign = foreign or not is_harmless(status)
    return foreign, written


class _PythonFiles:
    """Which files open for writing belong to Python file objects, and the objects whose buffers they have.

    Finding the objects means going through all that the garbage collector knows (95 ms for 400,000 objects),
    so it is done only when a file turns up that was not there before.
    """

    def __init__(self) -> None:
        self._owners: dict[_Identity, weakref.ref[io.FileIO]] = {}
        self._native: set[_Identity] = set()
        self._writers: dict[int, weakref.ref[io.IOBase]] = {}  # by id: a user's class may not be hashable

    def flushed(self, written: set[_Identity]) -> frozenset[int]:
        """Numbers among `written` that Python opened, their writers flushed."""
        if any(not self._is_owner(each) and each not in self._native for each in written):
            self._search(written)
        self._native &= written
        mine = {each[0] for each in written if self._is_owner(each)}
        for number, reference in list(self._writers.items()):
            if writer := reference():
                _flush(writer, mine)
            else:
                del self._writers[number]
        return frozenset(mine)

    def _is_owner(self, identity: _Identity) -> bool:
        reference = self._owners.get(identity)
        owner = reference() if reference else None
        return owner is not None and _number(owner) == identity[0]

    def _search(self, written: set[_Identity]) -> None:
        raw: dict[int, io.FileIO] = {}
        types = _all_types(io.FileIO, *_WRITERS)
        for each in [found for found in gc.get_objects() if type(found) in types]:
            if isinstance(each, io.FileIO):
                raw[_number(each)] = each
            else:
                self._writers[id(each)] = weakref.ref(each)
        for identity in written:
            if owner := raw.get(identity[0]):
                self._owners[identity] = weakref.ref(owner)
        # A number that was native before may be a file object's now that all have been looked at anew.
        self._owners = {each: ref for each, ref in self._owners.items() if each in written}
        self._native = {each for each in written if not self._is_owner(each)}


_known = _PythonFiles()  # a process has one table of descriptors
_WRITERS: tuple[type[io.IOBase], ...] = (
    io.TextIOWrapper,
    io.BufferedWriter,
    io.BufferedRandom,
)  # outer first


def _all_types(*roots: type) -> set[type]:
    """All types derived from `roots`, and those: for a million objects quicker than isinstance, and safer.

    isinstance would run the `__class__` of whoever has made it a property.
    """
    found = set()
    waiting = list(roots)
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting += type.__subclasses__(kind)
    return found


def _number(file: io.IOBase) -> int:
    """The number of an open file object, -1 of any other."""
    try:
        number: object = file.fileno()
    except Exception:  # noqa: BLE001 - closed, detached or never initialised; or a class of the user's
        return -1
    return number if isinstance(number, int) else -1


def _flush(writer: io.IOBase, numbers: set[int]) -> None:
    """Write out one object's buffer if it ends in one of `numbers`.

    The base classes' own methods: a user's override may do anything. A full disk is found by the user's own
    next write as well; nobody is asked about it here.
    """
    if _number(writer) not in numbers:
        return
    with contextlib.suppress(Exception):  # what is below it may be the user's, too
        for kind in _WRITERS:
            if isinstance(writer, kind) and kind.writable(writer):
                kind.flush(writer)
                return
