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

from holdfast.worker.standby import loaded

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
    objects = loaded.count()
    if objects != _looked_at:
        _runtimes = [each for path in _libraries() if (each := _pause_of(path))]
        _looked_at = objects
    return bool(_runtimes)


def pause() -> None:
    """End the threads of all runtimes that were seen. Keeps the GIL, and waits for those threads.

    They must be idle or spinning: no other thread that runs Python is inside native code. A runtime that is
    too old to be asked is left as it is, with its pool.
    """
    for one in _runtimes:
        one()  # refuses inside a parallel loop, where no fork is ever taken


def try_all(trying: Callable[[str], None]) -> None:
    """In a fork: have all threads of each runtime do something, if only for a moment.

    Where a runtime waits for threads that did not come along, this never returns; `trying` is told before.
    """
    for path in sorted(_libraries()):
        try:
            runtime = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            run = runtime.GOMP_parallel
        except (OSError, AttributeError):  # replaced on disk since it was loaded, or not GCC's
            continue
        trying(f"OpenMP ({path.rpartition('/')[2]})")
        work = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p)  # of the number that it is given: harmless
        run(work, None, ctypes.c_uint(0), ctypes.c_uint(0))


def _libraries() -> set[str]:
    """Paths of GCC's OpenMP runtimes in this process's memory."""
    return {path for path in loaded.paths() if _RUNTIME.fullmatch(path.rpartition("/")[2])}


def _pause_of(path: str) -> Callable[[], int] | None:
    try:
        # Counts as one more user of the library: it is not unloaded under our hands.
        runtime = ctypes.PyDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        if hasattr(runtime, _FOLLOWS_FORKS):
            return None
        return functools.partial(runtime.omp_pause_resource_all, _HARD)
    except (OSError, AttributeError):  # replaced on disk since it was loaded, or of before OpenMP 5.0
        return None
