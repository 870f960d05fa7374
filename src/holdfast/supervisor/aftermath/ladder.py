"""Who takes over from a dead worker: one step after the other, until one holds.

    the newest standby ── resume ──▶ it wakes
             │         ─ salvage ─▶ its values, written by a double of it, go into a fresh worker
             │         ── none ───▶ the next older one ...
    the checkpoints on disk ──────▶ their values go into a fresh worker
    nothing ──────────────────────▶ a fresh worker

No step crosses a barrier (a restart, %reset). The ladder only says what comes next; `lineage` does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from holdfast.link.messages import LeftBehind
from holdfast.settings import Settings
from holdfast.supervisor.aftermath.grades import Grades, Verdict
from holdfast.supervisor.aftermath.salvage import Salvage, Salvaged
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.returns import Return, Slip
from holdfast.supervisor.processes.standbys import Standby, Standbys


class Wake(msgspec.Struct, frozen=True, eq=False):
    """The next step: this one becomes the worker."""

    standby: Standby


class Refill(msgspec.Struct, frozen=True):
    """The next step: a fresh worker, with the values of a checkpoint."""

    level: Literal["salvage", "disk"]
    checkpoint: str
    after: int
    """The last cell whose effects it holds."""
    why: list[str] = []
    """Why the state could not go on as it was, in words."""
    folder: str | None = None
    """Where it is, if not where the others are."""
    left: LeftBehind = LeftBehind()
    """What is in no checkpoint, by no variable's name."""
    most: bool = False
    """Only if most of it can be read: there are others."""


class Fresh(msgspec.Struct, frozen=True):
    """The next step: a fresh worker, with nothing."""


Step = Wake | Refill | Fresh


class Ladder:
    """Of one session; climbed anew after each death."""

    def __init__(self, loop: Loop, standbys: Standbys, settings: Settings, folder: str) -> None:
        """`folder`: where checkpoints are."""
        self.grades = Grades(loop, settings.standby, lambda: standbys.newest)
        self.on_disk: Callable[[], list[Refill]] = list
        """Tells the checkpoints that may be used, best first."""
        self.stepped_back = False  # as the newest state may be damaged
        self.slips: list[Slip] = []  # steps of this climb that did not hold
        self._step: Step = Fresh()  # the last one that was told
        self._loop = loop
        self._standbys = standbys
        self._crashes_in_a_row = settings.standby.crashes_in_a_row
        self._folder = folder
        self._limits = settings.checkpoint
        self._left: list[Refill] | None = None  # checkpoints not yet tried
        self._salvage: Salvage | None = None
        self._aim: Refill | None = None  # wanted before all others

    def crashed(self, code: str, *, on_request: bool = False) -> None:
        """A worker has died by itself, while it ran `code` ("": nothing): from the bottom.

        The same cell may crash again and again: it is at fault, and nothing else is lost. Where one crash
        follows another in different cells, or in none, memory may be damaged: one state further back. Of one
        that was killed `on_request` nothing follows.
        """
        crashed = self._standbys.crashed
        new = not on_request and (not code or code not in crashed)
        if not on_request:
            crashed.append(code)
        different = len(set(filter(None, crashed))) + crashed.count("")
        self.stepped_back = new and different >= self._crashes_in_a_row
        self.begin()
        if self.stepped_back:
            self._standbys.step_back()

    def aim(self, target: Standby | Refill, since: int) -> None:
        """From here, as it is asked for: without the cells from number `since` on. Else from the bottom."""
        self.begin()
        if isinstance(target, Refill):
            self._standbys.leave(since)
            self._aim = target
        else:
            self._standbys.choose(target, since)

    def begin(self) -> None:
        """From the bottom."""
        self.stop()
        self._left = None
        self.slips = []

    def stop(self) -> None:
        """Whatever is being found out is not wanted any more."""
        self.grades.forget()
        self._aim = None
        if self._salvage is not None:
            self._salvage.stop()
            self._salvage = None

    def climb(self, act: Callable[[Step], None]) -> None:
        """`act` is told the next step: at once, or when it is known what a standby is worth."""
        if self._aim is not None:
            wanted, self._aim = self._aim, None
            self._say(wanted, act)
            return
        standby = self._standbys.take()
        if standby is not None:
            self.grades.tell(standby, lambda verdict: self._judged(standby, verdict, act))
            return
        if self._left is None:
            self._left = self.on_disk()
        step = self._left.pop(0) if self._left else Fresh()
        self.slips = [
            each for each in self.slips if (each.what, each.after) != _place(step)
        ]  # the second try
        self._say(step, act)

    def slipped(self, why: str, *, some: bool = False) -> None:
        """The last step did not hold. There was `some` in it: to be taken if none of the others holds."""
        step = self._step
        if some and self._left is not None and isinstance(step, Refill):
            self._left.append(msgspec.structs.replace(step, most=False))
        if isinstance(step, Wake):
            self._let_slip(step.standby, why)
        elif isinstance(step, Refill):
            self.slips.append(Slip(*_place(step), f"its values could not be read back: {why}"))

    def climbed(self, back: Return) -> Return:
        """A worker is there: what led to it."""
        return msgspec.structs.replace(back, slips=self.slips, stepped_back=self.stepped_back)

    def _let_slip(self, standby: Standby, why: str) -> None:
        self.slips.append(Slip("standby", standby.after, why))

    def _say(self, step: Step, act: Callable[[Step], None]) -> None:
        self._step = step
        act(step)

    def _judged(self, standby: Standby, verdict: Verdict, act: Callable[[Step], None]) -> None:
        if verdict.grade == "resume":
            self._say(Wake(standby), act)
        elif verdict.grade == "salvage":
            self._salvage = Salvage(
                self._loop,
                standby,
                self._folder,
                self._limits,
                lambda done: self._salvaged(standby, verdict, done, act),
            )
        else:
            standby.let_go()
            self._let_slip(standby, "; ".join(verdict.reasons))
            self.climb(act)

    def _salvaged(
        self, standby: Standby, verdict: Verdict, done: Salvaged | str, act: Callable[[Step], None]
    ) -> None:
        self._salvage = None
        standby.let_go()
        if isinstance(done, Salvaged):
            self._say(Refill("salvage", done.checkpoint, standby.after, verdict.reasons, left=done.left), act)
        else:
            why = "; ".join(verdict.reasons)
            self._let_slip(standby, f"it can't go on ({why}), and its values could not be written: {done}")
            self.climb(act)


def _place(step: Step) -> tuple[str, int]:
    """What a step takes its values from, and as of which cell that is."""
    if isinstance(step, Refill):
        return "standby" if step.level == "salvage" else "checkpoint", step.after
    return "", 0
