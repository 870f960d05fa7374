"""Bars of tqdm go on after a crash: its thread starts again by itself, and its lock is held by nobody.

The thread looks after bars that have not moved for long. tqdm starts another with the next bar, if it knows
that this one has ended: so nobody misses it. The lock is one for all processes, in memory that they share;
who died while a bar was drawn holds it for ever. Nothing is imported, no object of the user's is touched.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable
from typing import Any


def is_tqdms(thread: object) -> bool:
    """Whether it is the thread that starts again by itself."""
    module = sys.modules.get("tqdm._monitor")
    return module is not None and type(thread) is getattr(module, "TMonitor", None)


def let_go_on(threads: Iterable[object]) -> None:
    """In a worker that has woken, with the threads that did not come along."""
    with contextlib.suppress(Exception):  # another version's insides: as it was without this
        for thread in filter(is_tqdms, threads):
            _end(thread)
        if (module := sys.modules.get("tqdm.std")) is not None:
            _free_lock(module)


def _end(monitor: Any) -> None:
    ended = threading.Event()  # a new one: who held the lock of the old one may be gone
    ended.set()
    monitor.was_killed = ended


def _free_lock(module: Any) -> None:
    kind, ours = module.TqdmDefaultWriteLock, module.tqdm.__dict__.get("_lock")
    held = getattr(kind, "mp_lock", None)  # it is made with the first bar
    if held is None:
        return
    if held.acquire(False):
        held.release()
        return
    kind.mp_lock = sys.modules["multiprocessing"].get_context("fork").RLock()
    if isinstance(ours, kind):  # else the user has set another one
        ours.locks = [kind.mp_lock if each is held else each for each in ours.locks]
