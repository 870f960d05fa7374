"""Processes that a dead worker had started: they live on, but are nobody's children here.

`subprocess` takes "not my child" for "ended with 0" (Popen._try_wait, _internal_poll), and multiprocessing
for "runs for ever". So a worker that has woken answers for these by itself: whether one runs it sees, how one
ended the template has noted (`worker.ends`), and what nobody knows is an error and no made-up success.
os.waitpid() is left alone: to the kernel they are no children.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import subprocess
import sys
from typing import Any

from holdfast.processes import look
from holdfast.worker import ends

_STARTER = "_holdfast_starter"
"""Attribute of an object that stands for a process: the worker that started it, if that one had woken."""


def is_orphan(process: Any) -> bool:
    """Whether another worker started it, and its end has not been seen."""
    return process.returncode is None and getattr(process, _STARTER, None) != os.getpid()


def ended(pid: int, seconds: float | None = 0, *, patience: float = ends.REPORT_SECONDS) -> int | None:
    """How the orphan `pid` ended, as Python tells it (-9: by signal 9); None: it runs, also after `seconds`.

    None for `seconds` waits for its end. ChildProcessError: it has ended, and nobody knows how, also after
    `patience`.
    """
    descriptor = watch(pid)
    if descriptor is not None:
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(None if seconds is None else seconds * 1e3):
                return None
        finally:
            os.close(descriptor)
    status = ends.table().of(pid, _asleep_at(), patience)
    if status is None:
        raise ChildProcessError(
            errno.ECHILD,
            f"how process {pid} ended is not known: the interpreter that started it is gone",
        )
    return os.waitstatus_to_exitcode(status)


def runs(pid: int) -> bool:
    """Whether the orphan `pid` has not ended yet."""
    found = look(pid)
    return found is not None and not found.ended and found.started <= _asleep_at()


def watch(pid: int) -> int | None:
    """A descriptor that can be read when the orphan has ended (pidfd_open(2)); None: it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    found = look(pid)
    if found is not None and found.started <= _asleep_at():
        return descriptor
    os.close(descriptor)  # another process has that id now
    return None


def disown() -> None:
    """In a worker that has woken: answer for processes that another one started."""
    for step in (_of_subprocess, _of_multiprocessing):
        with contextlib.suppress(Exception):  # another's in their place, as gevent's: as it was without this
            step()


def _asleep_at() -> int:
    """When this process was forked: what its objects stand for began before, or in the same clock tick."""
    own = look(os.getpid())
    return own.started if own is not None else 0


def _of_subprocess() -> None:
    popen: Any = subprocess.Popen
    start, poll, wait = popen._execute_child, popen._internal_poll, popen._wait
    if start.__module__ == __name__:
        return  # it has woken before, and knows by the starter's id who started what

    def marking_start(process: Any, *args: Any, **kwargs: Any) -> Any:
        setattr(process, _STARTER, os.getpid())
        return start(process, *args, **kwargs)

    def true_poll(process: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_orphan(process):
            return poll(process, *args, **kwargs)
        # With "_deadstate" it is being collected, and nobody reads the answer.
        process.returncode = kwargs["_deadstate"] if "_deadstate" in kwargs else ended(process.pid)
        return process.returncode

    def true_wait(process: Any, timeout: float | None) -> Any:
        if not is_orphan(process):
            return wait(process, timeout)
        process.returncode = ended(process.pid, timeout)
        if process.returncode is None and timeout is not None:
            raise subprocess.TimeoutExpired(process.args, timeout)
        return process.returncode

    popen._execute_child, popen._internal_poll, popen._wait = marking_start, true_poll, true_wait


def _of_multiprocessing() -> None:
    module: Any = sys.modules.get("multiprocessing.popen_fork")
    if module is None:
        return
    popen = module.Popen
    for kind in (popen, *popen.__subclasses__()):
        if kind.poll.__module__ != __name__ and "poll" in vars(kind):
            kind.poll = _true_poll(kind.poll)
    if popen.__init__.__module__ != __name__:
        popen.__init__, popen.wait = _marking_init(popen.__init__), _true_wait(popen.wait)
    children: set[Any] = sys.modules["multiprocessing.process"]._children
    for process in list(children):
        with contextlib.suppress(Exception):  # another version's insides: as it was without this
            if not _take_on(process):
                children.discard(process)  # each new process asks all of these, also what is an error to ask


def _take_on(process: Any) -> bool:
    """Let this worker ask for a multiprocessing.Process, whose sentinel is severed; whether it runs."""
    process._parent_pid = os.getpid()
    popen = process._popen
    descriptor = watch(popen.pid)
    if descriptor is None:
        return False
    os.dup2(descriptor, popen.sentinel, inheritable=False)  # both can be read when it has ended
    os.close(descriptor)
    return True


def _true_poll(poll: Any) -> Any:
    def true_poll(popen: Any, flag: int = os.WNOHANG) -> Any:
        if not is_orphan(popen):
            return poll(popen, flag)
        popen.returncode = ended(popen.pid, 0 if flag & os.WNOHANG else None)
        return popen.returncode

    return true_poll


def _true_wait(wait: Any) -> Any:
    def true_wait(popen: Any, timeout: float | None = None) -> Any:
        if not is_orphan(popen):
            return wait(popen, timeout)
        popen.returncode = ended(popen.pid, timeout)
        return popen.returncode

    return true_wait


def _marking_init(init: Any) -> Any:
    def marking_init(popen: Any, process: Any) -> None:
        setattr(popen, _STARTER, os.getpid())
        init(popen, process)

    return marking_init
