"""How much memory the earlier states may hold, all together, and which one goes when that is too much.

It is looked at when a standby is taken, and when the kernel says that somebody waits for memory. One goes at
a time: what its end gives back is known when it has ended. Abandoned states go first, then the oldest ones;
the two newest never, as they are for crashes. Whoever lists the states is told what went.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from holdfast.settings import Standby as Settings
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.standbys import Standbys
from holdfast.supervisor.travel import costs, headroom, pressure
from holdfast.supervisor.travel.branches import Branches
from holdfast.supervisor.travel.costs import Cost, Costs

_AGAIN_SECONDS = 0.2
"""From the end of one that was too much to the next look: by then its pages have been given back (0.1 s for
4 GB), and the next cell has hardly written as much again."""

_LITTLE = 8 * headroom.SMALL
"""Bytes that all of them map, with what they share: of small sessions; not worth a look at the machine."""


class Dropped(msgspec.Struct, frozen=True):
    """One that went."""

    after: int
    at: float
    """time.monotonic()"""
    why: str


class Budget:
    """Of one session."""

    def __init__(
        self,
        loop: Loop,
        settings: Settings,
        standbys: Standbys,
        branches: Branches,
        worker: Callable[[], int | None],
    ) -> None:
        """`worker` tells the worker's process id."""
        self.dropped: Dropped | None = None
        """The last one that went."""
        self.count = 0  # of those that went
        self.trouble: str | None = None
        """Why even what is kept for crashes is too much, if it is."""
        self._setting = settings.budget
        self._standbys = standbys
        self._branches = branches
        self._worker = worker
        self._costs = Costs()
        self._again = Deadline(loop)
        pressure.watch(loop, self._on_pressure)

    def look(self) -> None:
        """There is one more."""
        self._again.cancel()
        self.trouble = None
        if headroom.is_scarce(self._worker()):
            self._drop("the machine could not hold the session's memory once more")
        elif self._is_over():
            self._drop("more than standby.budget allows")

    def drop_all(self) -> None:
        """Nothing is wanted back any more."""
        self._again.cancel()
        self._standbys.drop_all()
        self._branches.drop_all()

    def held(self, seconds: float = costs.LOOK_SECONDS) -> int:
        """Bytes that would be had again if none were kept, as far as that is known after so long a look."""
        worker, sleepers = self._worker(), self._sleepers()
        if worker is None:
            self._costs.look(sleepers, seconds)
            return costs.held(map(self.cost, sleepers), None)
        copies = costs.copies(worker, sleepers)
        self._costs.look([worker, *sleepers, *copies], seconds)
        return costs.held(map(self.cost, sleepers), self.cost(worker), map(self.cost, copies))

    def cost(self, pid: int | None) -> Cost | None:
        """What one of them costs, as of the last look."""
        return self._costs.of(pid)

    def limit(self, held: int) -> int:
        """Bytes that may be held; `held`: so many are."""
        if isinstance(self._setting, int):
            return self._setting
        return int((headroom.available() + held) * int(self._setting.rstrip("%")) / 100)

    def _sleepers(self) -> list[int]:
        every = [*self._standbys.all, *(each.standby for each in self._branches.all)]
        return [each.pid for each in every if each.pid is not None]

    def _is_over(self) -> bool:
        most = costs.at_most(self._sleepers())
        if isinstance(self._setting, str) and most <= _LITTLE:
            return False
        if most <= self.limit(0):  # mostly; what they really hold is asked else
            return False
        held = self.held()
        return held > self.limit(held)

    def _on_pressure(self) -> None:
        if costs.at_most(self._sleepers()) > headroom.SMALL and self.held() > headroom.SMALL:
            self._drop("processes of this machine wait for memory")

    def _drop(self, why: str) -> None:
        gone = self._branches.drop_oldest() or self._standbys.drop_oldest()
        if gone is None:
            self.trouble = f"memory is short ({why}); only what crashes need is kept"
            return
        self.dropped = Dropped(gone.after, time.monotonic(), why)
        self.count += 1
        self._again.set(_AGAIN_SECONDS, self.look)
