"""States that were abandoned: they sleep on, apart from those that a crash would wake, to be gone back to.

The newest one of each kind: what an undo has left, what was given up after crash upon crash, what a restart
has thrown away. They go first when memory ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from holdfast.settings import Settings
from holdfast.supervisor.loop import Loop, Timer
from holdfast.supervisor.processes.standbys import Standby, Standbys
from holdfast.supervisor.travel.effects import Effects

Kind = Literal["undo", "crash", "restart"]


class Past(msgspec.Struct, frozen=True, eq=False):
    """What was known of the namespace when a state of it was abandoned."""

    effects: Effects
    """Also those that no standby held."""
    count: int
    numbered_after: str
    namespace_after: int


class Branch(msgspec.Struct, frozen=True, eq=False):
    """An abandoned state."""

    kind: Kind
    standby: Standby
    past: Past
    effects: Effects
    """That it holds."""
    timer: Timer | None = None
    """Ends it."""


class Branches:
    """Of one session."""

    def __init__(self, loop: Loop, settings: Settings, standbys: Standbys) -> None:
        self._loop = loop
        self._most = settings.standby.branches
        self._restart_seconds = settings.life.undo_restart_seconds
        self._kept: dict[Kind, Branch] = {}  # the one abandoned last is the last
        self.snapshot: Callable[[], Past | None] = lambda: None
        """Tells what is known of the namespace now; None: what is abandoned has nothing of its own."""
        standbys.on_abandoned = self.keep

    @property
    def all(self) -> list[Branch]:
        """The one abandoned last comes first."""
        return [*reversed(self._kept.values())]

    def of(self, kind: Kind) -> Branch | None:
        """The one of this kind."""
        return self._kept.get(kind)

    def keep(self, kind: Kind, standby: Standby) -> None:
        """This one is abandoned. It is ours from now on."""
        past = self.snapshot()
        effects = past.effects.until(standby.after) if past is not None else None
        before = self.of(kind)
        led_to = before is not None and effects is not None and not effects.less(before.effects).since(0)
        if past is None or effects is None or led_to or not self._most:
            standby.let_go()  # it would lead to nothing to which the other one does not
            return
        self.drop(before)
        ends = kind == "restart"
        timer = self._loop.later(self._restart_seconds, lambda: self.drop(self.of(kind))) if ends else None
        standby.abandon()
        self._kept[kind] = Branch(kind, standby, past, effects, timer)
        self._loop.on_readable(standby.control.fileno(), lambda: self._listen(standby))
        if len(self._kept) > self._most:
            self.drop_oldest()

    def take(self, branch: Branch) -> None:
        """It is abandoned no longer: its standby is the caller's."""
        del self._kept[branch.kind]
        self._loop.forget(branch.standby.control.fileno())
        if branch.timer is not None:
            branch.timer.cancel()

    def drop(self, branch: Branch | None) -> None:
        """Let it go."""
        if branch is not None and self.of(branch.kind) is branch:
            self.take(branch)
            branch.standby.let_go()

    def drop_oldest(self) -> Standby | None:
        """Memory ends. The one that has gone, if there was one."""
        oldest = next(iter(self._kept.values()), None)
        self.drop(oldest)
        return oldest.standby if oldest is not None else None

    def drop_all(self) -> None:
        """Let all go."""
        for each in self.all:
            self.drop(each)

    def _listen(self, standby: Standby) -> None:
        standby.listen()
        if standby.control.ended:
            self.drop(next((each for each in self.all if each.standby is standby), None))
