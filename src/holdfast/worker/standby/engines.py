"""Which libraries have threads of their own in the live worker? None of these comes along in a fork.

Python knows only the threads that run Python. The others are named by whose code they run: the outermost
frame of a sleeping thread is in the library that started it, and the kernel says where its stack is. The name
a thread gives itself is often the process's, but some libraries have threads that matter and others that do
not, and name them.

In the path of each cell where there is more than one thread: a thread is looked at once, when it is new and
asleep. The stack is read through /proc, where memory that is gone meanwhile is an error and not a crash.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import threading
from array import array
from pathlib import Path
from typing import NamedTuple

from holdfast.worker.standby import loaded

_TASKS = "/proc/self/task"
_STACK_BYTES = 256 * 1024
"""What is read of a stack: most threads that wait for work are a few hundred bytes deep, numexpr's 100 kB."""
_PATIENCE_MS, _STEP_MS = 30, 3
"""For threads that have just been started to come to rest: mostly within the first step, but on a busy
machine they may not have had a core by then. So long OpenBLAS's spin, for which a fork waits as well."""
_PYTHONS = re.compile(r"libpython|python[\d.]*$")
_EVERYBODYS = re.compile(rf"ld-|libc[.-]|libc\+\+|libstdc\+\+|libgcc_s|libpthread|{_PYTHONS.pattern}")
"""Through whose code each thread has come."""
PYTHON = "python"
"""The library of a thread in which there is nobody's code but that."""


class Engine(NamedTuple):
    """Threads of one kind."""

    library: str
    """File of the library that started them, and its folder: "numpy.libs/libscipy_openblas64_-32a4b2a6.so";
    "" if the kernel does not tell, or not yet."""
    thread: str
    """The name they have given themselves; many have the process's."""


_known: dict[int, Engine] = {}
"""By thread id: those that were seen asleep."""
_awaited: set[int] = set()
"""Threads that were there at the last look: those of them that run still are not waited for again."""


def look() -> frozenset[Engine]:
    """Engines that have threads now, but for `threading`'s. One that runs tells only its name."""
    tasks = {int(each) for each in os.listdir(_TASKS)}
    tasks -= {each.native_id for each in threading.enumerate() if each.native_id}
    tasks.discard(threading.get_native_id())  # after a fork `threading` does not know it
    for gone in _known.keys() - tasks:
        del _known[gone]
    named = _meet(tasks - _known.keys())
    waited = 0
    while waited < _PATIENCE_MS and any(each not in _known and each not in _awaited for each in tasks):
        select.poll().poll(_STEP_MS)  # nothing tells that a thread has gone to sleep
        waited += _STEP_MS
        named = _meet(tasks - _known.keys())
    _awaited.clear()
    _awaited.update(tasks)
    return frozenset(_known.values()) | named


def has_watchdog() -> bool:
    """Whether a thread of Python's own has been seen that runs no Python: faulthandler's, with its timer."""
    seen = sum(each.library == PYTHON for each in _known.values())
    return seen > len(sys._current_frames()) - threading.active_count()  # those of `_thread`


def _meet(tasks: set[int]) -> set[Engine]:
    """Note which engines these threads are. Returns those that run, if they have names of their own."""
    asleep, running = {}, set()
    for task in tasks:
        with contextlib.suppress(OSError):  # it has ended
            name = _name(f"{_TASKS}/{task}")
            if (top := _top_of_stack(task)) is None:
                running.add(Engine("", name))
            else:
                asleep[task] = name, top
    if asleep:
        areas = loaded.nameless_areas()
        _known.update(
            (task, Engine(_library(_words(top, areas)), name)) for task, (name, top) in asleep.items()
        )
    return {each for each in running if each.thread != _name("/proc/self")}


def _name(folder: str) -> str:
    return Path(f"{folder}/comm").read_text(errors="replace").rstrip("\n")


def _top_of_stack(task: int) -> int | None:
    """Its address; 0 if the kernel does not tell, None while the thread runs."""
    try:
        words = Path(f"{_TASKS}/{task}/syscall").read_text().split()  # the last two: stack and code (proc(5))
    except FileNotFoundError:
        if os.path.exists(f"{_TASKS}/{task}"):
            return 0
        raise
    return None if words == ["running"] else int(words[-2], 16)


def _words(top: int, areas: list[tuple[int, int]]) -> array[int]:
    """What lies on the stack, innermost first; nothing if it is no stack any more."""
    end = next((end for begin, end in areas if begin <= top < end), top)
    words = array("Q")
    memory = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):
        content = os.pread(memory, min(end - top, _STACK_BYTES), top)
        words.frombytes(content[: len(content) // words.itemsize * words.itemsize])
    os.close(memory)
    return words


def _library(stack: array[int]) -> str:
    """The outermost that is not everybody's; else Python, if it is there; else what is left."""
    lowest, highest = loaded.bounds_of_code()
    files = []
    for word in reversed(stack):
        if lowest <= word < highest and (path := loaded.file_of_code(word)):
            folder, _, file = path.rpartition("/")
            if not _EVERYBODYS.match(file):
                return f"{folder.rpartition('/')[2]}/{file}"
            files.append(file)
    if any(_PYTHONS.match(file) for file in files):
        return PYTHON
    return files[0] if files else ""
