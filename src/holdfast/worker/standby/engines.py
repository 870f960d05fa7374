"""Which libraries have threads of their own in the live worker? None of these comes along in a fork.

Python knows only the threads that run Python. The others are named by whose code they run: the outermost
frame of a sleeping thread is in the library that started it, and the kernel says where its stack is. The name
a thread gives itself is often the process's, but some libraries have threads that matter and others that do
not, and name them.

In the path of each cell where there is more than one thread: a thread is looked at once, when it is new and
asleep. The stack is read through /proc, where memory that is gone meanwhile is an error and not a crash.
"""

from __future__ import annotations

import os
import re
import select
import sys
import threading
from array import array
from pathlib import Path
from typing import NamedTuple

from holdfast.worker.standby import loaded, quiet

_TASKS = "/proc/self/task"
_STACK_BYTES = 256 * 1024
"""What is read of a stack: most threads that wait for work are a few hundred bytes deep, numexpr's 100 kB."""
_PATIENCE_MS = 3
"""For threads that have just been started to come to rest."""
_EVERYBODYS = re.compile(
    r"(ld-|ld64|libc[.-]|libc\+\+|libstdc\+\+|libgcc_s|libpthread|libpython|python3?[.\d]*$).*"
)
"""Through whose code each thread has come."""
PYTHON = "python"
"""The library of a thread in which there is nobody's code but that."""


class Engine(NamedTuple):
    """Threads of one kind."""

    library: str
    """File of the library that started them, and its folder: "numpy.libs/libscipy_openblas64_-32a4b2a6.so";
    "" if the kernel does not tell."""
    thread: str
    """The name they have given themselves; many have the process's."""


_known: dict[int, Engine] = {}
"""By thread id: those that were seen asleep."""


def look() -> frozenset[Engine]:
    """Engines that have threads now, but for `threading`'s; a thread that computes is left for next time."""
    if quiet.alone():
        _known.clear()
        return frozenset()
    tasks = {int(each) for each in os.listdir(_TASKS)}
    tasks -= {each.native_id for each in threading.enumerate() if each.native_id}
    tasks.discard(threading.get_native_id())  # after a fork `threading` does not know it
    for gone in _known.keys() - tasks:
        del _known[gone]
    patience = _PATIENCE_MS
    while new := tasks - _known.keys():
        areas = loaded.nameless_areas()
        _known.update((each, engine) for each in new if (engine := _engine(each, areas)))
        if not patience or _known.keys() >= new:
            break
        select.poll().poll(1)  # nothing tells that a thread has gone to sleep
        patience -= 1
    return frozenset(_known.values())


def has_watchdog() -> bool:
    """Whether a thread of Python's own has been seen that runs no Python: faulthandler's, with its timer."""
    seen = sum(each.library == PYTHON for each in _known.values())
    return seen > len(sys._current_frames()) - threading.active_count()  # those of `_thread`


def _engine(task: int, areas: list[tuple[int, int]]) -> Engine | None:
    """None while it runs, and if it has ended."""
    try:
        name = Path(f"{_TASKS}/{task}/comm").read_text(errors="replace").rstrip("\n")
        stack = _stack(task, areas)
    except OSError:
        return None
    if stack is None:
        return None
    return Engine(_library(stack), name)


def _stack(task: int, areas: list[tuple[int, int]]) -> array[int] | None:
    """The words on a sleeping thread's stack, innermost first; none if the kernel does not tell."""
    try:
        words = Path(f"{_TASKS}/{task}/syscall").read_text().split()  # the last two: stack and code (proc(5))
    except FileNotFoundError:
        if os.path.exists(f"{_TASKS}/{task}"):
            return array("Q")
        raise
    if words == ["running"]:
        return None
    top = int(words[-2], 16)
    end = next((end for begin, end in areas if begin <= top < end), top)
    stack = array("Q")
    memory = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.pread(memory, min(end - top, _STACK_BYTES), top)
        stack.frombytes(content[: len(content) // stack.itemsize * stack.itemsize])
    finally:
        os.close(memory)
    return stack


def _library(stack: array[int]) -> str:
    """The outermost that is not everybody's."""
    lowest, highest = loaded.bounds_of_code()
    file = ""
    for word in reversed(stack):
        if lowest <= word < highest and (path := loaded.file_of_code(word)):
            folder, _, file = path.rpartition("/")
            if not _EVERYBODYS.fullmatch(file):
                return f"{folder.rpartition('/')[2]}/{file}"
    return PYTHON if file else ""
