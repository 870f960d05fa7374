"""What went on while no launcher held a door: noted, and told once to who comes back.

A Jupyter server that died has not heard what its notebooks' cells printed meanwhile, and its successor can't
know that anything ran. So the first cell that comes through a new door begins with a few lines about it.
Only reads the journal.
"""

from __future__ import annotations

import time

from holdfast.access.doors import Door
from holdfast.journal.journal import Journal
from holdfast.journal.records import CellRecord
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.clients.broadcast import Broadcast

_NAMED = 6
"""Cells that are told one by one: more would not be read."""

_LOOKED_AT = 1_000
"""The latest cells of the journal among which those that ran meanwhile are looked for."""


class Absence:
    """Of launchers, from the session `name`."""

    def __init__(self, name: str, broadcast: Broadcast, journal: Journal) -> None:
        self._name = name
        self._broadcast = broadcast
        self._journal = journal
        self._since: float | None = None
        self._news: dict[Door, str] = {}  # to be told by the first cell of a door

    def begin(self) -> None:
        """The last launcher has left."""
        if self._since is None:
            self._since = time.time()
            self._broadcast.unheard = set()

    def end(self, door: Door, *, missed: bool) -> None:
        """A launcher holds `door`. One whose door stood open all the time has `missed` nothing."""
        unheard, self._broadcast.unheard = self._broadcast.unheard, None
        since, self._since = self._since, None
        if missed and since is not None:
            cells = self._journal.cells(_LOOKED_AT)
            went_on = [cell for cell in cells if _ran_after(cell, since) or cell.id in (unheard or ())]
            if went_on:
                self._news[door] = self._told(went_on, unheard or set(), since)

    def forget(self, door: Door) -> None:
        """The door is closed."""
        self._news.pop(door, None)

    def tell(self, job: Job, stage: Stage) -> None:
        """A job starts: if it is the first cell of a door that has news, they are its first output."""
        if self._news and job.request is not None and not job.request.silent:
            news = self._news.pop(job.door, None)
            if news is not None:
                stage.publish_text(job.number, "stderr", news)

    def _told(self, cells: list[CellRecord], printed: set[int | None], since: float) -> str:
        times = " to ".join(time.strftime("%H:%M:%S", time.localtime(each)) for each in (since, time.time()))
        names = [f"{_label(cell)} {_fate(cell, cell.id in printed, since)}" for cell in cells[-_NAMED:]]
        left = len(cells) - len(names)
        earlier = [f"{left} more cells ran"] if left > 0 else []
        return (
            f"holdfast: nobody was attached from {times}. Meanwhile {', '.join([*earlier, *names])}.\n"
            f"All of it: holdfast log {self._name}\n"
        )


def _ran_after(cell: CellRecord, since: float) -> bool:
    return cell.started is not None and (cell.ended is None or cell.ended >= since)


def _label(cell: CellRecord) -> str:
    return "a cell" if cell.count is None else f"In[{cell.count}]"


def _fate(cell: CellRecord, printed: bool, since: float) -> str:
    if cell.ended is None:
        return "printed and still runs" if printed else "still runs"
    if cell.ended < since:
        return "went on printing"  # a thread or a task of it
    how = {"ok": "ended", "interrupted": "was interrupted", "crashed": "crashed"}.get(
        cell.status or "", "failed"
    )
    return f"printed and {how}" if printed else how
