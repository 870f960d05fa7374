"""What sleeping processes hold of the machine's memory. Only reads /proc (proc(5): smaps_rollup).

Most of a sleeper's pages are the worker's, too. `own`: those that are nobody else's, which its end would give
back. The kernel walks all pages for that: 7 ms for a GB of huge pages, 25 for one of small ones, 40 for the
worker's. So what was read is kept for a while, and what one question may cost is bounded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from holdfast import processes
from holdfast.supervisor.travel import headroom

LIST_SECONDS = 0.25
"""Reading for somebody who wants to see it ends after so long; else older figures are told, or none."""

LOOK_SECONDS = 0.05
"""Reading for nobody but ourselves."""

FRESH_SECONDS = 1.0
"""A figure is not read again so soon: who sleeps has the same pages as before, but fewer share them."""

_COPIES = 8
"""Other copies of the interpreter that are looked for: a cell may fork hundreds, and each takes time."""

_FIELD = re.compile(r"^(Rss|Pss|Private_Clean|Private_Dirty):\s+(\d+) kB", re.MULTILINE)


class Cost(msgspec.Struct, frozen=True):
    """Of one process, in bytes."""

    own: int
    """Pages that are nobody else's."""
    part: int
    """Its share of all its pages, each divided by those that have it (PSS)."""
    whole: int
    """All its pages."""


class Costs:
    """Of the sleepers of one session, by process id."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, Cost]] = {}

    def of(self, pid: int | None) -> Cost | None:
        """What is known of it."""
        known = self._known.get(pid) if pid is not None else None
        return known[1] if known is not None else None

    def look(self, pids: Iterable[int], seconds: float) -> None:
        """At these, of all others nothing is known any more; first at those not looked at for longest."""
        wanted = [*pids]
        self._known = {pid: self._known[pid] for pid in wanted if pid in self._known}
        start = time.monotonic()
        for pid in sorted(wanted, key=lambda pid: self._known[pid][0] if pid in self._known else 0.0):
            now = time.monotonic()
            if now - start > seconds:
                break
            if pid not in self._known or now - self._known[pid][0] > FRESH_SECONDS:
                cost = _read(pid)
                if cost is not None:
                    self._known[pid] = (now, cost)


def held(sleepers: Iterable[Cost | None], worker: Cost | None, copies: Iterable[Cost | None] = ()) -> int:
    """Bytes that the machine would have back if all these ended, as far as it is known.

    What several of them share, and the worker has not, counts once: all their parts, without what their parts
    are of the worker's pages. Other `copies` have parts of the same pages: what those share is added.
    """
    every = [*sleepers]
    costs = [each for each in every if each is not None]
    theirs = sum(each.own for each in costs)
    if worker is None or not costs:
        return theirs
    parts = (
        sum(each.part for each in costs) * len(every) // len(costs)
    )  # those not looked at are like the others
    shared = sum(each.part - each.own for each in copies if each is not None)
    return max(theirs, parts + shared - (worker.whole - worker.part))


def copies(worker: int, sleepers: Iterable[int]) -> list[int]:
    """Others that have pages of these: doubles and who writes for one, who has not ended yet, a cell's forks.

    All of them descend from who has adopted the worker.
    """
    known, found = {worker, *sleepers}, list[int]()
    looked = processes.look(worker)
    parents = [looked.parent] if looked is not None else []
    while parents and len(found) < _COPIES:
        for pid in processes.children(parents.pop()):
            if headroom.resident(pid) > headroom.SMALL and processes.is_ours(pid):
                parents.append(pid)
                found += [pid] if pid not in known else []
    return found[:_COPIES]


def at_most(pids: Iterable[int]) -> int:
    """Bytes that these hold at the very most: known at once."""
    return sum(map(headroom.resident, pids))


def _read(pid: int) -> Cost | None:
    try:
        found = dict(_FIELD.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
    except OSError:
        return None
    kilobytes = {name: int(found.get(name, 0)) for name in ("Private_Clean", "Private_Dirty", "Pss", "Rss")}
    own = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return Cost(1024 * own, 1024 * kilobytes["Pss"], 1024 * kilobytes["Rss"])
