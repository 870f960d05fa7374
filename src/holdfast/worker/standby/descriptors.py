"""What this process has open: one look at /proc/self/fd, each number with what it is.

Only looking: nothing here opens (but the look itself), closes or changes a descriptor.
"""

from __future__ import annotations

import enum
import fcntl
import os
import stat
from collections.abc import Container, Iterable
from typing import NamedTuple


class Kind(enum.Enum):
    """What a descriptor is, as far as a copy of the process must treat it differently."""

    FILE = enum.auto()
    """Regular file, also a deleted or a memory one."""
    FOLDER = enum.auto()
    PIPE = enum.auto()
    NAMED_PIPE = enum.auto()
    SOCKET = enum.auto()
    EPOLL = enum.auto()
    COUNTER = enum.auto()
    """eventfd(2)."""
    TIMER = enum.auto()
    """timerfd(2)."""
    WATCH = enum.auto()
    """inotify(7), fanotify(7)."""
    TERMINAL = enum.auto()
    DEVICE = enum.auto()
    HARMLESS = enum.auto()
    """Two processes can feel nothing through it: /dev/null and its like, pidfd, signalfd, O_PATH."""
    OTHER = enum.auto()
    """Some other object of the kernel: io_uring, perf, bpf, userfaultfd."""


class Descriptor(NamedTuple):
    """One open number."""

    fd: int
    kind: Kind
    target: str
    """Where /proc/self/fd/N points: a path, `socket:[inode]`, `anon_inode:[eventfd]`."""
    inode: tuple[int, int]
    """Device and inode. All anon_inode objects share one."""
    flags: int
    """Access mode and status flags (F_GETFL)."""
    inheritable: bool
    position: int
    """Offset in bytes of a file or folder, else 0."""

    @property
    def writable(self) -> bool:
        """Opened for writing, alone or with reading."""
        return self.flags & os.O_ACCMODE != os.O_RDONLY

    @property
    def nonblocking(self) -> bool:
        """Reads and writes return EAGAIN instead of waiting."""
        return bool(self.flags & os.O_NONBLOCK)


# Memory devices (major 1) that keep nothing: null, zero, full, random, urandom.
_STATELESS_DEVICES = frozenset(os.makedev(1, minor) for minor in (3, 5, 7, 8, 9))
_ANONYMOUS = {
    "eventpoll": Kind.EPOLL,
    "eventfd": Kind.COUNTER,
    "timerfd": Kind.TIMER,
    "inotify": Kind.WATCH,
    "fanotify": Kind.WATCH,
    "pidfd": Kind.HARMLESS,
    "signalfd": Kind.HARMLESS,  # it reads the signals of whoever reads it
}
_PAGE = 65_536
_TERMINAL_MAJORS = frozenset({4, 5, *range(136, 144)})  # tty and serial lines, /dev/tty and ptmx, pts


def open_numbers() -> list[int]:
    """Every open number, among them the one of this very look, closed again. OSError when none is free."""
    return [int(name) for name in os.listdir("/proc/self/fd")]


def inventory(leave_out: Container[int]) -> list[Descriptor]:
    """Everything open but `leave_out`, in order of number."""
    return describe(sorted(fd for fd in open_numbers() if fd not in leave_out))


def describe(numbers: Iterable[int]) -> list[Descriptor]:
    """Describe those of `numbers` that are open."""
    found = []
    for fd in numbers:
        try:
            found.append(_describe(fd))
        except OSError:  # closed since the list was made: the look itself, or another thread's
            continue
    return found


def is_harmless(status: os.stat_result) -> bool:
    """Whether the status alone says that the descriptor is harmless: for a look cheaper than `describe`."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev in _STATELESS_DEVICES


def fdinfo(fd: int) -> str:
    """What the kernel tells about a descriptor in /proc/self/fdinfo (proc(5))."""
    # Bare calls: each page that a fork touches first has to be copied, and a text file touches many.
    number = os.open(f"/proc/self/fdinfo/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        told = b"".join(iter(lambda: os.read(number, _PAGE), b""))
    finally:
        os.close(number)
    return told.decode("ascii")


def _describe(fd: int) -> Descriptor:
    status = os.fstat(fd)
    target = os.readlink(f"/proc/self/fd/{fd}")
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    kind = _kind(status, target, flags)
    return Descriptor(
        fd=fd,
        kind=kind,
        target=target,
        inode=(status.st_dev, status.st_ino),
        flags=flags,
        inheritable=os.get_inheritable(fd),
        position=_position(fd) if kind in (Kind.FILE, Kind.FOLDER) else 0,
    )


def _position(fd: int) -> int:
    try:
        return os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:  # a few files of /proc and /sys have none
        return 0


def _kind(status: os.stat_result, target: str, flags: int) -> Kind:
    if flags & os.O_PATH:
        return Kind.HARMLESS
    if not target.startswith("/"):
        # Before the mode: kernels differ in the mode that they give these.
        anonymous = target.removeprefix("anon_inode:").strip("[]").partition(":")[0]
        if anonymous in _ANONYMOUS:
            return _ANONYMOUS[anonymous]
    if stat.S_ISCHR(status.st_mode):
        return _character_device(status.st_rdev)
    if stat.S_ISFIFO(status.st_mode):
        return Kind.NAMED_PIPE if target.startswith("/") else Kind.PIPE
    if target.startswith("anon_inode:"):
        return Kind.OTHER
    for is_it, kind in _BY_MODE:
        if is_it(status.st_mode):
            return kind
    return Kind.OTHER


_BY_MODE = (
    (stat.S_ISREG, Kind.FILE),
    (stat.S_ISDIR, Kind.FOLDER),
    (stat.S_ISSOCK, Kind.SOCKET),
    (stat.S_ISBLK, Kind.DEVICE),
)


def _character_device(device: int) -> Kind:
    if device in _STATELESS_DEVICES:
        return Kind.HARMLESS
    return Kind.TERMINAL if os.major(device) in _TERMINAL_MAJORS else Kind.DEVICE
