"""OpenMP's threads end before a fork and come back when they are needed again, in both processes.

A runtime (GCC's libgomp, LLVM's libomp, Intel's libiomp5) keeps a pool of threads for the next parallel loop.
A fork has the note of the pool without its threads: the first parallel loop there waits for them for ever.
The runtime can be asked to give everything back (omp_pause_resource_all, OpenMP 5.0); then it begins anew.
Wheels bring copies of their own, so that several may be loaded, each with its pool.

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

_RUNTIME = re.compile(r"lib(?:gomp|omp|omp5|iomp5)(?:[-.][^/]*)?\.so(?:[-.][^/]*)?")
_HARD = 2
"""omp_pause_hard: nothing is kept (omp.h)."""

_runtimes: list[Callable[[int], int]] = []
"""omp_pause_resource_all of each runtime that was loaded when there were `_looked_at` objects."""
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

    They must be idle: either no other thread runs Python, or none is inside native code. A runtime that is
    too old to be asked is left as it is, with its pool.
    """
    for one in _runtimes:
        one(_HARD)  # refuses inside a parallel loop, where no fork is ever taken


def _libraries() -> set[str]:
    """Paths of the OpenMP runtimes in this process's memory."""
    lines = Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()
    paths = {line[line.index("/") :] for line in lines if "/" in line}
    return {path for path in paths if _RUNTIME.fullmatch(path.rpartition("/")[2])}


def _pause_of(path: str) -> Callable[[int], int] | None:
    try:
        # Counts as one more user of the library: it is not unloaded under our hands.
        runtime = ctypes.PyDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        found: Callable[[int], int] = runtime.omp_pause_resource_all
    except (OSError, AttributeError):  # replaced on disk since it was loaded, or of before OpenMP 5.0
        return None
    return found


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
