"""Is it safe to fork now? Only while no other thread is inside native code.

A fork waits for, or copies half-done, what other threads do in native code: OpenBLAS's own fork handler has
stopped a live worker for ever. A thread that runs Python is harmless as long as it can't run: who looks
holds the GIL from the first look until after the fork. Three things make that true:

- /proc is read through `ctypes.PyDLL`, whose calls keep the GIL; Python's own file functions release it, and
  what they saw is of the past when they return;
- the switch interval is raised, so that a thread that begins to wait for the GIL does not ask for it before
  the fork is done;
- a thread that waited already asks within the old interval. So if other threads run Python, the look lasts
  longer than that: whoever got the GIL meanwhile has used the processor, which the second look sees.

A thread that sleeps in native code (a blocking read) is safe and counts as quiet. One that sleeps there with
a lock of its library held can't be told from it; nothing can.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import select
import sys
import threading
import time
from collections.abc import Iterator

_TASKS = "/proc/self/task"
_ALONE = 3
"""Links of that folder when there is one thread: `.`, `..`'s and its own."""
_LOOK_SECONDS = 0.0003
"""Between the two looks: a thread that computes moves its clock in a tenth of that."""
_PATIENCE_SECONDS = 0.005
"""For threads to come to rest while the GIL is held: on a busy machine going to sleep needs a turn, too."""
_HELD_SECONDS = 0.02
"""Switch interval while held: many times what is left to do until the fork, and short enough not to be felt
by a program whose other thread gets the GIL in between."""
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 1, 8
"""OpenBLAS's threads spin for some 30 ms after each call: more looks would only slow them."""
_QUIET_STATES = frozenset(b"SIZX")  # asleep, idle, or ended (proc_pid_stat(5))
_D_NAME = 19
"""Offset of the name in struct dirent on 64-bit Linux, both glibc and musl (readdir(3))."""
_ENTRY_BYTES = 1024
"""More than a thread's line in /proc can have."""


def alone() -> bool:
    """Whether this process has one thread: then it stays so, and a fork is always safe."""
    return os.stat(_TASKS).st_nlink == _ALONE


@contextlib.contextmanager
def held_still(wait_ms: float) -> Iterator[list[str]]:
    """Find a moment when a fork is safe, and keep it so until the block ends.

    Gives the names of the threads that still are inside native code after `wait_ms`; [] when a fork is safe.
    The fork must be the first thing in the block: whatever releases the GIL before it (opening a file,
    awaiting a lock) makes the answer a matter of the past.
    """
    if alone():
        yield []
        return
    interval = sys.getswitchinterval()
    sys.setswitchinterval(max(interval, _HELD_SECONDS))
    try:
        yield _busy_after(wait_ms, settled=time.monotonic() + interval + _LOOK_SECONDS)
    finally:
        sys.setswitchinterval(interval)


def busy_threads(wait_ms: float) -> list[str]:
    """Only tell which threads are inside native code, to show it: by the time it is read it may be over."""
    with held_still(wait_ms) as busy:
        return busy


def has_python(busy: list[str]) -> bool:
    """Whether one of these busy threads runs Python, too: the others only ever work for one that does."""
    return bool(busy) and any(each.name in busy for each in threading.enumerate())


def _busy_after(wait_ms: float, settled: float) -> list[str]:
    """Look until nobody is busy or the time is over. Who waited for the GIL before has asked by `settled`."""
    end = time.monotonic() + wait_ms / 1e3
    pause = _FIRST_PAUSE_MS
    while True:
        others_run_python = len(sys._current_frames()) > 1
        look = settled - time.monotonic() if others_run_python else 0.0
        busy = _busy_now(max(_LOOK_SECONDS, look))
        left_ms = int((end - time.monotonic()) * 1e3)
        if not busy or left_ms <= 0:
            return _names(busy)
        # A poll of nothing releases the GIL and uses no processor; there is no event that could be awaited.
        select.poll().poll(min(pause, left_ms))
        pause = min(2 * pause, _LONGEST_PAUSE_MS)


def _busy_now(seconds: float) -> dict[int, bytes]:
    """Threads that do not come to rest while the GIL is held; with what the kernel says of each.

    Looks twice, `seconds` apart. Somebody who is seen running may only be on the way to sleep, having just
    handed over the GIL: then more looks follow, before the GIL is given away and all begins anew.
    """
    libc = _gil_keeping_libc()
    me = threading.get_native_id()
    end = time.monotonic() + max(seconds, _PATIENCE_SECONDS)
    before = _tasks(libc, me)
    while before:
        libc.usleep(int(seconds * 1e6))
        now = _tasks(libc, me)
        busy = {
            tid: seen
            for tid, seen in now.items()
            if _state(seen) not in _QUIET_STATES or seen != before.get(tid)
        }
        if not busy or time.monotonic() > end:
            return busy
        before, seconds = now, _LOOK_SECONDS
    return {}


def _tasks(libc: ctypes.PyDLL, leave_out: int) -> dict[int, bytes]:
    """What the kernel says of each other thread: state, times and faults, then its times in nanoseconds.

    OSError if there is no free descriptor to look with: who can't look must not take it for quiet.
    """
    folder = libc.opendir(_TASKS.encode())
    if not folder:
        raise _failed()
    found = {}
    try:
        while entry := libc.readdir(folder):
            name = ctypes.string_at(entry + _D_NAME)
            if name.isdigit() and int(name) != leave_out:
                path = b"%s/%s/" % (_TASKS.encode(), name)
                if stat := _read(libc, path + b"stat"):  # else it has just ended
                    found[int(name)] = stat + _read(libc, path + b"schedstat")
    finally:
        libc.closedir(folder)
    return found


def _read(libc: ctypes.PyDLL, path: bytes) -> bytes:
    fd = libc.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if fd < 0:
        if ctypes.get_errno() in (errno.EMFILE, errno.ENFILE):
            raise _failed()
        return b""
    buffer = ctypes.create_string_buffer(_ENTRY_BYTES)
    size = libc.read(fd, buffer, _ENTRY_BYTES)
    libc.close(fd)
    return buffer.raw[: max(size, 0)]


def _failed() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def _state(stat: bytes) -> int:
    return stat[stat.rindex(b")") + 2]


def _names(busy: dict[int, bytes]) -> list[str]:
    python = {each.native_id: each.name for each in threading.enumerate()}
    return [
        python.get(tid) or stat[stat.index(b"(") + 1 : stat.rindex(b")")].decode(errors="replace")
        for tid, stat in busy.items()
    ]


@functools.cache
def _gil_keeping_libc() -> ctypes.PyDLL:
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
    libc.readdir.argtypes = libc.closedir.argtypes = [ctypes.c_void_p]
    libc.read.restype = ctypes.c_ssize_t
    return libc
