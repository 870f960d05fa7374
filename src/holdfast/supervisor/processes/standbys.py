"""The sleeping forks: which there are, what each holds, which is woken next, which can be gone back to.

Those that are not wanted any more are not these, but `branches`.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Literal

from holdfast.link.channel import Channel
from holdfast.link.messages import Abandoned, Asleep, Go, Lend, StandbyTaken, Wake
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.line import heard

_FOR_CRASHES = 2


def dismiss(control_fd: int) -> None:
    """Have a standby end: it would take an end of its control socket for the supervisor's own."""
    control = Channel(socket.socket(fileno=control_fd))
    control.send(Go())
    control.close()


class Standby:
    """One of them."""

    def __init__(self, control: Channel, generation: int, taken: StandbyTaken) -> None:
        self.generation = generation  # counted from 1 over the session
        self.after = taken.after  # the last cell whose effects it holds
        self.pid = taken.pid or None  # known at the latest once it sleeps
        self.taken_at = taken.taken or time.monotonic()
        self.took_ms = taken.took_ms
        self.fingerprint = taken.fingerprint  # those that are alike have the same grade
        self.control = control

    def listen(self) -> None:
        """Take in what it says: that it sleeps, or, by its end, that it is gone."""
        for message in heard(self.control):
            if isinstance(message, Asleep):
                self.pid = message.pid

    def wake(self, link: socket.socket) -> None:
        """Make it the worker on `link`. Its control socket must stay open until it has answered there."""
        self.control.send(Wake(), link.fileno())

    def lend(self, link: socket.socket, tether: int) -> None:
        """Have a copy of it serve on `link`, and end with the other end of the pipe `tether`.

        Both may be closed afterwards. It sleeps on itself.
        """
        self.control.send(Lend(), link.fileno(), tether)

    def abandon(self) -> None:
        """It sleeps on for its supervisor alone: none that takes over would know what it is."""
        self.control.send(Abandoned())

    def let_go(self) -> None:
        """It ends. Killed, if it is known who it is: to be told it would wake up, and copy pages for that."""
        if self.pid is None:
            self.control.send(Go())
        else:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(self.pid, signal.SIGKILL)
        self.control.close()

    def risen(self) -> None:
        """It has woken, and is the worker."""
        self.control.close()


