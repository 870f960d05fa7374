"""A fork that is not a child: its parent is the caller's parent (CLONE_PARENT, clone(2)).

A standby must not be seen by the user's os.wait() or in its list of children. Forking twice does that too, at
the price of a second copy of the page tables, a process that only ends, and a wait for its end: a millisecond
and a half of processor time for every cell. One system call does the same, where it is safe:

- only in a process with one thread: then no lock of the C library is held, and there is nothing that the
  library's fork handlers (pthread_atfork(3)) would have to stop or start. With threads one forks twice;
- the C library's note of its own thread id is renewed by the kernel, at the place where the library had it
  renewed by fork(3) (CLONE_CHILD_SETTID; PR_GET_TID_ADDRESS, prctl(2)). Where that place does not hold the
  thread id now (another C library, or a kernel that does not tell), nothing is done here.

Python's own handlers of a fork run as at os.fork(), but those of the child only once it is woken: most copies
never are, and what they would do (a new seed, new locks) costs more than the fork.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import random
import signal
import warnings
from typing import Any

from holdfast.worker.standby import quiet

_CLONE_PARENT = 0x00008000  # linux/sched.h
_CLONE_CHILD_CLEARTID = 0x00200000
_CLONE_CHILD_SETTID = 0x01000000
_FLAGS = _CLONE_PARENT | _CLONE_CHILD_CLEARTID | _CLONE_CHILD_SETTID | signal.SIGCHLD
_PR_GET_TID_ADDRESS = 40  # linux/prctl.h

_libc = ctypes.PyDLL(None, use_errno=True)  # keeps the GIL: nothing else of Python may run in between
_libc.syscall.restype = ctypes.c_long


def possible() -> bool:
    """Whether `fork` may be called in a process with one thread: a C library and kernel it understands."""
    return _arguments() is not None


def fork() -> int:
    """As os.fork(), but the new process's parent is ours. OSError.

    Only where `possible`, and with one thread. The child calls `settle` before it runs anybody else's code.
    """
    arguments = _arguments()
    assert arguments is not None
    with _unwarned:
        ctypes.pythonapi.PyOS_BeforeFork()
    pid = int(_libc.syscall(*arguments))
    if pid == 0:
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, os.strerror(error))
    return pid


def copy() -> int:
    """In a sleeping fork: one more copy, whose parent is its own; 0 in the copy. OSError.

    No handler of a fork runs in a sleeper with one thread: where Python's for the child have yet to come, the
    copy calls `settle`, too. A sleeper may have threads: scipy's FFT starts its own anew in each fork.
    """
    if possible() and quiet.alone():
        pid = int(_libc.syscall(*(_arguments() or ())))
        if pid < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return pid
    state = random.getstate()
    with _unwarned:
        pid = os.fork()
    random.setstate(state)
    return pid


def settle() -> None:
    """In the child of `fork`: what Python does in a forked child. `random` is not seeded anew: it goes on."""
    state = random.getstate()
    ctypes.pythonapi.PyOS_AfterFork_Child()
    random.setstate(state)


def fork_twice(spare_fds: int) -> tuple[int, bool]:
    """Where `fork` is not possible: have a child's child. The pid of the one in the middle, and who we are.

    The one in the middle ends at once; whoever called reaps it. Its descriptors below `spare_fds` are closed
    first: an end takes its time, and what is open is felt until then. OSError.
    """
    state = random.getstate()
    with _unwarned:
        middle = os.fork()
        if middle:
            return middle, False
        if os.fork():
            os.closerange(0, spare_fds)
            os._exit(0)
    random.setstate(state)
    return 0, True


class _Unwarned:
    """No warning of a fork while there are threads (Python's, jax's): it is ours, and is not taken blindly.

    `warnings.catch_warnings` would have each warning shown again that is to be shown once. A class, as a
    generator costs each cell more than what it does.
    """

    _IGNORE = ("ignore", None, Warning, None, 0)

    def __enter__(self) -> None:
        filters: Any = warnings.filters
        filters.insert(0, self._IGNORE)

    def __exit__(self, *_: object) -> None:
        filters: Any = warnings.filters
        if self._IGNORE in filters:  # else a handler of the fork has set filters of its own
            filters.remove(self._IGNORE)


_unwarned = _Unwarned()


@functools.cache
def _arguments() -> tuple[object, ...] | None:
    """Of the system call: its number and flags, and where the C library keeps its thread id. None: not here.

    The same in every fork: they share the layout of their memory.
    """
    address = ctypes.c_void_p()
    if _libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0) or not address.value:
        return None
    if ctypes.c_int.from_address(address.value).value != os.getpid():
        return None
    flags, nothing = ctypes.c_ulong(_FLAGS), ctypes.c_void_p(0)
    if platform.machine() == "x86_64":  # flags, stack, parent's tid, child's tid, tls
        return ctypes.c_long(56), flags, nothing, nothing, address, nothing
    if platform.machine() == "aarch64":  # flags, stack, parent's tid, tls, child's tid
        return ctypes.c_long(220), flags, nothing, nothing, nothing, address
    return None
