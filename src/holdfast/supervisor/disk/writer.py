"""Writes checkpoints, in the background: a double of the newest standby does it, the worker is never asked.

    a standby is taken ──rhythm──▶ a double of it writes ──Written──▶ `checkpoints` has one more

Pruning and writing must not meet, nor a write and a salvage: there is one double at a time, and it is stopped
when the worker dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast.link.messages import Frame, NotWritten, Write, Written
from holdfast.protocol import codec
from holdfast.settings import Checkpoint as Settings
from holdfast.supervisor.disk.checkpoints import Checkpoints
from holdfast.supervisor.disk.rhythm import Rhythm
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.doubles import Double
from holdfast.supervisor.processes.standbys import Standby, Standbys

STANDBY_SECONDS = 0.5
"""For the worker to keep what its last cell did, at the session's end: it does so milliseconds after it."""

_GONE = "the process that wrote it is gone"


class Writer:
    """Of one session."""

    def __init__(self, loop: Loop, standbys: Standbys, checkpoints: Checkpoints, settings: Settings) -> None:
        self._loop = loop
        self._standbys = standbys
        self._checkpoints = checkpoints
        self._settings = settings
        self._rhythm = Rhythm(settings)
        self._plan = Deadline(loop)
        self._double: Double | None = None
        self._writing: Standby | None = None  # whose state is being written
        self._written = 0  # generation of the standby whose state was written last
        self._back_at: int | None = None  # the last cell of the state that is back, and needs no write
        self._then: Callable[[], None] | None = None  # the session ends, and waits
        self._patience = Deadline(loop)  # for so long
        self.outstanding: Callable[[int], bool] = lambda _: False
        """Whether a standby of a later state than that after this cell is about to be taken."""
        standbys.on_added = self._added
        checkpoints.on_forgotten = self.stop

    def returned(self, after: int) -> None:
        """A worker is there, with the state after this cell. If that is on disk, its standby is no news.

        Nor is an empty one: what is on disk and could not be read would be forgotten for it.
        """
        newest = self._checkpoints.newest
        self._back_at = after if after in (0, newest.after if newest else 0) else None

    def stop(self) -> None:
        """Whatever is under way is not wanted: the state is another one, or the folder is needed."""
        self._plan.cancel()
        self._let_go()

    def finish(self, then: Callable[[], None]) -> None:
        """The session ends: `then` is called when its last state is on disk, or can't be had in time."""
        self._then = then
        self._patience.set(self._settings.end_seconds, self._give_up)
        if self._double is None:
            self._write_last()

    def _added(self, standby: Standby) -> None:
        """A standby is there: the state is another one, mostly."""
        if standby.after == self._back_at:
            self._back_at, self._written = None, standby.generation
        elif self._settings.enabled:
            self._rhythm.changed(time.monotonic())
            self._plan_next()
        if self._then is not None and self._double is None:
            self._write_last()

    def _plan_next(self) -> None:
        due = self._rhythm.due(time.monotonic())
        if due is not None and self._double is None and self._then is None:
            self._plan.set(due, self._write)

    def _write_last(self) -> None:
        newest = self._standbys.newest
        if self.outstanding(newest.after if newest is not None else 0):
            self._plan.set(STANDBY_SECONDS, self._write_what_is_there)
        else:
            self._write_what_is_there()

    def _write_what_is_there(self) -> None:
        standby, newest = self._standbys.newest, self._checkpoints.newest
        if standby is not None and newest is not None and standby.after < newest.after:
            self._through()  # its successor did not come in time
        else:
            self._write()

    def _write(self) -> None:
        standby = self._standbys.newest
        if standby is None or not self._settings.enabled or standby.generation == self._written:
            self._through()
            return
        self._plan.cancel()
        self._rhythm.began(time.monotonic())
        self._writing = standby
        self._double = Double(self._loop, standby, self._heard, lambda how: self._failed(f"{_GONE}: {how}"))
        order = Write(
            self._checkpoints.folder,
            codec.encode(self._checkpoints.facts(standby.after)),
            durable=True,
            keep=self._checkpoints.needed,
            limits=self._settings,
            gone=self._checkpoints.gone,
        )
        self._double.send(order, self._settings.write_seconds)

    def _heard(self, frame: Frame) -> None:
        if isinstance(frame, Written) and self._writing is not None:
            self._written = self._writing.generation
            self._checkpoints.add(frame, self._writing.after)
            self._over()
        elif isinstance(frame, NotWritten):
            self._failed(frame.what + (f"; {frame.remedy}" if frame.remedy else ""))

    def _failed(self, why: str) -> None:
        self._checkpoints.failed(why)
        self._over(again=False)

    def _over(self, *, again: bool = True) -> None:
        self._rhythm.ended(time.monotonic())
        self._let_go()
        if self._then is None:
            self._plan_next()
        elif again:
            self._write_last()  # while it was written, cells went on
        else:
            self._through()

    def _let_go(self) -> None:
        double, self._double, self._writing = self._double, None, None
        if double is not None:
            double.let_go()

    def _give_up(self) -> None:
        if self._double is not None:
            self._checkpoints.failed("the session ended before it was through")
        self.stop()
        self._through()

    def _through(self) -> None:
        then, self._then = self._then, None
        self._patience.cancel()
        if then is not None:
            then()
