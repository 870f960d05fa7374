"""The session's lock between processes: one of many gets it, and the system gives it back."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from holdfast.errors import SessionLocked
from holdfast.journal.lock import SessionLock

TAKER = """
import os, sys
from pathlib import Path
from holdfast.errors import SessionLocked
from holdfast.journal.lock import SessionLock

path, gate = Path(sys.argv[1]), int(sys.argv[2])
lock = None
print("ready", flush=True)
while os.read(gate, 1):
    try:
        lock = SessionLock.acquire(path)
        print("taken", flush=True)
    except SessionLocked as error:
        print(error.what, flush=True)
    sys.stdin.readline()
    if lock:
        lock.release()
    print("ready", flush=True)
"""

HOLDER = """
import subprocess, sys, os
from pathlib import Path
from holdfast.journal.lock import SessionLock

lock = SessionLock.acquire(Path(sys.argv[1]))
if sys.argv[2] == "executes":
    child = subprocess.Popen([sys.executable, "-c", "input()"], close_fds=False)
    print(child.pid, flush=True)
elif (child := os.fork() if sys.argv[2] == "forks" else os.getpid()):
    print(child, flush=True)
sys.stdin.readline()
"""


class Holding:
    """A process that holds the lock, and perhaps a child of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.process = process
        self.child = int(process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def holding(path: Path, how: str) -> Iterator[Holding]:
    command = [sys.executable, "-c", HOLDER, str(path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Holding(process)
        finally:
            process.kill()  # closing its stdin, on the way out, ends a child as well


def test_exactly_one_of_many_gets_the_lock_each_time(tmp_path: Path) -> None:
    path, takers, rounds = tmp_path / "lock", 8, 40
    waiting, opener = os.pipe()
    command = [sys.executable, "-c", TAKER, str(path), str(waiting)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    pass_fds=[waiting],
                    text=True,
                    bufsize=1,
                )
            )
            for _ in range(takers)
        ]
        os.close(waiting)
        winners = set()
        for _ in range(rounds):
            assert {process.stdout.readline() for process in processes if process.stdout} == {"ready\n"}
            os.write(opener, bytes(takers))  # all of them wait at the gate: they go at once
            said = {process.pid: process.stdout.readline() for process in processes if process.stdout}
            (winner,) = [pid for pid, line in said.items() if line == "taken\n"]
            winners.add(winner)
            for pid, line in said.items():
                # A loser may ask before the winner has written its name.
                assert pid == winner or f"process {winner} on" in line or "is run by" in line
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go on\n")
        os.close(opener)
    assert winners


def test_a_killed_holder_gives_the_lock_back_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for _ in range(5):
        with holding(path, "alone") as holder:
            found = SessionLock.holder(path)
            assert found is not None
            assert found.pid == holder.process.pid
            with pytest.raises(SessionLocked, match=f"process {holder.process.pid}"):
                SessionLock.acquire(path)
            holder.kill()
            assert SessionLock.holder(path) is None
            SessionLock.acquire(path).release()


def test_a_program_that_the_holder_executed_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holding(path, "executes") as holder:
        holder.kill()
        assert alive(holder.child)
        SessionLock.acquire(path).release()


def test_a_forked_child_keeps_the_lock_which_is_why_a_supervisor_never_forks(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holding(path, "forks") as holder:
        child = os.pidfd_open(holder.child)
        holder.kill()
        with pytest.raises(SessionLocked):
            SessionLock.acquire(path)
        holder.process.stdin.close()  # type: ignore[union-attr]
        assert select.select([child], [], [], 10)[0], "the child did not end"
        os.close(child)
        SessionLock.acquire(path).release()


def alive(pid: int) -> bool:
    descriptor = os.pidfd_open(pid)
    try:
        return not select.select([descriptor], [], [], 0)[0]
    finally:
        os.close(descriptor)
