"""Work in a forked child that may hang or crash: told apart, bounded, and at no other's cost.

Only for processes of the worker's kind, with one thread; the one file beside the worker's that forks.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import select
import signal
import struct
import sys
import time
import warnings
from collections.abc import Callable
from typing import NoReturn

Say = Callable[[bytes], None]

_LENGTH = struct.Struct("<I")
_READ_BYTES = 256 * 1024
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Child:
    """One piece of work and what it says."""

    def __init__(self, work: Callable[[Say], None], patience: float) -> None:
        """Begin. After `patience` seconds of silence the child is killed. OSError if there can be none."""
        self._patience = patience
        self._unread = bytearray()
        ours = os.getpid()
        self._reading, writing = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(self._reading)
            os.close(writing)
            raise
        if self._pid == 0:
            _work(work, writing, ours)
        os.close(writing)
        os.set_blocking(self._reading, False)

    def listen(self, heard: Callable[[bytes], None]) -> str | None:
        """Hand over all that it says until it ends. None if it went well, else in words how it ended."""
        pidfd = os.pidfd_open(self._pid)
        try:
            silent = self._until_it_ends(pidfd, heard)
            if silent:
                os.kill(self._pid, signal.SIGKILL)
            _, status = os.waitpid(self._pid, 0)
            self._hear(heard)  # the last words
        finally:
            os.close(pidfd)
            os.close(self._reading)
        if silent:
            return f"it took more than {self._patience:g} s"
        code = os.waitstatus_to_exitcode(status)
        return ended(code) if code != os.EX_OK else None

    def _until_it_ends(self, pidfd: int, heard: Callable[[bytes], None]) -> bool:
        """Whether it fell silent instead."""
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._reading, select.POLLIN)
        until = time.monotonic() + self._patience
        while True:
            ready = dict(poll.poll(max(0.0, until - time.monotonic()) * 1000))
            if self._reading in ready:
                if self._hear(heard):
                    until = time.monotonic() + self._patience
                else:
                    poll.unregister(self._reading)  # its end; what it left running may hold the process
            if pidfd in ready:
                return False
            if time.monotonic() >= until:
                return True

    def _hear(self, heard: Callable[[bytes], None]) -> bool:
        """Read what is there; whether there was anything."""
        anything = False
        while chunk := _read(self._reading):
            anything = True
            self._unread += chunk
        while len(self._unread) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._unread)[0]
            if len(self._unread) < end:
                break
            heard(bytes(self._unread[_LENGTH.size : end]))
            del self._unread[:end]
        return anything


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _READ_BYTES)
    except BlockingIOError:
        return b""


def _work(work: Callable[[Say], None], writing: int, parent: int) -> NoReturn:
    status = os.EX_SOFTWARE
    try:
        _end_with(parent)
        _keep_quiet()

        def say(message: bytes) -> None:
            data = memoryview(_LENGTH.pack(len(message)) + message)
            while data:
                data = data[os.write(writing, data) :]

        work(say)
        status = os.EX_OK
    except BaseException:  # noqa: BLE001 - nothing may leave this frame: the caller's code is below it
        status = os.EX_SOFTWARE
    finally:
        os._exit(status)


def _end_with(parent: int) -> None:
    """Who kills our parent means us too: what it was to write, or to take back, may be another's by now."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(os.EX_SOFTWARE)


def _keep_quiet() -> None:
    """What goes wrong here is told by how it ends; and nothing is done that only the end of it would show."""
    faulthandler.disable()  # its report would be taken for one of the user's process
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(name, signal.SIG_DFL)
    gc.disable()  # a collection would copy pages, and run finalizers
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))


_RECURSION = 50_000
"""Of the interpreter and of pickle's C code: a chain of 15,000 objects can be written, within 8 MiB of stack.
Where there is less, that variable is lost: the child crashes."""


def ended(code: int) -> str:
    """How a process ended that should not have, in words."""
    if code < 0:
        names = {each.value: each.name for each in signal.Signals}  # most of the real-time ones have none
        return f"it crashed the process ({names.get(-code, f'signal {-code}')})"
    return f"it ended the process (exit status {code})"