class Standbys:
    """All of them, oldest first; no more than `keep`."""

    def __init__(self, loop: Loop, keep: int, lost_newest: Callable[[], None]) -> None:
        """`lost_newest` is called when the one that would be woken next has ended by itself."""
        self._loop = loop
        self._lost_newest = lost_newest
        self._keep = keep
        self._all: list[Standby] = []
        self._generation = 0
        self.crashed: list[str] = []  # what ran when a worker died, since a cell has ended
        self._barrier = 0  # generations up to this one are woken on request only
        self.on_added: Callable[[Standby], None] = lambda _: None
        """Told of each new one."""
        self.on_abandoned: Callable[[Literal["undo", "crash", "restart"], Standby], None] = _end
        """Given the newest of those that are not wanted any more, and why; it is not watched here now."""
        self.alike: Callable[[int, int], bool] = int.__eq__
        """Whether the states after two cells are the same to who goes back."""

    @property
    def newest(self) -> Standby | None:
        """The one that was taken last."""
        return self._all[-1] if self._all else None

    @property
    def successor(self) -> Standby | None:
        """The one that would be woken now: the newest, unless its state was thrown away on purpose."""
        newest = self.newest
        return newest if newest is not None and newest.generation > self._barrier else None

    @property
    def all(self) -> list[Standby]:
        """The oldest first."""
        return self._all[:]

    def add(self, control_fd: int, taken: StandbyTaken) -> Standby:
        """A new one sleeps; the oldest goes if there are too many."""
        control = Channel(socket.socket(fileno=control_fd))
        control.sock.setblocking(False)
        self._generation += 1
        standby = Standby(control, self._generation, taken)
        bisect.insort(self._all, standby, key=lambda each: each.taken_at)  # one that was lost may come late
        self._watch(standby)
        while len(self._all) > self._keep:
            self._drop(self._spare())
        self.on_added(standby)
        return standby

    def drop_oldest(self) -> Standby | None:
        """Memory ends: fewer can be gone back to. The two newest stay, for crashes. The one that has gone."""
        oldest = self._all[0] if len(self._all) > _FOR_CRASHES else None
        if oldest is not None:
            self._drop(oldest)
        return oldest

    def kept_after(self, first: int, end: int) -> Standby | None:
        """The newest one of the state after cell `first`, or a later one before cell `end`."""
        found = (each for each in reversed(self._all) if first <= each.after < end)
        return next(found, None)

    def goes_next(self, standby: Standby) -> bool:
        """Whether it has to go when the next one is taken."""
        return len(self._all) >= self._keep and standby is self._spare()

    def choose(self, standby: Standby, since: int) -> None:
        """It shall be woken next, as `leave` says. If it was abandoned before, it is one of us again."""
        self._all = [each for each in self._all if each is not standby]
        self.leave(since)
        self._barrier = min(self._barrier, standby.generation - 1)
        self._all.append(standby)
        self._watch(standby)

    def leave(self, since: int) -> None:
        """A state without the cells from number `since` on is wanted: those that hold any of them go."""
        left = [each for each in self._all if each.after >= since]
        self._all = [each for each in self._all if each.after < since]
        self._abandon("undo", left)

    def proven(self) -> None:
        """A cell has ended: the worker is sound, and so is what it was before."""
        self.crashed.clear()

    def put_barrier(self) -> None:
        """What was thrown away on purpose: nobody who sleeps now takes over by itself any more."""
        self._barrier = self._generation

    def step_back(self) -> None:
        """The newest state may be damaged: all that hold it go, if there is an older one."""
        newest = self.newest
        older = [each for each in self._all if newest is not None and each.after < newest.after]
        if older and older[-1].generation > self._barrier:
            self._all, newer = older, self._all[len(older) :]
            self._abandon("crash", newer)

    def take(self) -> Standby | None:
        """The newest that may take over, out of the list: it is about to be woken."""
        standby = self.successor
        if standby is None:
            return None
        self._all.remove(standby)
        self._loop.forget(standby.control.fileno())
        standby.listen()
        return standby

    def died(self, pid: int) -> bool:
        """A process has ended: whether it was one of these."""
        for standby in self._all:
            if standby.pid == pid:
                self._lose(standby)
                return True
        return False

    def _spare(self) -> Standby:
        """Which one is missed least: the oldest that is like the next one, or the oldest.

        Widgets and threads have several taken of one cell, which must not cost the way back to others. The
        two newest are never spared: one is woken after a crash, the other one if the first does not answer.
        """
        older = zip(self._all[:-2], self._all[1:-1], strict=True)
        return next((each for each, newer in older if self.alike(each.after, newer.after)), self._all[0])

    def retire(self) -> None:
        """The namespace is thrown away: none may take over any more."""
        self._all, thrown = [], self._all
        self._abandon("restart", thrown)

    def drop_all(self) -> None:
        """Let all go."""
        for standby in self._all[:]:
            self._drop(standby)

    def _abandon(self, why: Literal["undo", "crash", "restart"], standbys: list[Standby]) -> None:
        """These, the oldest first, are not in the list any more."""
        for each in standbys:
            self._loop.forget(each.control.fileno())
        for each in standbys[:-1]:
            each.let_go()
        if standbys:
            self.on_abandoned(why, standbys[-1])

    def _watch(self, standby: Standby) -> None:
        self._loop.on_readable(standby.control.fileno(), lambda: self._listen(standby))

    def _listen(self, standby: Standby) -> None:
        standby.listen()
        if standby.control.ended and standby in self._all:
            self._lose(standby)

    def _lose(self, standby: Standby) -> None:
        newest = standby is self.newest
        self._drop(standby)
        if newest:
            self._lost_newest()

    def _drop(self, standby: Standby) -> None:
        self._all.remove(standby)
        self._loop.forget(standby.control.fileno())
        standby.let_go()


def _end(_why: str, standby: Standby) -> None:
    standby.let_go()
