"""No descriptors are left for the supervisor: who asks is told so, who is there is served, and it passes."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zmq

from kit.deadline import Deadline
from kit.session import HOLDFAST, Session, session
from kit.wire import WITHIN, Client, Silence

CRASH = "import ctypes; ctypes.string_at(0)"


def attached(work: Session) -> Client:
    """A client that holds all the descriptors that it will: each of its sockets connects by itself."""
    client = work.client("ana")
    client.wait_for_stdin()
    client.ask("kernel_info_request", {}, "control")
    return client


@pytest.fixture
def work() -> Iterator[Session]:
    with session(settings="[checkpoint]\nenabled = false\n") as made:
        yield made


def least_free(pid: int) -> int:
    """The lowest number that a new descriptor could have."""
    taken = set(map(int, os.listdir(f"/proc/{pid}/fd")))
    return next(number for number in range(len(taken) + 1) if number not in taken)


def leave(pid: int, count: int) -> None:
    """As many descriptors as that, and no more."""
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (least_free(pid) + count, most))


@contextmanager
def left_over(pid: int, count: int) -> Iterator[None]:
    """The same for a while."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    leave(pid, count)
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def is_served(client: Client) -> bool:
    """Whether all its sockets are connected: each is by itself."""
    try:
        return bool(client.ask("kernel_info_request", within=1.0))
    except Silence:
        return False


def told(work: Session, *arguments: str) -> str:
    """All that a command says."""
    done = subprocess.run(
        [*HOLDFAST, *arguments], env=work.env, capture_output=True, text=True, check=False, timeout=30
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_without_one_who_asks_is_told_so_and_cells_run(work: Session) -> None:
    client = attached(work)
    client.do("x = 1")
    pid = work.info()["pid"]
    with left_over(pid, 0):
        deadline = Deadline(WITHIN)
        while "Too many open files" not in told(work, "info", "work"):
            assert not deadline.passed
            leave(pid, 0)  # who asked before was leaving as they were counted
        assert client.do("x + 1").result == "2"
        client.do("x = 2")
        assert client.ask("complete_request", {"code": "x.rea", "cursor_pos": 5})["matches"] == ["real"]
        listed = client.reply(client.send("holdfast_variables_request", {}, "control"))["content"]
        assert listed["status"] == "error", "for that a copy of the interpreter is needed"
    assert work.info()["pid"] == pid, "the same supervisor"
    client.do("y = 3")
    deadline = Deadline(WITHIN)
    while work.info().get("no_standby"):
        assert not deadline.passed
    client.run(CRASH)
    assert client.do("x, y").result == "(2, 3)"
    client.close()


def test_with_few_who_comes_is_hung_up_on_and_who_is_there_notices_nothing(work: Session) -> None:
    """libzmq would end the process that has none left for somebody who comes to a unix socket."""
    client = attached(work)
    client.do("x = 1")
    pid = work.info()["pid"]
    with left_over(pid, 20):
        late = Client(client.info, "bo")
        work.clients.append(late)
        end = late.sockets["control"].get_monitor_socket(zmq.EVENT_DISCONNECTED)
        assert end.poll(WITHIN * 1000)
        late.sockets["control"].disable_monitor()
        assert client.do("x").result == "1"
        client.run(CRASH)
        assert client.do("x").result == "1"
    assert work.info()["pid"] == pid
    late.until_told(lambda: is_served(late), "way in for who comes again by itself")
    assert late.do("x").result == "1"
    for each in (client, late):
        each.close()
