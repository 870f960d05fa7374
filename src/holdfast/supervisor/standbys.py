"""The sleeping forks: which there are, what each holds, which is woken next, which can be gone back to."""

from __future__ import annotations

import bisect
import socket
import time
from collections.abc import Callable

from holdfast.link.channel import Channel
from holdfast.link.messages import Asleep, Go, Lend, StandbyTaken, Wake
from holdfast.supervisor.line import heard
from holdfast.supervisor.loop import Loop, Timer

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

    def lend(self, link: socket.socket) -> None:
        """Have a copy of it serve on `link`, which may be closed afterwards. It sleeps on itself."""
        self.control.send(Lend(), link.fileno())

    def let_go(self) -> None:
        """It is told, and ends."""
        self.control.send(Go())
        self.control.close()


class Standbys:
    """All of them, oldest first; no more than `keep`."""

    def __init__(self, loop: Loop, keep: int, lost_newest: Callable[[], None]) -> None:
        """`lost_newest` is called when the one that would be woken next has ended by itself."""
        self._loop = loop
        self._lost_newest = lost_newest
        self._keep = keep
        self._all: list[Standby] = []
        self._retired: tuple[Standby, Timer] | None = None
        self._generation = 0
        self.crashed: list[str] = []  # what ran when a worker died, since a cell has ended
        self._barrier = 0  # generations up to this one are woken on request only
        self.on_added: Callable[[Standby], None] = lambda _: None
        """Told of each new one."""
        self.alike: Callable[[int, int], bool] = int.__eq__
        """Whether the states after two cells are the same to who goes back."""

    @property
    def newest(self) -> Standby | None:
        """The one that would be woken now."""
        return self._all[-1] if self._all else None

    def add(self, control_fd: int, taken: StandbyTaken) -> Standby:
        """A new one sleeps; the oldest goes if there are too many."""
        control = Channel(socket.socket(fileno=control_fd))
        control.sock.setblocking(False)
        self._generation += 1
        standby = Standby(control, self._generation, taken)
        bisect.insort(self._all, standby, key=lambda each: each.taken_at)  # one that was lost may come late
        self._loop.on_readable(control.fileno(), lambda: self._listen(standby))
        while len(self._all) > self._keep:
            self._drop(self._spare())
        self.on_added(standby)
        return standby

    def drop_oldest(self) -> None:
        """Memory ends: fewer can be gone back to. The two newest stay, for crashes."""
        if len(self._all) > _FOR_CRASHES:
            self._drop(self._all[0])

    def kept_after(self, first: int, end: int) -> Standby | None:
        """The newest one of the state after cell `first`, or a later one before cell `end`."""
        found = (each for each in reversed(self._all) if first <= each.after < end)
        return next(found, None)

    def goes_next(self, standby: Standby) -> bool:
        """Whether it has to go when the next one is taken."""
        return len(self._all) >= self._keep and standby is self._spare()

    def choose(self, standby: Standby) -> None:
        """It shall be woken next: those that are newer go; all others, if it is from before a restart."""
        self._barrier = min(self._barrier, standby.generation - 1)
        if standby is self.retired:
            assert self._retired is not None
            self._retired[1].cancel()
            self._retired = None
            self._all, others = [standby], self._all
        else:
            place = self._all.index(standby) + 1
            self._all, others = self._all[:place], self._all[place:]
        for each in others:
            self._let_go(each)

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
            for each in self._all[len(older) :]:
                self._drop(each)

    def take(self) -> Standby | None:
        """The newest that may take over, out of the list: it is about to be woken."""
        if not self._all or self._all[-1].generation <= self._barrier:
            return None
        standby = self._all.pop()
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

    def retire(self, seconds: float) -> None:
        """None may take over any more. The newest one sleeps on so long, for who regrets a restart."""
        newest = self._all.pop() if self._all else None
        self.drop_all()
        if newest is not None:
            self._retired = newest, self._loop.later(seconds, self._drop_retired)

    @property
    def retired(self) -> Standby | None:
        """The newest one from before the last restart, while it is kept."""
        return self._retired[0] if self._retired is not None else None

    def drop_all(self) -> None:
        """Let all go."""
        for standby in self._all[:]:
            self._drop(standby)
        self._drop_retired()

    def _drop_retired(self) -> None:
        if self._retired is not None:
            standby, timer = self._retired
            self._retired = None
            timer.cancel()
            self._let_go(standby)

    def _listen(self, standby: Standby) -> None:
        standby.listen()
        if not standby.control.ended:
            return
        if standby is self.retired:
            self._drop_retired()
        elif standby in self._all:
            self._lose(standby)

    def _lose(self, standby: Standby) -> None:
        newest = standby is self.newest
        self._drop(standby)
        if newest:
            self._lost_newest()

    def _drop(self, standby: Standby) -> None:
        self._all.remove(standby)
        self._let_go(standby)

    def _let_go(self, standby: Standby) -> None:
        self._loop.forget(standby.control.fileno())
        standby.let_go()
