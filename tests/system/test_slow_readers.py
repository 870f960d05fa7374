"""Clients that do not read cost a bounded amount, for a bounded time; who reads, if slowly, loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from holdfast.client import aio, blocking
from holdfast.client.ears import Ears
from holdfast.client.succession import Successor
from holdfast.protocol import connection
from holdfast.protocol.connection import Channel, ConnectionInfo
from kit.kernel import Kernel, only_holdfast
from kit.processes import resident
from kit.session import HOLDFAST, Session, session
from kit.wire import WITHIN

pytestmark = only_holdfast

MEBIBYTE = 1024 * 1024

SLEEPERS = """
import json, sys, zmq
info, context = json.load(open(sys.argv[1])), zmq.Context()
sockets = []
for number in range(int(sys.argv[2])):
    socket = context.socket(zmq.SUB)
    socket.rcvhwm = 4
    socket.subscribe(b"")
    if info["transport"] == "ipc":
        socket.connect(f"ipc://{info['ip']}-{info['iopub_port']}")
    else:
        socket.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
    socket.recv_multipart()
    sockets.append(socket)
print("listening", flush=True)
sys.stdin.readline()
heard = [socket.recv_multipart() for socket in sockets]
while True:
    heard = sockets[0].recv_multipart()
    if b"stream" in heard[0] or b"status" in heard[0]:
        print(heard[-1].decode(), flush=True)
"""
"""Subscribers that, once they listen, read nothing before a line comes; then what the first one hears."""

PRINTED = "line = 'x' * 99 + '\\n'\nfor _ in range({} * 1024 * 1024 // 100 // 100): print(line * 100, end='')"
"""So many megabytes, in pieces of ten kilobytes."""


ASKS = """
import json, sys
from kit.wire import Client
client = Client(json.load(open(sys.argv[1])), "eve")
asked = [client.send("holdfast_log_request", {}, "control") for _ in range(400)]
client.reply(asked[0])
print("asked", flush=True)
sys.stdin.read()
"""
"""Somebody who asks for much and reads the first answer only."""


def cut(info: ConnectionInfo, channel: Channel) -> None:
    """Cut our connection to one channel, as the supervisor does if answers there are not read."""
    path = info.url(channel).removeprefix("ipc://")
    for entry in os.scandir("/proc/self/fd"):
        with suppress(OSError):  # it is closed by now, or is no connection
            if os.readlink(entry.path).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(entry.name))) as each:
                    if each.getpeername() == path:
                        each.shutdown(socket.SHUT_RDWR)


class Back(Ears):
    """Hears when its client is back."""

    def __init__(self) -> None:
        self.found: asyncio.Future[Successor] = asyncio.get_running_loop().create_future()

    def returned(self, seconds: float, found: Successor) -> None:
        self.found.set_result(found)


@pytest.fixture
def work() -> Iterator[Session]:
    with session() as made:
        yield made


@contextmanager
def sleepers(file: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """A process with so many subscribers, which is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPERS, str(file), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listening\n"
            os.kill(process.pid, signal.SIGSTOP)
            yield process
        finally:
            process.kill()


def own_door(work: Session) -> Path:
    return work.folder / "run" / work.name / "connection.json"


