"""Whether what was sent has left this process: libzmq's own threads do the writing, some time after a send.

A process that is killed takes along what they have not written yet, and libzmq does not tell. But a thread of
them sleeps, in epoll_wait(2), only when every message that a connection has room for is with the kernel; and
who wakes it (each send does, if it sleeps) sees it awake at once. So it is enough to look how it is (proc(5),
stat, field 3). docs/decisions/0021-what-has-left.md has the figures.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar

_TASKS = Path("/proc/self/task")
_NAME = "ZMQbg/IO"
_ENOUGH = 64
"""Bytes of stat up to its third field: number and name come before it (proc(5): a name has at most 15)."""


class IoThreads:
    """Those of this process, found when first asked for: libzmq starts them with its first socket."""

    _stats: ClassVar[list[int]] = []
    """Descriptors, for the life of the process, however many ask."""

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether, within so many seconds, all that was sent is with the kernel, or waits for a slow reader.

        There is nothing that could be waited for, so it looks again and again, and lets others run meanwhile:
        some 20 microseconds on a machine that is not busy. True also where threads can't be looked at.
        """
        deadline = time.monotonic() + seconds
        while not self._idle():
            if time.monotonic() > deadline:
                return False
            os.sched_yield()
        return True

    def _idle(self) -> bool:
        if not self._stats:
            self._stats.extend(_found())
        return all(_asleep(stat) for stat in self._stats)


def _asleep(stat: int) -> bool:
    head = os.pread(stat, _ENOUGH, 0)
    return head[head.rindex(b")") + 2 :].startswith(b"S")


def _found() -> list[int]:
    try:
        ours = [task for task in _TASKS.iterdir() if (task / "comm").read_text().startswith(_NAME)]
        return [os.open(task / "stat", os.O_RDONLY | os.O_CLOEXEC) for task in ours]
    except OSError:  # no /proc, or a thread that has just ended
        return []
