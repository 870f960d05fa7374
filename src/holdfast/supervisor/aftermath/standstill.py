"""Does a cell wait for something that was lost in a crash? Then nothing but its user can end that.

What a library waits for without its threads is known by libraries (the canary's part); the unknown one shows
here, and only if it is certain: every thread of the interpreter waits for another thread of it (futex(2),
private and without a time limit), and none has been awake between two looks. Nobody is left to wake them but
a signal. Looked at only while a cell runs in an interpreter that took over from a dead one. Who waits for a
process, a socket or a clock is never meant.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
from pathlib import Path
from typing import NamedTuple

from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.loop import Loop, Timer

_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine())
_PRIVATE, _CLOCK = 128, 256
_WAITS = (0, 9)  # FUTEX_WAIT, FUTEX_WAIT_BITSET
_AWAKE = re.compile(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", re.MULTILINE)


class _Look(NamedTuple):
    """What was seen: who, in which job, how often each thread had been awake."""

    pid: int
    turn: int
    awake: dict[int, int]


class Standstill:
    """Of one session's cells."""

    def __init__(self, loop: Loop, seconds: float, stage: Stage) -> None:
        """Told after at most so many seconds; looked at twice in them."""
        self._loop = loop
        self._pause = seconds / 2
        self._stage = stage
        self._timer: Timer | None = None
        self._last: _Look | None = None
        stage.on_start.append(self._watch)

    def _watch(self) -> None:
        if self._timer is None and self._concerns():
            self._timer = self._loop.later(self._pause, self._look)

    def _concerns(self) -> bool:
        """Whether a cell runs in a worker that was a standby when another one died."""
        stage = self._stage
        return stage.job is not None and stage.resumed is not None and stage.resumed == stage.worker_pid

    def _look(self) -> None:
        self._timer = None
        job, pid = self._stage.job, self._stage.worker_pid
        if job is None or pid is None or not self._concerns():
            self._last = None
            return
        awake = waiting_for_one_another(pid)
        last, self._last = self._last, None if awake is None else _Look(pid, self._stage.turn, awake)
        if self._last is not None and self._last == last:
            self._stage.publish_text(job.number, "stderr", _words(job.count))
            self._last = None
        else:
            self._watch()


def waiting_for_one_another(pid: int) -> dict[int, int] | None:
    """How often each thread has been awake, if each waits for another one for ever.

    None: it is not so, or can't be seen.
    """
    found = {}
    with contextlib.suppress(OSError, ValueError):  # ended, or not ours to look into (ptrace(2))
        for task in os.listdir(f"/proc/{pid}/task"):
            folder = Path(f"/proc/{pid}/task/{task}")
            if not is_wait((folder / "syscall").read_text()):
                return None
            status = (folder / "status").read_text()
            found[int(task)] = sum(map(int, _AWAKE.findall(status)))
        return found
    return None


def is_wait(syscall: str) -> bool:
    """Whether a thread (proc_pid_syscall(5)) waits for another one of its process, without a time limit."""
    words = syscall.split()
    if len(words) < 5 or int(words[0]) != _FUTEX:
        return False
    operation, limit = int(words[2], 16), int(words[4], 16)
    return bool(operation & _PRIVATE) and operation & ~(_PRIVATE | _CLOCK) in _WAITS and not limit


def _words(count: int | None) -> str:
    cell = f"In[{count}]" if count is not None else "what runs"
    return (
        f"holdfast: {cell} makes no progress: all threads of the interpreter wait for one\n"
        "another, or for one that was lost when it died. To stop it and go back to the state\n"
        "before it: interrupt it three times, or holdfast interrupt --force.\n"
    )
