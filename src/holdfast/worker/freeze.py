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

import asyncio
import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from holdfast.link.channel import Channel
from holdfast.link.messages import Asleep, NoStandby, StandbyTaken, Wake, Woken
from holdfast.worker import sibling
from holdfast.worker.lost import Lost, names_of_lost
from holdfast.worker.orphans import disown
from holdfast.worker.outlet import Outlet
from holdfast.worker.privatise import Private, make_private, wake
from holdfast.worker.quiet import held_still
from holdfast.worker.survey import Survey, survey
from holdfast.worker.template import LOWEST_FD
from holdfast.worker.warm import WarmPages

OOM_SCORE = {"worker": b"500", "standby": b"0"}
"""oom_score_adj (proc(5)): when memory ends, the kernel takes the worker and spares the standby."""

BROKEN = 71
"""Exit status of a fork that could not become a standby or a worker (EX_OSERR, sysexits.h)."""

_ALL_SIGNALS = signal.valid_signals()


class Freezer:
    """Takes standbys of this process."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        outlet: Outlet,
        shared: frozenset[int],
        private: frozenset[int],
        namespace: dict[str, Any],
        quiet_wait_ms: float,
        on_wake: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._channel = channel
        self._outlet = outlet
        self._shared = shared  # descriptors that all processes of the session have: kept as they are
        self._private = private  # descriptors each process has for itself (the loop's): rebuilt
        self._namespace = namespace
        self._quiet_wait_ms = quiet_wait_ms
        self._on_wake = on_wake  # told in the woken process, when the link is there again
        self._cell = 0  # the last cell whose effects this process holds
        self._fresh = False  # the newest standby holds all that this process holds
        self._middle = 0  # pid of the fork in the middle, not yet reaped
        self._twice = False  # the standby made last was made by two forks
        self._pid = 0  # of the standby made last; 0: it says so itself
        self._new = False  # this process is the fork that was just made
        self._warm = WarmPages()
        self._copying: asyncio.Handle | None = None  # when pages will be copied
        self.forking = False  # the fork that happens now is ours, not one of user code

    def changed(self, cell: int | None) -> None:
        """The namespace is newer than the newest standby; `cell` is the cell that made it so, if one did."""
        self._fresh = False
        self._cell = cell or self._cell

    def before(self, *, changes: bool) -> bool:
        """A request is about to run: see that the state before it is kept and no fork of ours is in sight.

        True in a standby that has woken here: the request was its predecessor's, and must not run again.
        """
        woken = changes and (not self._fresh or self._restless()) and self.take()
        self._reap()
        return woken

    def after(self) -> None:
        """A request is done: keep its state, in the user's thinking time."""
        if not self._fresh:
            self.take()

    def take(self) -> bool:
        """Fork a standby, or say why there is none. Returns a second time, True, in a fork that has woken."""
        woken = False
        while self._fork():
            woken = True  # this process is the worker now, and needs a standby of its own
        return woken

    def _copy_pages(self) -> None:
        """Nobody wants anything: copy what the next cell will write."""
        self._copying = None
        if threading.active_count() > 1:
            return  # each call would wait for the GIL
        self._warm.copy(lambda: _is_readable(self._channel))

    def _restless(self) -> bool:
        """Whether something of the user's may have run since the last request: a thread, a task, a timer."""
        loop = self._loop
        return (
            threading.active_count() > 1
            or any(not timer.cancelled() for timer in getattr(loop, "_scheduled", ()))
            or bool(asyncio.all_tasks(loop))
        )

    def _fork(self) -> bool:
        """One fork. True in the process that slept and has woken."""
        self._reap()
        if self._copying is not None:
            self._copying.cancel()
            self._copying = None
        began = time.perf_counter()
        try:
            seen = survey(self._shared | self._private | {self._channel.fileno()})
            ours, theirs = socket.socketpair()
        except OSError as error:
            self._refuse(f"no free descriptor: {error.strerror}")
            return False
        self._warm.look()
        with _signals_held():
            refusal = self._split()
            if self._new:
                ours.close()
                self._sleep(seen, Channel(theirs))
                return True
        theirs.close()
        with ours:
            if refusal:
                self._refuse(refusal)
                return False
            if seen.foreign:
                _is_readable(ours, None)  # private first: until then it holds what the user has open
            self._announce(ours, seen, (time.perf_counter() - began) * 1e3)
        self._copying = self._loop.call_soon(self._copy_pages)  # when what came meanwhile is done
        return False

    def _split(self) -> str:
        """Fork when no thread is inside native code; `_new` tells who we are. Returns why not, else ''."""
        with held_still(self._quiet_wait_ms) as busy:
            if busy:
                return f"another thread is inside native code: {', '.join(busy)}"
            self.forking = True
            try:
                self._twice = not sibling.possible()
                if not self._twice:
                    self._pid = sibling.fork()
                    self._new = not self._pid
                else:
                    self._fork_twice()
            except OSError as error:
                return f"the system refused to fork: {error.strerror}"
            finally:
                self.forking = False
        return ""

    def _fork_twice(self) -> None:
        """Have a child's child, and let the child end: its child is nobody's that the user could meet."""
        self._middle, self._pid = os.fork(), 0
        if self._middle:
            return
        if os.fork():
            os.closerange(0, LOWEST_FD << 1)  # an end takes its time, and what is open is felt until then
            os._exit(0)
        self._new = True

    def _announce(self, control: socket.socket, seen: Survey, took_ms: float) -> None:
        threads = [each.name for each in seen.threads]
        message = StandbyTaken(self._outlet.position, self._cell, self._pid, took_ms, threads)
        self._outlet.send(message, control.fileno())
        self._fresh = True

    def _refuse(self, reason: str) -> None:
        self._outlet.send(NoStandby(self._outlet.position, self._cell, reason))

    def _reap(self) -> None:
        """Let the fork in the middle be gone before user code could meet it."""
        if self._middle:
            with contextlib.suppress(ChildProcessError):  # SIGCHLD is ignored: the kernel has reaped it
                os.waitpid(self._middle, 0)
            self._middle = 0

    def _sleep(self, seen: Survey, control: Channel) -> None:
        """In the fork: become private, and block until woken. If it never is, it ends here."""
        self._new, self.forking = False, False
        try:
            private: Private | None = None
            if seen.foreign:
                private = make_private(seen, self._shared | {control.fileno()})
            else:
                self._let_go_of_the_link()
            os.setpgid(0, 0)  # interrupts go to the worker's process group: not to sleepers
            _set_oom_score("standby")
            if seen.foreign or self._twice:
                control.send(Asleep(os.getpid()))
            link = _await_wake(control)
            control.close()
            private = private or make_private(seen, self._shared | {link})
            wake(private)
            disown()
            self._join(link)
            lost = [_in_words(each) for each in names_of_lost(self._namespace, private)]
            _forget_pending_signals()
            self._outlet.send(Woken(self._outlet.position, os.getpid(), lost))
        except BaseException as error:  # noqa: BLE001 - a broken fork must never run on as a second worker
            os.write(2, f"holdfast: a standby broke: {error!r}\n".encode())
            os._exit(BROKEN)

    def _let_go_of_the_link(self) -> None:
        """Nothing of the user's is open, so only this could be felt; the rest waits until it is needed."""
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nothing, self._channel.fileno(), inheritable=False)
        os.close(nothing)

    def _join(self, link: int) -> None:
        """Put the new link in the place of the dead worker's."""
        number = self._channel.fileno()
        self._loop.remove_reader(number)
        os.dup2(link, number, inheritable=False)
        os.close(link)
        self._middle = 0
        asyncio._set_running_loop(self._loop)  # asyncio forgets it when the pid changes; it runs on here
        self._channel.restart()
        self._outlet.renew()
        yield_to_the_supervisor()
        _set_oom_score("worker")
        if getattr(self._loop, "_default_executor", None) is not None:
            self._loop.set_default_executor(ThreadPoolExecutor())  # the old one's threads did not come along
        self._on_wake()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """No signal is delivered inside: to a fork none is meant, and the worker's come when it is done."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _in_words(lost: Lost) -> str:
    return f"{lost.name} ({lost.what})" if lost.name else lost.what


def yield_to_the_supervisor() -> None:
    """Let the worker's waking up never interrupt the supervisor, which wakes it and has more to say.

    SCHED_BATCH (sched(7)) changes nothing else: the worker's share of the processor stays the same.
    """
    os.sched_setscheduler(0, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def _await_wake(control: Channel) -> int:
    """Block until the supervisor needs this standby; returns the new link. Not needed any more: ends here."""
    while True:
        for message in control.wait():
            if isinstance(message, Wake):
                return control.take_fd()
        if control.ended:
            os._exit(0)


def _is_readable(source: socket.socket | Channel, patience_ms: int | None = 0) -> bool:
    """Whether something can be read, or the other end is gone; None waits for it."""
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return bool(poll.poll(patience_ms))


def _forget_pending_signals() -> None:
    """What was sent to the sleeper was not meant for the worker it has become."""
    while signal.sigtimedwait(_ALL_SIGNALS, 0) is not None:
        pass


def _set_oom_score(role: str) -> None:
    with contextlib.suppress(OSError):  # not in every sandbox
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, OOM_SCORE[role])
        os.close(file)
