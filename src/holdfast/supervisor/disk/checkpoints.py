"""The checkpoints on disk: which there are, and which may still be used. `writer` makes them.

Files are written by a double; what makes them a checkpoint is the journal's event. A restart, `%reset` and a
fresh start are barriers: no checkpoint from before them is used.

Those that could not be read back are kept as they are: from then on others go into a folder of their own (a
new series), so that nothing overwrites or removes them, and the next start tries them again unless there are
newer ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from holdfast.journal.records import EventRecord
from holdfast.link.messages import LostName, Written
from holdfast.supervisor.aftermath.ladder import Refill
from holdfast.supervisor.disk import lostcells
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.processes.returns import Return
from holdfast.supervisor.travel.effects import Effects

KEPT = 2
"""Complete ones that are kept: should the newest one be damaged, there is the one before."""

BARRIERS = frozenset({"restart", "reset", "fresh"})
"""Events that recovery never crosses."""

FINAL = frozenset({"shutdown", "crash", "exit"})
"""Ends of a session after which nothing of it is wanted back: a kernel that was shut down, say."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A complete one, as the journal tells of it."""

    id: str
    series: int = 0
    """Which folder it is in."""
    after: int
    """The last cell whose effects it holds, by its number in the journal."""
    count: int | None = None
    """That cell's execution count."""
    at: float = 0.0
    """Seconds since the epoch."""
    names: list[str] = []
    lost: list[LostName] = []
    bytes_total: int = 0
    bytes_written: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What became of what was on disk, when the session began again."""

    promised: Checkpoint | None = None
    """The newest one."""
    used: Checkpoint | None = None
    lost: list[LostName] = []
    """Variables that are not back."""
    folder: str = ""
    """Where those are that could not be read."""
    unwritten: str | None = None
    """Why nothing is on disk, if it should be."""


class Kept(msgspec.Struct):
    """What the journal says is on disk; newest first."""

    current: list[Checkpoint] = []
    pinned: list[Checkpoint] = []
    """Of earlier series."""
    series: int = 0
    unwritten: str | None = None
    """Why the last write failed, if it was the last."""


class Checkpoints:
    """Of one session."""

    def __init__(
        self, ledger: Ledger, folder: str, effects: Callable[[], Effects], *, used: bool, takes_over: bool
    ) -> None:
        """`effects` tells which cells the worker holds. `used`: what is there may be; else it stays as it is.

        If something is there, its cells' effects are about to be back, unless the session's supervisor
        `takes_over` a worker that lives.
        """
        self._kept = kept(ledger.journal.events()) if used else Kept()
        self._base = folder
        self._ledger = ledger
        self.trouble: str | None = None  # why the last write failed
        self._effects = effects
        self.on_forgotten: Callable[[], None]
        """Told that what is being written is not wanted any more."""
        if not takes_over:
            self._promise()

    def _promise(self) -> None:
        newest = self.newest
        self._ledger.restored_after = newest.after if newest is not None else 0
        if newest is not None:
            for cell in lostcells.held_after(self._ledger, newest.after):
                self._effects().add(cell.id, cell.count or 0, shown=cell.store_history)

    @property
    def newest(self) -> Checkpoint | None:
        """The one that would be used."""
        return next(iter(self.usable()), None)

    @property
    def unwritten(self) -> str | None:
        """Why the session that begins again has not written what was newer; None if it has."""
        return self._kept.unwritten

    @property
    def folder(self) -> str:
        """Where the next one goes."""
        return self._folder_of(self._kept.series)

    @property
    def needed(self) -> list[str]:
        """Those in that folder which stay when there is one more."""
        return [each.id for each in self._kept.current[: KEPT - 1]]

    @property
    def gone(self) -> list[str]:
        """Folders of earlier series, of which nothing may be used any more."""
        wanted = {each.series for each in self._kept.pinned}
        return [self._folder_of(each) for each in range(self._kept.series) if each not in wanted]

    def facts(self, after: int) -> dict[str, int | None]:
        """What is written into the one after this cell, for whoever finds it."""
        return {"after": after, "count": self._effects().last_shown(after)}

    def steps(self) -> list[Refill]:
        """As the ladder's steps, best first."""
        return [
            Refill("disk", each.id, each.after, folder=self._folder_of(each.series), most=True)
            for each in self.usable()
        ]

    def begun(self, back: Return) -> Outcome:
        """The session's first worker is there: what of the promise has come true."""
        promised = self.newest
        if promised is None:
            return Outcome(unwritten=self.unwritten)
        self._ledger.restored_after = back.after
        self._effects().drop_since(back.after)
        self._ledger.drop_effects(back.after)
        folder = self._folder_of(promised.series)
        if back.level != "disk":
            self._ledger.unread = True
            self.pin(back)
            return Outcome(promised, folder=folder)
        self._ledger.event("restored", after=back.after)
        used = next(each for each in self.usable() if each.after == back.after)
        for each in (self._kept.current, self._kept.pinned):
            each[:] = [one for one in each if one.after <= back.after]
        return Outcome(promised, used, back.lost, folder)

    def pin(self, back: Return) -> None:
        """A worker is there. If it is empty though something is on disk, that could not be read: keep it."""
        kept = self._kept
        if back.level == "fresh" and kept.current:
            self._ledger.event("not_restored", checkpoints=[each.id for each in kept.current])
            self._kept = Kept([], [*kept.current, *kept.pinned], kept.series + 1)

    def add(self, frame: Written, after: int) -> None:
        """One more is complete."""
        made = Checkpoint(
            id=frame.checkpoint,
            series=self._kept.series,
            after=after,
            count=self._effects().last_shown(after),
            at=time.time(),
            names=frame.names,
            lost=frame.lost,
            bytes_total=frame.bytes_total,
            bytes_written=frame.bytes_written,
        )
        self._ledger.event("checkpoint", checkpoint=msgspec.to_builtins(made))
        self._kept.current = [made, *self._kept.current][:KEPT]
        self.trouble = None

    def failed(self, why: str) -> None:
        """One could not be written."""
        if why != self.trouble:
            self._ledger.event("no_checkpoint", why=why)
        self.trouble = why

    def forget(self, since: int = 0) -> None:
        """Effects of cells from number `since` on are gone on purpose: so is every checkpoint with them."""
        kept = self._kept
        kept.current = [each for each in kept.current if each.after < since]
        kept.pinned = [each for each in kept.pinned if each.after < since]
        self.on_forgotten()

    def usable(self) -> list[Checkpoint]:
        """Those that may be used, newest first."""
        return [*self._kept.current, *self._kept.pinned[:KEPT]]

    def _folder_of(self, series: int) -> str:
        return f"{self._base}-{series}" if series else self._base


def kept(events: Iterable[EventRecord]) -> Kept:
    """The checkpoints that these events, oldest first, leave in use."""
    found = Kept()
    for event in events:
        if event.kind in BARRIERS or (event.kind == "end" and event.details.get("reason") in FINAL):
            found = Kept(series=found.series)
        elif event.kind == "undo":
            undone = event.details.get("cells")
            gone = frozenset(undone) if isinstance(undone, list) else frozenset()
            found.current = [each for each in found.current if each.after not in gone]
            found.pinned = [each for each in found.pinned if each.after not in gone]
        elif event.kind == "not_restored":
            found = Kept([], [*found.current, *found.pinned], found.series + 1)
        elif event.kind == "restored":
            after = event.details.get("after")
            for each in (found.current, found.pinned):
                each[:] = [one for one in each if not isinstance(after, int) or one.after <= after]
        elif event.kind == "checkpoint":
            made = msgspec.convert(event.details["checkpoint"], Checkpoint)
            found.current, found.unwritten = [made, *found.current][:KEPT], None
        elif event.kind == "no_checkpoint":
            found.unwritten = str(event.details.get("why", ""))
    return found
