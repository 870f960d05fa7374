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


def children() -> frozenset[int]:
    """Process ids of this process's children (proc(5), task/TID/children; empty if it can't be read)."""
    with contextlib.suppress(OSError):
        return frozenset(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_bytes().split()))
    return frozenset()


def disown(pids: frozenset[int]) -> None:
    """From now on waiting for one of `pids` raises ChildProcessError instead of inventing an exit status."""
    if not pids:
        return
    poll, wait = subprocess.Popen._internal_poll, subprocess.Popen._try_wait  # type: ignore[attr-defined]

    def check(process: subprocess.Popen[Any]) -> None:
        if process.pid in pids and process.returncode is None:
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
