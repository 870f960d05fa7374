"""The few calls of the C library that Python 3.11 does not offer, with OSError for their errors.

Nothing here decides anything. Numbers and layouts are those of Linux on x86-64 and AArch64.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
_F_DUPFD_QUERY = 1027
_KCMP_FILE = 0
_KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
_EPOLL_CTL_ADD = 1
_EPOLL_EVENT = "=IQ" if platform.machine() == "x86_64" else "=I4xQ"  # packed on x86-64 only (epoll_ctl(2))
_SPLICE_F_NONBLOCK = 2
_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine())
_FUTEX_WAIT, _FUTEX_WAKE = 0, 1
_EVERYBODY = 2**31 - 1
_NS = 1_000_000_000


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def same_description(one: int, other: int) -> bool:
    """Whether two numbers are dups of one open file description (they share offset, flags and flock).

    Asks fcntl (Linux 6.10), else kcmp(2). Where both are refused, the answer is False.
    """
    try:
        return fcntl.fcntl(one, _F_DUPFD_QUERY, other) == 1
    except OSError:
        if _KCMP is None:
            return False
        pid = os.getpid()
        return bool(_LIBC.syscall(_KCMP, pid, pid, _KCMP_FILE, one, other) == 0)


def tee(source: int, sink: int, size: int) -> int:
    """Copy up to `size` bytes from pipe to pipe without consuming them; how many were (tee(2))."""
    return _checked(_LIBC.tee(source, sink, ctypes.c_size_t(size), _SPLICE_F_NONBLOCK))


def epoll() -> int:
    """Make an epoll set, close-on-exec; a bare number, which no object closes."""
    return _checked(_LIBC.epoll_create1(os.O_CLOEXEC))


def epoll_add(epoll: int, fd: int, events: int, data: int) -> None:
    """Register `fd` with its 64 bits of user data, which `select.epoll` can't set and libuv needs."""
    event = struct.pack(_EPOLL_EVENT, events, data)
    _checked(_LIBC.epoll_ctl(epoll, _EPOLL_CTL_ADD, fd, event))


def timerfd(clock: int) -> int:
    """Make a disarmed timer descriptor, close-on-exec (timerfd_create(2))."""
    return _checked(_LIBC.timerfd_create(clock, os.O_CLOEXEC))


def timerfd_arm(fd: int, first_ns: int, interval_ns: int) -> None:
    """Arm a timer descriptor: first expiry in `first_ns` from now (0 disarms), then every `interval_ns`."""
    spec = struct.pack("@qqqq", *divmod(interval_ns, _NS), *divmod(first_ns, _NS))
    _checked(_LIBC.timerfd_settime(fd, 0, spec, None))


def futex_wait(address: int, value: int, seconds: float) -> None:
    """Wait until somebody wakes who waits at `address` (futex(2)), as long as the 4 bytes there are `value`.

    It returns as well after so many seconds, for a signal, or for nothing: look again.
    """
    whole = int(seconds)
    limit = struct.pack("@qq", whole, int((seconds - whole) * _NS))
    if _FUTEX is not None:
        _LIBC.syscall(
            ctypes.c_long(_FUTEX),
            ctypes.c_void_p(address),
            _FUTEX_WAIT,
            ctypes.c_uint32(value),
            limit,
            None,
            0,
        )


def futex_wake(address: int) -> None:
    """Wake all who wait at `address`, in whatever process."""
    if _FUTEX is not None:
        _LIBC.syscall(ctypes.c_long(_FUTEX), ctypes.c_void_p(address), _FUTEX_WAKE, _EVERYBODY, None, None, 0)
