"""The processes of one test's session, found by a mark in their environment. Waiting is by pidfd only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from kit.deadline import Deadline

MARK = "HOLDFAST_TEST_MARK"
"""The variable whose value all processes of one kernel inherit, whatever they are forked or exec'ed from."""


def marked(mark: str) -> dict[int, str]:
    """Living processes (no zombies) that carry `mark`: process id and command line."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(entry.name)] = command.strip()
        except OSError:  # it ended while we looked, or belongs to somebody else
            continue
    return found


def wait_for_end(pid: int, deadline: Deadline) -> bool:
    """Whether the process `pid` ended before the deadline (pidfd_open(2))."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(deadline.left_ms()))
    finally:
        os.close(descriptor)


def left_over(mark: str, deadline: Deadline) -> dict[int, str]:
    """The marked processes that still live at the deadline; returns early when there are none."""
    while living := marked(mark):
        for pid in living:
            if not wait_for_end(pid, deadline):
                return marked(mark)
    return {}


def kill(mark: str, spared: int = 0) -> None:
    """Kill what is left of a kernel and wait until it is gone. AssertionError if it can't be killed.

    But the process `spared`. All are stopped first: none sees another one's end and does something about it.
    """
    deadline = Deadline(10)
    while living := marked(mark).keys() - {spared}:
        assert not deadline.passed, f"can't kill {living}"
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        for pid in living:
            wait_for_end(pid, deadline)


def children(pid: int) -> set[int]:
    """Process ids of the living children of `pid`."""
    text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return {int(child) for child in text.split()}


def parent(pid: int) -> int:
    """Process id of the parent of `pid` (proc(5), field 4 of stat, after the name in brackets)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def from_now_on(pid: int) -> int:
    """Bytes of memory that a process has; what it had is forgotten by `VmHWM` (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return resident(pid)


def resident(pid: int, peak: str = "VmRSS") -> int:
    """Bytes of memory that a process has; `VmHWM`: the most that it had at once (proc(5), status)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(peak))
