"""Threads that a library starts again by itself when it needs them: nobody misses one after a crash.

So far one: tqdm's, which looks after bars that have not moved for long. tqdm starts another with the next
bar, if it knows that this one has ended. Nothing is imported, and no object of the user's is touched.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable

_TQDM = "tqdm._monitor"


def restarts(thread: object) -> bool:
    """Whether it is one of them."""
    module = sys.modules.get(_TQDM)
    return module is not None and type(thread) is getattr(module, "TMonitor", None)


def let_restart(threads: Iterable[object]) -> None:
    """In a worker that has woken, with the threads that did not come along: let the libraries know."""
    for thread in filter(restarts, threads):
        ended = threading.Event()  # a new one: who held the lock of the old one may be gone
        ended.set()
        with contextlib.suppress(AttributeError):  # another version's insides
            thread.was_killed = ended  # type: ignore[attr-defined]
