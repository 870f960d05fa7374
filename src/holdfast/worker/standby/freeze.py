"""The standby: a fork of the live worker that sleeps until the worker dies.

    template
      ├ worker ── fork as a sibling ─▶ standby          the user's os.wait() and child lists never see it
      │    │                              │             (with threads: by two forks, of which the middle one
      │    └ goes on                    asleep           ends at once; see `sibling`)
      │                                   │ Wake
      └───────────────────────────────▶ the worker, which first of all takes a standby of itself

A standby is *private* before the worker goes on (see `privatise`): it holds no pipe open, no port, no lock
and no file offset of the worker's. Where nothing of the user's is open there is nothing to wait for.
`docs/decisions/0003-standby.md` says why it is the sleeper that wakes, and not a fork of it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable

from holdfast.link.channel import Channel
from holdfast.link.messages import NoStandby, StandbyTaken
from holdfast.worker.outlet import Outlet
from holdfast.worker.standby import canary, openmp, quiet, sibling
from holdfast.worker.standby.sleeper import Sleeper
from holdfast.worker.standby.survey import survey
from holdfast.worker.template import LOWEST_FD

REST_SECONDS = 0.003
"""From a request's end to the fork that keeps its state: the answer is on its way to the client, through
processes that need the processor now. Whatever comes earlier finds its standby taken all the same."""

BURST_SECONDS = 0.010
"""A request that comes so soon after the last one is not a person's: the fork is not put off in a burst, as
it is done while the answer is on its way and the next request on its own."""

_set_signal_mask: Callable[[int, Iterable[int]], set[int]] = _signal.pthread_sigmask
"""`signal`'s own makes 64 enums of a mask, at each call."""
_signal_handler: Callable[[int], object] = _signal.getsignal
_ALL_SIGNALS = frozenset(int(each) for each in signal.valid_signals())
_HANDLED = sorted(_ALL_SIGNALS - {int(signal.SIGINT)})  # between cells our own handler does nothing
_SIG_BLOCK, _SIG_SETMASK = int(signal.SIG_BLOCK), int(signal.SIG_SETMASK)


