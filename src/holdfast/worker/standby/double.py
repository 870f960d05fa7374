"""A double: a disposable copy of a standby, for questions that the sleeper itself must not be asked.

It is what the standby would be if it woke, but it is not the worker: what is printed in it is nobody's, what
it does to the namespace is gone with it, and whoever asked may kill it when an answer takes too long. It
serves on a link of its own until that ends. What can be asked is a table; `life` fills it in.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast.link.channel import Channel
from holdfast.link.messages import Ask, Examine, Examined, Frame, LeftBehind, Lent, NotWritten, Probing
from holdfast.worker.outlet import Outlet
from holdfast.worker.standby import canary

Task = Callable[[Any], object]
"""Does what a message asks, and answers through the worker's outlet, which speaks on the double's link."""

_NICENESS = 10
"""nice(2): the user's cell, and their next one, go first. Not before an `Ask`: for that somebody waits."""


class Double:
    """Of this process, once it is a copy of a standby; until then the table of what it can do."""

    def __init__(self) -> None:
        self.tasks: dict[type[Frame], Task] = {}
        self.lost_threads: Sequence[threading.Thread] = ()
        """Threads of the worker that did not come along."""

    def serve(self, channel: Channel, lost_threads: Sequence[threading.Thread], left: LeftBehind) -> None:
        """Do what is asked on `channel` until it ends; then the process does, and no exit handler runs."""
        try:
            _hush()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            gc.freeze()  # what came along is never collected here: finalizers act on the user's files
            self.lost_threads = lost_threads
            channel.send(Lent(os.getpid(), left))
            while not channel.ended:
                for message in channel.wait():
                    if not isinstance(message, Ask):
                        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
                    self.tasks[type(message)](message)
        except Exception as error:  # noqa: BLE001 - whoever asked is to hear of it, and sees the link end
            channel.send(NotWritten(f"{type(error).__name__}: {error}"))
        finally:
            os._exit(0)


def end_with(tether: int) -> None:
    """End when nobody has the other end of this pipe any more: whoever asked was killed, or hung up.

    The link's end is seen only between questions. A signal comes also while C code runs, and ends the process
    by itself (fcntl(2), O_ASYNC).
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(tether, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(tether, fcntl.F_SETFL, fcntl.fcntl(tether, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(tether, 0)
    if poll.poll(0):  # it was closed before
        os._exit(0)


def examination(double: Double, outlet: Outlet, namespace: Mapping[str, object]) -> Task:
    """The task of finding out whether the standby could go on as the worker."""

    def tell(what: str) -> None:
        outlet.send(Probing(what))

    def examine(_: Examine) -> None:
        verdict = canary.examine(namespace, double.lost_threads, tell)
        outlet.send(Examined(verdict.grade, verdict.reasons))

    return examine


def _hush() -> None:
    """What native code and subprocesses print here is nobody's either."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in (1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
