"""The template: standby 0. It imports IPython, runs no user code, is always idle, and forks fresh workers.

It is parent or adopter (subreaper, prctl(2)) of every process of the session below the supervisor, so how
each of them ended is known whoever asks. It takes them along when the session is over: the supervisor has
said so, or is gone and no other one comes for what it leaves (see `heritage`).
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import os
import resource
import select
import signal
import socket
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.link.channel import Channel
from holdfast.link.messages import Died, Farewell, Fork, Forked, ForkFailed, Keep, Start
from holdfast.processes import look
from holdfast.worker import ends
from holdfast.worker.heritage import Heritage

LOWEST_FD = 200
"""Our descriptors are moved up here: user code that counts or closes low ones meets only its own."""

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_LINE_BUFFERED = 1  # _IOLBF, stdio.h

_libc = ctypes.CDLL(None, use_errno=True)


def prepare(start: Start) -> Start:
    """Once, before anything is forked: what all processes of the session share. Returns the moved numbers."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise HoldfastError(f"can't adopt orphans: {os.strerror(ctypes.get_errno())}")
    if start.files:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (start.files, hard))
    # A C program's stdout is block-buffered in a pipe: a crash would take its text along.
    _libc.setvbuf(ctypes.c_void_p.in_dll(_libc, "stdout"), None, _LINE_BUFFERED, 0)
    start.link, start.fault, start.ring, start.room = (
        _move_up(number) for number in (start.link, start.fault, start.ring, start.room)
    )
    start.meets = _move_up(start.meets)
    start.kept = {label: _move_up(number) for label, number in start.kept.items()}
    # OpenBLAS's idle threads would spin 100 ms after each call, and no fork is safe while they do.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")
    ends.table()
    gc.collect()
    gc.freeze()  # what is imported now stays: no collection of a worker needs to look, nor copy its pages
    faulthandler.enable(start.fault, all_threads=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return start


class Template:
    """Forks when told to and reports who ended."""

    def __init__(self, start: Start) -> None:
        self._channel = Channel(socket.socket(fileno=start.link))
        self._heritage = Heritage(start)
        self._wakeup, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)  # SIGCHLD only writes a byte here
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)

    @property
    def life(self) -> int:
        """Number of the worker that was forked last."""
        return self._heritage.life

    def serve(self) -> Channel | None:
        """Serve until the session is over (None). In a fresh worker: returns its link."""
        while not self._is_over():
            self._reap()
            for message in self._channel.receive():
                if isinstance(message, Fork):
                    link = self._channel.take_fd()
                    self._heritage.begin_life()
                    if worker := self._fork(link):
                        return worker
                elif isinstance(message, Keep):
                    self._heritage.keep(self._channel.take_fd(), message)
                elif isinstance(message, Farewell):
                    self._heritage.expected = False
            self._heritage.meet()
            if not self._channel.ended:
                self._heritage.pass_on(self._channel)
        self._heritage.close()
        _end_all_children()
        return None

    def _is_over(self) -> bool:
        """Wait until there is something to do; whether there will never be."""
        heritage = self._heritage
        if self._channel.ended:
            if heritage.wait_for_heir():
                return True
            heir = heritage.take_heir()
            if heir is not None:
                self._channel.close()
                self._channel = heir
        sources = [self._wakeup, *heritage.sources]
        if not self._channel.ended:
            sources.append(self._channel.fileno())
        return not _readable(sources, heritage.patience()) and heritage.given_up

    def _fork(self, link: int) -> Channel | None:
        try:
            pid = os.fork()
        except OSError as error:
            self._channel.send(ForkFailed(error.strerror or str(error)))
            os.close(link)
            return None
        if pid:
            os.close(link)
            self._heritage.born(pid)
            self._channel.send(Forked(pid))
            return None
        signal.set_wakeup_fd(-1)
        os.close(self._wakeup)
        os.close(self._bell)
        self._channel.close()
        self._heritage.let_go()
        return Channel(socket.socket(fileno=_move_up(link)))

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                was = look(ended.si_pid)
                pid, status, usage = os.wait4(ended.si_pid, 0)
                if was is not None:
                    ends.table().note(pid, was.started, status)
                died = Died(pid, status, usage.ru_maxrss)
                self._heritage.died(died)
                if not self._channel.ended:
                    self._channel.send(died)


def _readable(sources: list[int], seconds: float | None) -> bool:
    """Wait until something can be read, or so long; whether something can."""
    poll = select.poll()
    for source in sources:
        poll.register(source, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1e3))


def _move_up(number: int) -> int:
    """The descriptor at a high number, closed on exec; the low one is closed."""
    import fcntl  # noqa: PLC0415 - used once, here

    moved = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, LOWEST_FD)
    os.close(number)
    return moved


def _end_all_children() -> None:
    """Nobody is left to serve: worker and standbys go too, children of user code stay to themselves."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    ours = os.readlink("/proc/self/exe")
    for pid in map(int, children):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/exe") == ours and os.getpgid(pid) == pid:
                os.kill(pid, signal.SIGKILL)
