"""Real programs on a real pseudo-terminal: who waits for the keyboard, and who for something else."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from holdfast.worker.programs.attention import Attention, attention, members
from holdfast.worker.programs.terminal import Terminal
from kit.deadline import Deadline

NONE, PERHAPS, CERTAIN = Attention.NONE, Attention.PERHAPS, Attention.CERTAIN

SECONDS = 10.0

PROGRAMS = {
    "read": ("import sys; sys.stdin.readline()", CERTAIN),
    "read of /dev/tty": ("open('/dev/tty').read(1)", CERTAIN),
    "select": ("import select; select.select([0], [], [])", CERTAIN),
    "poll": ("import select; p = select.poll(); p.register(0, select.POLLIN); p.poll()", CERTAIN),
    "poll with a deadline": (
        "import select; p = select.poll(); p.register(0, select.POLLIN); p.poll(60_000)",
        PERHAPS,
    ),
    "select of two": ("import os, select; select.select([0, os.pipe()[0]], [], [])", PERHAPS),
    "epoll": ("import select; e = select.epoll(); e.register(0, select.EPOLLIN); e.poll()", PERHAPS),
    "in a thread": (
        "import sys, threading, time; threading.Thread(target=sys.stdin.readline).start(); time.sleep(60)",
        CERTAIN,
    ),
    "read by another user's": (
        "import ctypes, sys; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); sys.stdin.readline()",  # PR_SET_DUMPABLE
        PERHAPS if os.geteuid() else CERTAIN,  # nothing is hidden from root
    ),
    "sleep": ("import time; time.sleep(60)", NONE),
    "another file": ("import os; os.read(os.pipe()[0], 1)", NONE),
    "work": ("while True: pass", NONE),
    "child": ("import subprocess; subprocess.run(['cat'])", CERTAIN),
}


class Running:
    """A program on its terminal."""

    def __init__(self, terminal: Terminal, program: subprocess.Popen[bytes]) -> None:
        self.terminal = terminal
        self.program = program
        self._seen = b""

    def wait_for(self, text: bytes) -> None:
        """Until it has printed `text`."""
        deadline = Deadline(SECONDS)
        while text not in self._seen:
            assert not deadline.passed, self._seen
            if select.select([self.terminal], [], [], deadline.left())[0]:
                self._seen += self.terminal.read() or b""

    def attention(self) -> Attention:
        """As a conversation asks for it."""
        return attention(self.program.pid, self.terminal.foreground, self.terminal.name)

    def attends(self, wanted: Attention) -> bool:
        """Whether it comes to that."""
        deadline = Deadline(SECONDS)
        while (found := self.attention()) is not wanted and not deadline.passed:
            os.sched_yield()
        return found is wanted


Run = Callable[..., Running]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts one program, and sees to its end."""
    terminal = Terminal(80, 24)
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> Running:
        started.append(terminal.start(list(command), os.environ))
        running = Running(terminal, started[0])
        running.wait_for(b"here\n")
        return running

    yield start
    terminal.kill()
    started[0].wait(SECONDS)
    terminal.close()


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", f"print('here', flush=True)\n{code}"


@pytest.mark.parametrize(("code", "wanted"), PROGRAMS.values(), ids=PROGRAMS.keys())
def test_who_waits_for_the_keyboard_is_known(run: Run, code: str, wanted: Attention) -> None:
    assert run(*python(code)).attends(wanted)


def test_who_reads_behind_another_in_a_pipeline_is_found(run: Run) -> None:
    running = run("sh", "-c", "echo here; sleep 60 | sh -c 'read x < /dev/tty'")

    assert running.attends(CERTAIN)
    assert len(members(running.program.pid, running.terminal.foreground)) >= 2  # sleep, and who reads


def test_a_program_has_the_terminal_of_a_login(run: Run) -> None:
    running = run(*python("import os; print(os.ttyname(0), os.getsid(0) == os.getpid() == os.tcgetpgrp(2))"))

    running.wait_for(f"{running.terminal.name} True\n".encode())


def test_modes_of_a_terminal_are_as_its_program_has_set_them(run: Run) -> None:
    running = run("sh", "-c", "echo here; read x; stty raw -echo; echo there; read x")

    assert running.terminal.modes[:3] == (True, True, True)
    running.terminal.write(b"\n")
    running.wait_for(b"there")
    assert running.terminal.modes[:3] == (False, False, False)
