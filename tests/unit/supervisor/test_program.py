"""An embedded program as the supervisor sees it. Here the test speaks for it, and a process stands for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError
from holdfast.link.channel import Channel
from holdfast.link.messages import Frame, Leave, Left, NoStandby, Outfit, Publish, Ready
from holdfast.settings import Life
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import Program
from holdfast.supervisor.processes.returns import Death, Return

GIVE_UP_SECONDS = 10.0

SCRIPT = """
import array, os, signal, socket, sys
signal.signal(signal.SIGINT, lambda *_: os.write(2, b"interrupted"))
ours, theirs = socket.socketpair()
meeting = socket.socket(socket.AF_UNIX)
meeting.connect(sys.argv[1])
socket.send_fds(meeting, [b"x"], [ours.fileno(), theirs.fileno()])
ours.close(), theirs.close()
while True:
    data = meeting.recv(1)
    if data == b"s":
        os.kill(os.getpid(), signal.SIGSEGV)
    if not data:
        break
"""
"""Makes a link, of which both ends go to the test: what makes it is who is at its end (SO_PEERCRED)."""


class Session:
    """Takes note of what it is told; runs the loop until then."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.told: list[object] = []
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "meeting"))
        listener.listen()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder / "meeting")], stderr=subprocess.PIPE
        )
        self.meeting, _ = listener.accept()
        listener.close()
        _, (link, theirs), _, _ = socket.recv_fds(self.meeting, 1, 2)
        self.link = Channel(socket.socket(fileno=theirs))
        self.outfit = (os.memfd_create("ring"), os.eventfd(0), *os.pipe(), os.memfd_create("more"))
        self.program = Program(self.loop, link, self.outfit, Life(stop_seconds=0.05))
        self.program.begin(self)

    def wait(self, count: int = 1) -> list[object]:
        """What it is told next: so many things, or more."""
        self.told.clear()
        timer = self.loop.later(GIVE_UP_SECONDS, self.loop.stop)
        while len(self.told) < count and timer.call is not None:
            self.loop.later(0, self.loop.stop)
            self.loop.run()
        timer.cancel()
        return self.told[:]

    def close(self) -> None:
        """End everything."""
        self.program.end()
        self.process.kill()
        self.process.communicate()
        self.meeting.close()
        self.link.close()
        for each in self.outfit:
            os.close(each)

    def look(self) -> None:
        """As a session does, but for text."""
        self.program.listen()

    def on_frame(self, frame: Frame) -> None:
        self.told.append(frame)

    def on_death(self, death: Death) -> str:
        self.told.append(death)
        return ""

    def on_gone(self) -> None:
        self.told.append("gone")

    def on_return(self, back: Return) -> None:
        self.told.append(back.level)

    def on_parked(self) -> None:
        self.told.append("parked")

    def on_left(self) -> None:
        self.told.append("left")

    def interrupt(self, *, may_insist: bool) -> None:
        assert not may_insist
        self.program.interrupt()

    def end(self, reason: str) -> None:
        self.told.append(reason)
        self.program.leave()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    session.close()


def ready(session: Session) -> None:
    session.link.send(Ready(0, session.process.pid, ""))
    assert session.wait() == ["fresh"]


def test_it_is_sent_all_that_a_worker_needs_and_begins(session: Session) -> None:
    assert isinstance(session.link.wait()[0], Outfit)
    sent = [session.link.take_fd() for _ in range(Outfit.FDS)]
    assert [os.fstat(each).st_ino for each in sent] == [os.fstat(each).st_ino for each in session.outfit]
    assert session.program.state is State.STARTING
    ready(session)
    assert session.program.state is State.ALIVE
    assert session.program.worker_pid == session.process.pid
    for each in sent:
        os.close(each)


def test_what_it_says_is_passed_on_but_for_why_there_is_no_standby(session: Session) -> None:
    ready(session)
    shown = Publish(0, 1, "display_data", b"{}")
    session.link.send(NoStandby(0, 0, "foreign"))
    session.link.send(shown)
    assert session.wait() == [shown]
    assert session.program.refusal == "foreign"
    assert session.program.standbys.newest is None


def test_it_leaves_when_it_wants_to(session: Session) -> None:
    ready(session)
    session.link.send(Left(0))
    assert session.wait(2) == ["exit", "left"]
    assert session.process.poll() is None


def test_it_is_interrupted_and_told_to_leave_and_not_waited_for_without_end(session: Session) -> None:
    ready(session)
    session.program.leave()
    assert session.wait() == ["left"]
    assert session.process.stderr is not None
    assert os.read(session.process.stderr.fileno(), 100) == b"interrupted"
    assert any(isinstance(each, Leave) for each in session.link.wait())
    assert session.process.poll() is None


def test_its_death_is_told_once_and_nobody_takes_over(session: Session) -> None:
    ready(session)
    session.meeting.sendall(b"s")
    death, gone = session.wait(2)
    assert isinstance(death, Death)
    assert (death.status, gone) == (None, "gone")
    assert session.program.state is State.LEAVING


def test_a_link_that_it_has_lost_ends_the_session_and_not_the_program(session: Session) -> None:
    ready(session)
    session.link.close()
    death, _ = session.wait(2)
    assert isinstance(death, Death)
    assert death.severed
    assert session.process.poll() is None


def test_it_is_neither_killed_nor_restarted(session: Session) -> None:
    ready(session)
    for attempt in (lambda: session.program.kill("on request"), session.program.restart):
        with pytest.raises(HoldfastError, match="embedded program"):
            attempt()
    os.kill(session.process.pid, signal.SIGINT)  # it lives, and hears
    assert session.process.stderr is not None
    assert os.read(session.process.stderr.fileno(), 100) == b"interrupted"
