"""Which processes has a cell started? Asked of /proc (proc(5)); nothing is kept between two questions."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Offspring(NamedTuple):
    """One process. A process id alone may be another one's tomorrow."""

    pid: int
    parent: int
    group: int
    started: int
    """In clock ticks since boot."""


def started_since(leader: int, moment: float, sleeper: int | None) -> list[Offspring]:
    """Descendants of `leader` in its process group that began after `moment` (CLOCK_BOOTTIME).

    Processes are dated by the 10 ms; within those, who has a greater id than `sleeper`, a standby of just
    before, has begun after it. Standbys, which are on their way out of that group, are no descendants.
    """
    earliest = (int(moment * _TICKS), sleeper or 0)
    every = {each.pid: each for pid in os.listdir("/proc") if pid.isdigit() and (each := _look(int(pid)))}
    return [
        each
        for each in every.values()
        if each.group == leader and (each.started, each.pid) > earliest and leader in _ancestors(each, every)
    ]


def now() -> float:
    """The clock by which processes are dated."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def end(processes: list[Offspring], number: signal.Signals) -> None:
    """Send those that are still there a signal."""
    for each in processes:
        found = _look(each.pid)
        if found is not None and (found.started, found.group) == (each.started, each.group):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(each.pid, number)


def _ancestors(process: Offspring, every: dict[int, Offspring]) -> set[int]:
    found: set[int] = set()
    while (parent := process.parent) not in found:
        found.add(parent)
        process = every.get(parent, process)
    return found


def _look(pid: int) -> Offspring | None:
    """A process as it is now (proc(5), stat: a name may have brackets in it); None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return Offspring(pid, int(fields[1]), int(fields[2]), int(fields[19]))
