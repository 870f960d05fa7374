"""The threads of GCC's OpenMP end before a fork, and come back when they are needed again, in both processes.

libgomp keeps a pool of threads for the next parallel loop, and does not see a fork, which has the note of the
pool without its threads: the first parallel loop there waits for them for ever. It can be asked to give all
of them back (omp_pause_resource_all, OpenMP 5.0), and then begins anew. Wheels bring copies of their own, so
that several may be loaded, each with its pool.

LLVM's libomp and Intel's libiomp5 follow forks by themselves, and must not be asked: after that the second of
two forks never returns. Their threads spin for a fifth of a second after each loop, and are busy until then.

A pool is threads: who has seen that there are none need not call. So a plain session pays nothing here, and
one with threads a microsecond, in which the loader tells whether it has loaded anything since.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
from collections.abc import Callable
from pathlib import Path

_RUNTIME = re.compile(r"libgomp(?:[-.][^/]*)?\.so(?:[-.][^/]*)?")
_HARD = 2  # omp_pause_hard (omp.h): nothing is kept
_FOLLOWS_FORKS = "__kmpc_fork_call"
"""An entrance that only LLVM's and Intel's have: they are also installed under GCC's name."""

_runtimes: list[Callable[[], int]] = []
"""What pauses each runtime that was loaded when there were `_looked_at` objects."""
_looked_at = 0


def look() -> bool:
    """Note which runtimes are loaded; whether any is. May let other threads run."""
    global _runtimes, _looked_at
    loaded = _objects_loaded()
    if loaded != _looked_at:
        _runtimes = [each for path in _libraries() if (each := _pause_of(path))]
        _looked_at = loaded
    return bool(_runtimes)


def pause() -> None:
    """End the threads of all runtimes that were seen. Keeps the GIL, and waits for those threads.

    They must be idle or spinning: no other thread that runs Python is inside native code. A runtime that is
    too old to be asked is left as it is, with its pool.
    """
    for one in _runtimes:
        one()  # refuses inside a parallel loop, where no fork is ever taken


def _libraries() -> set[str]:
    """Paths of GCC's OpenMP runtimes in this process's memory."""
    lines = Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()
    paths = {line[line.index("/") :] for line in lines if "/" in line}
    return {path for path in paths if _RUNTIME.fullmatch(path.rpartition("/")[2])}


def _pause_of(path: str) -> Callable[[], int] | None:
    try:
        # Counts as one more user of the library: it is not unloaded under our hands.
        runtime = ctypes.PyDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        if hasattr(runtime, _FOLLOWS_FORKS):
            return None
        return functools.partial(runtime.omp_pause_resource_all, _HARD)
    except (OSError, AttributeError):  # replaced on disk since it was loaded, or of before OpenMP 5.0
        return None


class _LoadedObject(ctypes.Structure):
    """struct dl_phdr_info (dl_iterate_phdr(3)), up to what is needed."""

    _fields_ = (
        ("address", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("headers", ctypes.c_void_p),
        ("count", ctypes.c_uint16),
        ("adds", ctypes.c_ulonglong),
    )


def _objects_loaded() -> int:
    """How many shared objects this process has loaded in its life."""
    libc, note, adds = _loader()
    libc.dl_iterate_phdr(note, None)
    return adds.value


@functools.cache
def _loader() -> tuple[ctypes.PyDLL, Callable[..., int], ctypes.c_ulonglong]:
    """The C library, what it is to call for the first object, and where that puts the number."""
    adds = ctypes.c_ulonglong()

    def note(loaded: ctypes._Pointer[_LoadedObject], _size: int, _data: int) -> int:
        adds.value = loaded.contents.adds
        return 1  # enough: the number is the same in all of them

    kind = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.POINTER(_LoadedObject), ctypes.c_size_t, ctypes.c_void_p)
    return ctypes.PyDLL(None), kind(note), adds
