"""Subprocesses that a dead worker had started: they live on, but are nobody's children here.

`subprocess` takes "not my child" for "ended with 0" (Popen._try_wait, _internal_poll). After a promotion that
would be a made-up success, so for these processes the answer is an error.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path
from typing import Any


def disown() -> None:
    """In a worker that has woken: waiting for a process that is not its child raises ChildProcessError."""
    poll, wait = subprocess.Popen._internal_poll, subprocess.Popen._try_wait  # type: ignore[attr-defined]
    if poll.__module__ == __name__:
        return  # it has woken before

    def check(process: subprocess.Popen[Any]) -> None:
        if process.returncode is None and not _is_child(process.pid):
            raise ChildProcessError(
                errno.ECHILD,
                f"how process {process.pid} ended is not known: the interpreter that started it is gone",
            )

    def honest_poll(process: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> Any:
        if "_deadstate" not in kwargs:  # else it is being collected: nobody reads the answer
            check(process)
        return poll(process, *args, **kwargs)

    def honest_wait(process: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> Any:
        check(process)
        return wait(process, *args, **kwargs)

    subprocess.Popen._internal_poll = honest_poll  # type: ignore[attr-defined]
    subprocess.Popen._try_wait = honest_wait  # type: ignore[attr-defined]


def _is_child(pid: int) -> bool:
    """Whether a process is a child of this one, running or not yet waited for (proc(5), stat)."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1]) == os.getpid()
    return False