def most_memory(pid: int) -> int:
    """Bytes that the process had at most, since it was last asked (proc(5), clear_refs)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return int(found[1]) * 1024


def heard(sleepers: subprocess.Popen[str]) -> Iterator[dict[str, str]]:
    """What the first of them hears once they go on: contents of streams and status."""
    assert sleepers.stdin is not None
    assert sleepers.stdout is not None
    os.kill(sleepers.pid, signal.SIGCONT)
    print(file=sleepers.stdin, flush=True)
    yield from map(json.loads, sleepers.stdout)


def test_eight_who_sleep_through_200_megabytes_cost_little_and_who_reads_has_it_all(work: Session) -> None:
    ana = work.client("ana")
    with sleepers(own_door(work), 8):
        pid = work.info()["pid"]
        before = most_memory(pid)
        cell = ana.run(PRINTED.format(200), within=60)
        grown = most_memory(pid) - before
    ana.close()

    pieces = 200 * MEBIBYTE // 100 // 100
    assert cell.text() == ("x" * 99 + "\n") * 100 * pieces
    assert grown < 8 * 40 * MEBIBYTE


def test_large_messages_that_nobody_reads_cost_no_more_than_small_ones(work: Session) -> None:
    ana = work.client("ana")
    with sleepers(own_door(work), 1):
        pid = work.info()["pid"]
        ana.do("for _ in range(2_000): display({'x/small': ''}, raw=True)")
        before = most_memory(pid)
        cell = ana.do("for _ in range(40): display({'x/big': '-' * 4_000_000}, raw=True)")
        grown = most_memory(pid) - before
    ana.close()

    assert len(cell.of("display_data")) == 40
    assert grown < 80 * MEBIBYTE  # a few of them are on their way through the supervisor itself


def test_what_programs_print_past_python_waits_for_readers_as_well(work: Session) -> None:
    ana = work.client("ana")
    with sleepers(own_door(work), 1):
        pid = work.info()["pid"]
        before = most_memory(pid)
        cell = ana.run("import os\nfor _ in range(1_000): os.write(1, b'y\\n' * 50_000)", within=60)
        grown = most_memory(pid) - before
    ana.close()

    assert len(cell.text()) == 1_000 * 100_000
    assert grown < 80 * MEBIBYTE


def test_an_interrupt_does_not_wait_for_who_sleeps(work: Session) -> None:
    ana = work.client("ana")
    with sleepers(own_door(work), 1):
        msg_id = ana.start("while True: print('x' * 10_000)")
        ana.text(msg_id, "x" * 1_000)
        sent = ana.send("interrupt_request", channel="control")
        assert ana.reply(sent)["content"]["status"] == "ok"
        assert ana.finish(msg_id).error["ename"] == "KeyboardInterrupt"
    ana.close()


def test_who_comes_to_himself_hears_what_the_session_does_now(work: Session) -> None:
    ana = work.client("ana")
    with sleepers(own_door(work), 1) as process:
        ana.run(PRINTED.format(60), within=60)
        ana.do("1")
        assert any(content.get("execution_state") == "idle" for content in heard(process))
    ana.close()


def test_a_jupyter_frontend_that_slept_is_told_that_it_may_miss_something(kernel: Kernel) -> None:
    client = kernel.client()
    with sleepers(kernel.file, 1) as process:
        client.run(PRINTED.format(60), within=60)
        told = heard(process)
        text = next(content["text"] for content in told if "read too slowly" in content.get("text", ""))
        assert next(told) == {"execution_state": "idle"}

    assert re.fullmatch(
        r"holdfast: a client read too slowly and was disconnected: some of what was printed may be missing"
        r" here\. All of it: holdfast log \S+\n",
        text,
    )


def test_what_is_piped_to_a_reader_in_no_hurry_arrives_whole(work: Session) -> None:
    script = work.folder / "much.py"
    script.write_text(PRINTED.format(100) + "\nprint('the end')")
    with subprocess.Popen([*HOLDFAST, str(script)], env=work.env, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        first = running.stdout.read(100)
        watched = work.client("ana")  # something else goes on, for longer than anybody is waited for
        assert watched.run("import time; time.sleep(3); 'done'", within=30).result == "'done'"
        watched.close()
        rest = running.stdout.read()

    assert first + rest == (b"x" * 99 + b"\n") * (100 * MEBIBYTE // 100 // 100 * 100) + b"the end\n"
    assert running.returncode == 0


def test_who_asks_and_asks_and_does_not_listen_is_cut_off(work: Session) -> None:
    ana = work.client("ana")
    ana.do("print('x' * 1_000_000)")
    pid = work.info()["pid"]
    before = most_memory(pid)
    env = work.env | {"PYTHONPATH": str(Path(__file__).parents[1])}
    eve = [sys.executable, "-c", ASKS, str(own_door(work))]
    with subprocess.Popen(eve, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"asked\n"
            os.kill(process.pid, signal.SIGSTOP)
            while resident(pid) > before + 100 * MEBIBYTE:
                ana.do("1")
        finally:
            process.kill()  # who is stopped would be waited for
    grown = most_memory(pid) - before
    print(grown / MEBIBYTE)
    ana.close()

    assert grown < 200 * MEBIBYTE


def test_who_is_cut_off_on_one_channel_while_nothing_is_said_on_the_others_comes_back(
    work: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_HOME", str(work.folder))
    info = connection.read(own_door(work))

    async def come_back() -> Successor:
        async with aio.Client(info, name=work.name) as client:
            client.hears = ears = Back()
            cut(info, "control")
            return await asyncio.wait_for(ears.found, WITHIN)

    found = asyncio.run(come_back())
    assert (found.gone, found.story) == ("the connection", None)
    with blocking.Client(info, name=work.name) as client:
        cut(info, "control")
        client.listen(WITHIN)  # it hears of that, and comes back
        assert client.operation("info")["name"] == work.name
