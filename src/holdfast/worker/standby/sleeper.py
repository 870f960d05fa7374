"""What a fork of the worker does from its first breath: become private, sleep, and wake, or be copied.

    asleep ──Wake──▶ the worker, on the link that comes along
       └────Lend──▶ goes on sleeping; a copy of it is a double (see `double`) on the link that comes along

Nothing here runs in the process that is forked: that is `freeze`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from holdfast.link.channel import Channel
from holdfast.link.messages import Abandoned, Absent, Asleep, Go, Lend, Sleeping, StandbyTaken, Wake, Woken
from holdfast.worker.ipython import comms
from holdfast.worker.outlet import Outlet
from holdfast.worker.standby import awaited, canary, sibling
from holdfast.worker.standby.bars import let_go_on
from holdfast.worker.standby.databases import keep_open
from holdfast.worker.standby.double import Double, end_with
from holdfast.worker.standby.lonely import find_template
from holdfast.worker.standby.lost import left_behind, nameless
from holdfast.worker.standby.orphans import disown
from holdfast.worker.standby.pools import break_pools
from holdfast.worker.standby.privatise import Private, make_private, wake
from holdfast.worker.standby.survey import Survey
from holdfast.worker.standby.warm import WarmPages

OOM_SCORE = {"worker": b"500", "standby": b"0", "double": b"1000"}
"""oom_score_adj (proc(5)): when memory ends, the kernel takes a double or the worker, not the standby."""

BROKEN = 71
"""Exit status of a fork that could not become a standby or a worker (EX_OSERR, sysexits.h)."""

_ALL_SIGNALS = frozenset(int(each) for each in signal.valid_signals())


class Sleeper:
    """The one that sleeps in this process, if it is a fork; until then only what it will need."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        outlet: Outlet,
        shared: frozenset[int],
        namespace: Mapping[str, object],
        on_wake: Callable[[], list[str]],
    ) -> None:
        """`on_wake` is told in the woken process, when the link is there again, and says what is lost."""
        self._loop = loop
        self._channel = channel
        self._outlet = outlet
        self._shared = shared  # descriptors that all processes of the session have: kept as they are
        self._namespace = namespace
        self._on_wake = on_wake
        self._settled = False  # Python's own handlers of a fork have run
        self.meeting = ""  # where the template can be found, and of which life this is (`Start`)
        self.life = 0
        self.warm = WarmPages()
        self.double = Double()

    def sleep(self, seen: Survey, control: Channel, taken: StandbyTaken, *, settled: bool) -> None:
        """In the fork, with all signals blocked: block until woken. If it never is, the process ends here.

        `taken`: what the supervisor is told of it. `settled`: it was made by os.fork(), so Python's own
        handlers have run.
        """
        self._settled = settled
        try:
            private: Private | None = None
            if seen.foreign:
                private = make_private(seen, self._shared | {control.fileno()})
            else:
                self._let_go_of_the_link()
            os.setpgid(0, 0)  # interrupts go to the worker's process group: not to sleepers
            set_oom_score("standby")
            if seen.foreign or settled:
                control.send(Asleep(os.getpid()))
            link = self._await_wake(control, seen, private, taken)
            control.close()
            private = self._rise(seen, private, link)
            switched_off = self._join(link)
            left = left_behind(self._namespace, private)
            left.not_restored.extend(Absent("other", "", each) for each in switched_off)
            break_pools(seen.threads)
            let_go_on(seen.threads)
            awaited.rejoin(self._loop, seen.threads)
            _forget_pending_signals()
            self._outlet.send(Woken(self._outlet.position, os.getpid(), left, comms.living()))
        except BaseException as error:  # noqa: BLE001 - a broken fork must never run on as a second worker
            os.write(2, f"holdfast: a standby broke: {error!r}\n".encode())
            os._exit(BROKEN)

    def _await_wake(
        self, control: Channel, seen: Survey, private: Private | None, taken: StandbyTaken
    ) -> int:
        """Block until the supervisor needs this standby; the new link. Not needed any more: ends here."""
        abandoned = False
        while True:
            for message in control.wait():
                if isinstance(message, Wake):
                    return control.take_fd()
                if isinstance(message, Lend):
                    self._lend(control, seen, private)
                if isinstance(message, Abandoned):
                    abandoned = True
                if isinstance(message, Go):
                    os._exit(0)
            if not control.ended:
                continue
            if abandoned or not find_template(control, self.meeting, self._described(taken)):
                os._exit(0)

    def _described(self, taken: StandbyTaken) -> Sleeping:
        return Sleeping(self.life, taken.after, os.getpid(), taken.fingerprint, taken.taken)

    def _lend(self, control: Channel, seen: Survey, private: Private | None) -> None:
        """Have a copy of this process serve on the link that came along; it never returns here."""
        link, tether = control.take_fd(), control.take_fd()
        try:
            is_copy = not sibling.copy()
        except OSError:  # whoever asked sees the link end
            is_copy = False
        if is_copy:
            control.close()
            os.setpgid(0, 0)
            set_oom_score("double")
            private = self._rise(seen, private, link, tether)
            self._outlet.set_apart()
            self._take_link(link)
            break_pools(seen.threads)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            end_with(tether)
            self.double.serve(self._channel, seen.threads, nameless(private))
        os.close(link)
        os.close(tether)

    def _let_go_of_the_link(self) -> None:
        """Nothing of the user's is open, so only this could be felt; the rest waits until it is needed."""
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nothing, self._channel.fileno(), inheritable=False)
        os.close(nothing)

    def _rise(self, seen: Survey, private: Private | None, *ours: int) -> Private:
        """Become a process that runs: with Python's handlers run, and descriptors of its own."""
        if not self._settled:
            sibling.settle()
        private = private or make_private(seen, self._shared.union(ours))
        wake(private)
        disown()
        keep_open(is_one=canary.had_threads("duckdb"))
        return private

    def _take_link(self, link: int) -> None:
        """Put a new link in the place of the dead worker's."""
        number = self._channel.fileno()
        self._loop.remove_reader(number)
        os.dup2(link, number, inheritable=False)
        os.close(link)
        self._channel.restart()
        asyncio._set_running_loop(self._loop)  # asyncio forgets it when the pid changes; it runs on here

    def _join(self, link: int) -> list[str]:
        """Become the worker on `link`. Returns what is off from now on, in words."""
        self._take_link(link)
        self.warm.woken()
        self._outlet.renew()
        begin_as_worker()
        set_oom_score("worker")
        if getattr(self._loop, "_default_executor", None) is not None:
            self._loop.set_default_executor(ThreadPoolExecutor())  # the old one's threads did not come along
        return self._on_wake()


def begin_as_worker() -> None:
    """What a fork does first of all when it becomes the worker.

    Its waking up shall never interrupt the supervisor, which wakes it and has more to say. SCHED_BATCH
    (sched(7)) changes nothing else: the worker's share of the processor stays the same.

    Python does not note that the main thread of a fork has another number: programs that ask whether they are
    in the main thread (matplotlib's windows) would be told that they are not.
    """
    os.sched_setscheduler(0, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, os.sched_param(0))
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]


def set_oom_score(role: str) -> None:
    """Say whom the kernel is to take when memory ends."""
    with contextlib.suppress(OSError):  # not in every sandbox
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, OOM_SCORE[role])
        os.close(file)


def _forget_pending_signals() -> None:
    """What was sent to the sleeper was not meant for the worker it has become."""
    while signal.sigtimedwait(_ALL_SIGNALS, 0) is not None:
        pass