class Freezer:
    """Takes standbys of this process."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        outlet: Outlet,
        known: frozenset[int],
        sleeper: Sleeper,
        quiet_wait_ms: float,
    ) -> None:
        """`known`: descriptors that are not the user's. `sleeper`: what the forks become."""
        self._loop = loop
        self._channel = channel
        self._outlet = outlet
        self._known = known
        self._sleeper = sleeper
        self._quiet_wait_ms = quiet_wait_ms
        self._cell = 0  # the last cell whose effects this process holds
        self._fresh = False  # the newest standby holds all that this process holds
        self._middle = 0  # pid of the fork in the middle, not yet reaped
        self._twice = False  # the standby made last was made by two forks
        self._pid = 0  # of the standby made last; 0: it says so itself
        self._new = False  # this process is the fork that was just made
        self._fingerprint = ""  # of the standby made last: those that are alike are worth the same
        self._warm = sleeper.warm
        self._copying: asyncio.Handle | None = None  # when pages will be copied
        self._resting: asyncio.Handle | None = None  # when a standby will be taken
        self._ended = -BURST_SECONDS  # loop's time at which the last request was done
        self._in_a_burst = False  # the last request came right after the one before it
        self.pause: Callable[[], str] = lambda: ""  # says why no standby may be taken now, if none may
        self.forking = False  # the fork that happens now is ours, not one of user code

    def changed(self, cell: int | None) -> None:
        """The namespace is newer than the newest standby; `cell` is the cell that made it so, if one did."""
        self._fresh = False
        self._cell = cell or self._cell

    def before(self, *, changes: bool) -> bool:
        """A request is about to run: see that the state before it is kept and no fork of ours is in sight.

        True in a standby that has woken here: the request was its predecessor's, and must not run again.
        """
        self._in_a_burst = self._loop.time() - self._ended < BURST_SECONDS
        due = self._drop_plans()
        woken = (due or (changes and (not self._fresh or self._restless()))) and self.take()
        self._reap()
        return woken

    def after(self) -> None:
        """A request is done: keep its state, in the user's thinking time."""
        self._ended = self._loop.time()
        if self._fresh:
            return
        if self._in_a_burst:
            self.take()
        else:
            self._resting = self._loop.call_later(REST_SECONDS, self._rested)

    def take(self) -> bool:
        """Fork a standby, or say why there is none. Returns a second time, True, in a fork that has woken."""
        woken = False
        mask = _set_signal_mask(
            _SIG_BLOCK, _ALL_SIGNALS
        )  # who kills one after the other finds a standby each
        try:
            while self._fork():
                woken = True  # this process is the worker now, and needs a standby of its own
        finally:
            _set_signal_mask(_SIG_SETMASK, mask)
        return woken

    def _rested(self) -> None:
        self._resting = None
        self.take()

    def _drop_plans(self) -> bool:
        """What would happen while nothing is asked of us does not happen; whether a standby was due."""
        due = self._resting is not None
        for plan in (self._resting, self._copying):
            if plan is not None:
                plan.cancel()
        self._resting = self._copying = None
        return due

    def _copy_pages(self) -> None:
        """Nobody wants anything: copy what the next cell will write."""
        self._copying = None
        if threading.active_count() > 1:
            return  # each call would wait for the GIL
        self._warm.copy(lambda: _is_readable(self._channel))

    def _restless(self) -> bool:
        """Whether something of the user's may have run since the last request.

        A thread, a task, a timer, what waits for a descriptor (servers), what handles a signal.
        """
        loop = self._loop
        return (
            threading.active_count() > 1
            or any(not timer.cancelled() for timer in getattr(loop, "_scheduled", ()))
            or _has_tasks(loop)
            or _watches_more_than(self._known, loop)
            or any(map(callable, map(_signal_handler, _HANDLED)))
        )

    def _fork(self) -> bool:
        """One fork. True in the process that slept and has woken."""
        self._reap()
        self._drop_plans()
        self._outlet.fork_begins()
        try:
            return self._fork_now()
        finally:
            self._outlet.fork_ended()

    def _fork_now(self) -> bool:
        began = time.monotonic()
        try:
            if reason := self.pause() or canary.unforkable():
                self._refuse(reason)
                return False
            seen = survey(self._known)
            self._fingerprint = canary.fingerprint().text
            ours, theirs = socket.socketpair()
        except OSError as error:
            self._refuse(f"no free descriptor: {error.strerror}")
            return False
        self._warm.look()
        mask = _set_signal_mask(_SIG_BLOCK, _ALL_SIGNALS)  # none is meant for a fork; the worker's come after
        try:
            refusal = self._split()
            if self._new:
                ours.close()
                self._sleeper.sleep(seen, Channel(theirs), self._taken(began), settled=self._twice)
                self._middle, self._new, self.forking = 0, False, False
                return True
        finally:
            _set_signal_mask(_SIG_SETMASK, mask)
        theirs.close()
        if refusal:
            self._refuse(refusal)
        else:
            if seen.foreign:
                _is_readable(ours, None)  # private first: until then it holds what the user has open
            self._announce(ours, self._taken(began))
            self._copying = self._loop.call_soon(self._copy_pages)  # when what came meanwhile is done
        ours.close()
        return False

    def _split(self) -> str:
        """Fork when no thread is inside native code; `_new` tells who we are. Returns why not, else ''."""
        self.forking = True
        try:
            alone = quiet.alone()
            pools = not alone and openmp.look()
            if pools and len(sys._current_frames()) == 1:
                openmp.pause()
                alone = quiet.alone()
            self._twice = not (alone and sibling.possible())
            if not self._twice:
                self._pid = sibling.fork()
                self._new = not self._pid
                return ""
            for _ in range(1 + pools):  # the threads of a pool may be all that is busy: they spin for a while
                with quiet.held_still(self._quiet_wait_ms) as busy:
                    if quiet.has_python(busy):
                        break
                    openmp.pause()
                    if not busy:
                        self._pid = 0
                        self._middle, self._new = sibling.fork_twice(LOWEST_FD << 1)
                        return ""
            return f"another thread is inside native code: {', '.join(busy)}"
        except OSError as error:
            return f"the system refused to fork: {error.strerror}"
        finally:
            self.forking = self._new  # in the fork it goes on until it is woken

    def _taken(self, began: float) -> StandbyTaken:
        """What is told of the standby made last, which was begun at `began`."""
        took_ms = (time.monotonic() - began) * 1e3
        return StandbyTaken(self._outlet.position, self._cell, self._pid, took_ms, self._fingerprint, began)

    def _announce(self, control: socket.socket, taken: StandbyTaken) -> None:
        self._outlet.send(taken, control.fileno())
        self._fresh = True

    def _refuse(self, reason: str) -> None:
        self._outlet.send(NoStandby(self._outlet.position, self._cell, reason))

    def _reap(self) -> None:
        """Let the fork in the middle be gone before user code could meet it."""
        if self._middle:
            with contextlib.suppress(ChildProcessError):  # SIGCHLD is ignored: the kernel has reaped it
                os.waitpid(self._middle, 0)
            self._middle = 0


def _has_tasks(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a task is unfinished. The full answer takes a dozen calls: mostly there is nobody to ask."""
    known = getattr(asyncio.tasks, "_all_tasks", None)  # up to Python 3.11
    return (known is None or len(known) > 0) and bool(asyncio.all_tasks(loop))


def _watches_more_than(known: frozenset[int], loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop watches descriptors that are not ours."""
    selector = getattr(loop, "_selector", None)
    return selector is not None and not known.issuperset(selector.get_map())


def _is_readable(source: socket.socket | Channel, patience_ms: int | None = 0) -> bool:
    """Whether something can be read, or the other end is gone; None waits for it."""
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return bool(poll.poll(patience_ms))
