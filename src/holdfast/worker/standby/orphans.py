"""Subprocesses that a dead worker had started: they live on, but are nobody's children here.

`subprocess` takes "not my child" for "ended with 0" (Popen._try_wait, _internal_poll). After a promotion that
would be a made-up success, so for these processes the answer is an error.
"""

from __future__ import annotations

import errno
import os
import subprocess
from typing import Any

_STARTER = "_holdfast_starter"
"""Attribute of a Popen object: process id of the worker that started it, if that one had woken."""


def disown() -> None:
    """In a worker that has woken: waiting for a process that another one started raises ChildProcessError."""
    popen: Any = subprocess.Popen
    start, poll, wait = popen._execute_child, popen._internal_poll, popen._try_wait
    if start.__module__ == __name__:
        return  # it has woken before, and knows by the starter's id who started what

    def marking_start(process: Any, *args: Any, **kwargs: Any) -> Any:
        setattr(process, _STARTER, os.getpid())
        return start(process, *args, **kwargs)

    def honest_poll(process: Any, *args: Any, **kwargs: Any) -> Any:
        if "_deadstate" not in kwargs:  # else it is being collected: nobody reads the answer
            _check(process)
        return poll(process, *args, **kwargs)

    def honest_wait(process: Any, *args: Any, **kwargs: Any) -> Any:
        _check(process)
        return wait(process, *args, **kwargs)

    popen._execute_child, popen._internal_poll, popen._try_wait = marking_start, honest_poll, honest_wait


def _check(process: Any) -> None:
    if process.returncode is None and getattr(process, _STARTER, None) != os.getpid():
        raise ChildProcessError(
            errno.ECHILD,
            f"how process {process.pid} ended is not known: the interpreter that started it is gone",
        )
