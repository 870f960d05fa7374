"""A process as /proc shows it (proc_pid_stat(5)). Only looking; who belongs to whom is for others to say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_OURS = " -m holdfast.worker "

_PF_EXITING = 0x4  # linux/sched.h

_STAT_BYTES = 2048
"""Of its line in /proc: 52 numbers and a name."""


class Process(NamedTuple):
    """One process. A process id alone may be another one's tomorrow."""

    pid: int
    parent: int
    group: int
    session: int
    terminal: int
    """Its number; 0: it has none."""
    started: int
    """In clock ticks since boot."""
    ended: bool
    """Or about to be gone: on its way out, or not waited for yet."""


def look(pid: int) -> Process | None:
    """A process as it is now (its name may have brackets in it); None if it is gone."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)  # a file object costs each cell more
    except OSError:
        return None
    try:
        fields = os.read(file, _STAT_BYTES).rpartition(b")")[2].split()
    except OSError:
        return None
    finally:
        os.close(file)
    state, parent, group, session, terminal = fields[:5]
    ended = state in b"ZX" or bool(int(fields[6]) & _PF_EXITING)
    return Process(pid, int(parent), int(group), int(session), int(terminal), int(fields[19]), ended)


def lives(pid: int | None) -> bool:
    """Whether there is such a process, and it is not on its way out."""
    found = look(pid) if pid is not None else None
    return found is not None and not found.ended


def command(pid: int) -> str:
    """What was started, as one line; "" if that is not to be had."""
    return "a fork of the interpreter" if is_ours(pid) else _command_line(pid)


def is_ours(pid: int) -> bool:
    """Whether it runs what template, worker and standbys run: it is one of them, or a fork of the user's."""
    return _OURS in _command_line(pid)


def children(pid: int, thread: int | None = None) -> list[int]:
    """Of one of the process's threads, its main one if not said (proc_pid_task_children(5))."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{thread or pid}/children").read_text().split()]
    except OSError:
        return []


def _command_line(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    return " ".join(os.fsdecode(each) for each in words)
