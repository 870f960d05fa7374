"""The checkpoints on disk: which there are, which may still be used, and when the next one is written.

A cell has ended ──quiet for a while──▶ a double of the newest standby writes ──Written──▶ the journal's event

The double writes files; what makes them a checkpoint is the journal's event. The worker is never asked, so
nobody waits. A restart, `%reset` and a fresh start are barriers: no checkpoint from before them is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from holdfast.journal.records import EventRecord
from holdfast.link.messages import Frame, LostName, NotWritten, Write, Written
from holdfast.protocol import codec
from holdfast.settings import Checkpoint as Settings
from holdfast.supervisor import recovery as words
from holdfast.supervisor.doubles import Double
from holdfast.supervisor.effects import Effects
from holdfast.supervisor.ladder import Refill
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.returns import Return
from holdfast.supervisor.standbys import Standbys

KEPT = 2
"""Complete ones that are kept: should the newest one be damaged, there is the one before."""

BARRIERS = frozenset({"restart", "reset", "fresh"})
"""Events that recovery never crosses."""

FINAL = frozenset({"shutdown", "crash", "exit"})
"""Ends of a session after which nothing of it is wanted back: a kernel that was shut down, say."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A complete one, as the journal tells of it."""

    id: str
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


class Checkpoints:
    """Of one session."""

    def __init__(
        self, loop: Loop, ledger: Ledger, standbys: Standbys, settings: Settings, folder: str
    ) -> None:
        self.kept, self.pinned = kept(ledger.journal.events())  # newest first
        self._begun = False  # the session's first worker is there
        self.trouble: str | None = None  # why the last write failed
        self.effects: Callable[[], Effects]
        """Tells which cells the worker holds."""
        self._loop = loop
        self._ledger = ledger
        self._standbys = standbys
        self._settings = settings
        self._folder = folder
        self._plan = Deadline(loop)
        self._double: Double | None = None
        self._began = 0.0  # time.monotonic() of the write that is under way
        self._took = 0.0  # seconds, of the last one
        self._ended = 0.0  # time.monotonic() of its end
        self._after = 0  # what the one under way holds
        self._then: Callable[[], None] | None = None  # the session ends, and waits for it

    @property
    def newest(self) -> Checkpoint | None:
        """The one that would be used."""
        return self.kept[0] if self.kept else None

    def steps(self) -> list[Refill]:
        """As the ladder's steps, best first."""
        return [Refill("disk", each.id, each.after) for each in self.kept]

    def cell_ended(self) -> None:
        """The state is another one: it is written when the session comes to rest."""
        if self._settings.enabled and self._double is None:
            rest = self._ended + self._settings.share * self._took - time.monotonic()
            self._plan.set(max(self._settings.rest_seconds, rest), self._write)

    def begin(self, effects: Effects, *, takes_over: bool) -> None:
        """The session begins: if something is on disk, its cells' effects are about to be there.

        Unless its supervisor `takes_over` a worker that lives.
        """
        self._begun = takes_over
        if takes_over:
            return
        newest = self.newest
        self._ledger.restored_after = newest.after if newest is not None else 0
        if newest is not None:
            for cell in self._ledger.held_after(newest.after):
                effects.add(cell.id, cell.count or 0, shown=cell.store_history)

    def returned(self, back: Return) -> str | None:
        """A worker is there. Of the session's first one: what to tell, beyond what the journal knew."""
        if self._begun:
            return None
        self._begun = True
        promised, self._ledger.restored_after = self.newest, back.after
        self.effects().drop_since(back.after)
        self._ledger.drop_effects(back.after)
        if promised is None:
            return None
        if back.level != "disk":
            self._ledger.event("not_restored", checkpoints=[each.id for each in self.kept])
            self.pinned, self.kept = [*self.kept, *self.pinned], []
            return "what is on disk could not be read back, and is kept as it is; the namespace is EMPTY"
        known = {each.name for each in promised.lost}
        news = [words.missing(each) for each in back.lost if each.name not in known]
        text = f"not back: {', '.join(news)}" if news else None
        if back.after != promised.after:
            self.kept = [each for each in self.kept if each.after <= back.after]
            text = "the newest checkpoint could not be read back; it is the one before" + (
                f", {text}" if text else ""
            )
        return text

    def forget(self, since: int = 0) -> None:
        """Effects of cells from number `since` on are gone on purpose: so is every checkpoint with them."""
        self.kept = [each for each in self.kept if each.after < since]
        self._stop()

    def finish(self, then: Callable[[], None]) -> None:
        """The session ends: `then` is called when its last state is on disk, or can't be had."""
        self._then = then
        if self._double is not None:
            self._double.within(self._settings.end_seconds)
            return
        self._plan.cancel()
        self._write(self._settings.end_seconds)

    def _stop(self) -> None:
        self._plan.cancel()
        if self._double is not None:
            self._double.let_go()
            self._double = None

    def _write(self, seconds: float | None = None) -> None:
        standby = self._standbys.newest
        newest = self.newest
        if standby is None or not self._settings.enabled or (newest and newest.after == standby.after):
            self._through()
            return
        self._began, self._after = time.monotonic(), standby.after
        facts = {"after": standby.after, "count": self.effects().count_of(standby.after)}
        self._double = Double(
            self._loop, standby, self._heard, lambda: self._failed("it took too long, or broke")
        )
        keep = [each.id for each in [*self.kept[: KEPT - 1], *self.pinned]]
        self._double.send(
            Write(self._folder, codec.encode(facts), durable=True, keep=keep, limits=self._settings),
            seconds or self._settings.write_seconds,
        )

    def _heard(self, frame: Frame) -> None:
        if isinstance(frame, Written):
            made = Checkpoint(
                id=frame.checkpoint,
                after=self._after,
                count=self.effects().count_of(self._after),
                at=time.time(),
                names=frame.names,
                lost=frame.lost,
                bytes_total=frame.bytes_total,
                bytes_written=frame.bytes_written,
            )
            self._ledger.event("checkpoint", checkpoint=msgspec.to_builtins(made))
            self.kept = [made, *self.kept][:KEPT]
            self.trouble = None
            self._over()
        elif isinstance(frame, NotWritten):
            self._failed(frame.what + (f"; {frame.remedy}" if frame.remedy else ""))

    def _failed(self, why: str) -> None:
        self.trouble = why
        self._ledger.event("no_checkpoint", why=why)
        self._over()

    def _over(self) -> None:
        self._ended = time.monotonic()
        self._took = self._ended - self._began
        self._stop()
        standby, newest = self._standbys.newest, self.newest
        if self._then is None and standby is not None and newest is not None and standby.after > newest.after:
            self.cell_ended()  # while it was written, cells went on
        self._through()

    def _through(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()


def kept(events: Iterable[EventRecord]) -> tuple[list[Checkpoint], list[Checkpoint]]:
    """The checkpoints that these events, oldest first, leave in use; newest first.

    And those that could not be read back: nothing overwrites them until the user lets them go.
    """
    found: list[Checkpoint] = []
    pinned: list[Checkpoint] = []
    for event in events:
        if event.kind in BARRIERS or (event.kind == "end" and event.details.get("reason") in FINAL):
            found, pinned = [], []
        elif event.kind == "undo":
            undone = event.details.get("cells")
            found = [each for each in found if not isinstance(undone, list) or each.after not in undone]
        elif event.kind == "not_restored":
            found, pinned = [], [*found[:KEPT], *pinned]
        elif event.kind == "checkpoint":
            found = [msgspec.convert(event.details["checkpoint"], Checkpoint), *found]
    return found[:KEPT], pinned
