"""Which processes has a cell started? Asked of /proc (proc(5)); nothing is kept between two questions."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from holdfast import processes
from holdfast.link.messages import Child, LeftBehind
from holdfast.processes import Process

_TICKS = os.sysconf("SC_CLK_TCK")


def started_since(leader: int, moment: float, sleeper: int | None) -> list[Process]:
    """Descendants of `leader` in its process group that began after `moment` (CLOCK_BOOTTIME).

    And those that have a terminal: it has none itself, so that is one of its making, which goes with it.
    Processes are dated by the 10 ms; within those, who has a greater id than `sleeper`, a standby of just
    before, has begun after it. Standbys, which are on their way out of that group, are no descendants.
    """
    earliest = (int(moment * _TICKS), sleeper or 0)
    numbers = [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]
    every = {pid: each for pid in numbers if (each := processes.look(pid)) is not None}
    return [
        each
        for each in every.values()
        if (each.group == leader or each.terminal)
        and (each.started, each.pid) > earliest
        and leader in _ancestors(each, every)
    ]


def with_running(left: LeftBehind, successor: int | None) -> LeftBehind:
    """With those as well that run on although no variable stands for them. `successor`: the worker now.

    They are its siblings: whoever has adopted them is parent of all the session's processes. Ours lead groups
    of their own. So does a fork of the interpreter's that has left its group: that one alone is not told.
    """
    worker = processes.look(successor) if successor is not None else None
    if worker is None or not (worker.parent == os.getpid() or processes.is_ours(worker.parent)):
        return (
            left  # template and supervisor were killed: they are children of the system's first process, too
        )
    known = {each.pid for each in left.children}
    more = [
        Child(each.pid, processes.command(each.pid))
        for pid in processes.children(worker.parent)
        if (each := processes.look(pid)) is not None and not each.ended and pid not in known
        if each.group != worker.pid and not (each.group == pid and processes.is_ours(pid))
    ]
    return LeftBehind(left.not_restored, [*left.children, *more], left.not_rolled_back)


def now() -> float:
    """The clock by which processes are dated."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def end(started: list[Process], number: signal.Signals) -> None:
    """Send those that are still there a signal."""
    for each in started:
        found = processes.look(each.pid)
        if found is not None and (found.started, found.group) == (each.started, each.group):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(each.pid, number)


def _ancestors(process: Process, every: dict[int, Process]) -> set[int]:
    found: set[int] = set()
    while (parent := process.parent) not in found:
        found.add(parent)
        process = every.get(parent, process)
    return found
