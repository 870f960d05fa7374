"""Which waits nobody can end."""

from __future__ import annotations

import contextlib
import os
import platform
import select
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.supervisor.aftermath.standstill import is_wait, waiting_for_one_another

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls differ")


@pytest.mark.parametrize(
    ("syscall", "forever"),
    [
        ("202 0x7f10 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f20", True),
        ("202 0x7f10 0x80 0x2 0x0 0x0 0x0 0x7ffd 0x7f20", True),
        ("202 0x7f10 0x189 0x0 0x7ffe 0x0 0xffffffff 0x7ffd 0x7f20", False),  # a time limit
        ("202 0x7f10 0x109 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f20", False),  # of several processes
        ("202 0x7f10 0x81 0x1 0x0 0x0 0x0 0x7ffd 0x7f20", False),  # wakes somebody
        ("232 0x3 0x7f10 0x2 0xffffffff 0x0 0x8 0x7ffd 0x7f20", False),  # epoll_wait
        ("running", False),
        ("-1 0x7ffd 0x7f20", False),
    ],
)
def test_only_a_wait_for_another_thread_without_a_limit_counts(syscall: str, forever: bool) -> None:
    assert is_wait(syscall) is forever


@given(st.text(alphabet="0123456789abcdefx -runig", max_size=60))
def test_no_line_of_the_kernels_is_too_strange(line: str) -> None:
    with contextlib.suppress(ValueError):  # what looks is prepared for that
        assert is_wait(line) in (True, False)


def _forked(work: str) -> int:
    """A child that does it."""
    ready, its_end = os.pipe()
    if not (pid := os.fork()):
        os.write(its_end, b"r")
        lock = threading.Lock()
        lock.acquire()
        if work == "lock":
            lock.acquire()
        else:
            select.poll().poll()
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(its_end)
    return pid


@pytest.mark.parametrize(("work", "stuck"), [("lock", True), ("poll", False)])
def test_a_process_whose_only_thread_waits_for_a_lock_is_told_from_one_that_waits_for_events(
    work: str, stuck: bool
) -> None:
    pid = _forked(work)
    try:
        for _ in range(10_000):  # it has begun, and comes to rest in no time
            if (waiting_for_one_another(pid) is not None) is stuck and _sleeps(pid):
                break
        assert (waiting_for_one_another(pid) is not None) is stuck
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _sleeps(pid: int) -> bool:
    with open(f"/proc/{pid}/syscall") as file:
        return not file.read().startswith("running")
