"""The notice after a crash: complete, and true, in words and as an object. And what it says is so."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.client.doorbell import DoorbellClient
from kit.deadline import Deadline
from kit.family import family, wait_for_standby
from kit.kernel import Kernel, only_holdfast, running
from kit.wire import Cell, Client

pytestmark = only_holdfast

DIE = "import ctypes; ctypes.string_at(0)"


def recovery_of(cell: Cell) -> dict[str, Any]:
    """The object that the reply carries."""
    found: dict[str, Any] = cell.reply_message["metadata"]["holdfast"]["recovery"]
    return found


def children_of(cell: Cell) -> dict[str, dict[str, Any]]:
    """Child processes that the notice names, by variable, or by command where no variable holds them."""
    return {each["name"] or each["command"]: each for each in recovery_of(cell)["children"]}


CHILDREN = """
import os
from subprocess import PIPE, Popen, TimeoutExpired
waiting = Popen(['sh', '-c', 'read line; exit 7'], stdin=PIPE)
sleeping = Popen(['sleep', '300'])
failed = Popen(['sh', '-c', 'exit 5'])
_ = os.waitid(os.P_PID, failed.pid, os.WEXITED | os.WNOWAIT)
"""
"""Of which `failed` has ended, and was not waited for."""


def test_children_are_named_with_what_became_of_them_and_keep_their_true_exit_status(client: Client) -> None:
    client.do(CHILDREN)
    wait_for_standby(client, after=1)
    crashed = client.run(f"stray = Popen(['sleep', '301']); {DIE}")

    told = children_of(crashed)
    assert told["sleeping"]["runs"], told
    assert told["sleeping"]["command"] == "sleep 300"
    assert (told["failed"]["runs"], told["failed"]["exit_status"]) in [(False, 5), (False, None)]
    assert told["sleep 301"]["runs"], told
    assert f"sleeping (pid {told['sleeping']['pid']}, sleep 300, runs on)" in crashed.notice

    assert client.value("failed.wait(10)") == 5
    assert client.value("waiting.wait(10)") == 7  # its pipe was severed: it has read to the end
    assert client.value("sleeping.poll() is None")
    assert client.run("sleeping.wait(0.05)").error["ename"] == "TimeoutExpired"
    assert client.value("sleeping.kill(); sleeping.wait()") == -signal.SIGKILL
    assert client.value("sleeping.returncode") == -signal.SIGKILL
    assert client.run("import os; os.waitpid(sleeping.pid, 0)").error["ename"] == "ChildProcessError"
    os.kill(told["sleep 301"]["pid"], signal.SIGKILL)


def test_a_child_that_a_thread_waits_for_keeps_its_status(client: Client) -> None:
    client.do(CHILDREN)
    client.run(DIE)
    code = (
        "import threading\n"
        "seen = []\n"
        "waiter = threading.Thread(target=lambda: seen.append(sleeping.wait())); waiter.start()\n"
        "sleeping.terminate(); waiter.join(10); seen[0]"
    )
    assert client.value(code) == -signal.SIGTERM


def test_a_second_crash_does_not_cost_the_status_either(client: Client) -> None:
    client.do(CHILDREN)
    client.run(DIE)
    client.do("own = Popen(['sh', '-c', 'exit 4']); own_status = own.wait()")
    wait_for_standby(client, after=3)
    client.run(DIE)
    assert client.value("waiting.wait(10)") == 7
    assert client.value("sleeping.kill(); failed.wait(10), own.wait(), sleeping.wait(10)") == (5, 4, -9)


def test_a_process_of_multiprocessing_is_waited_for_and_keeps_its_status(client: Client) -> None:
    client.do(
        "import multiprocessing, os, sys\n"
        "fork = multiprocessing.get_context('fork')\n"
        "gate, opened = os.pipe()\n"
        "def work():\n"
        "    os.close(opened); os.read(gate, 1); sys.exit(3)\n"
        "process = fork.Process(target=work); process.start(); os.close(gate)"
    )
    crashed = client.run(DIE)
    assert "process" in children_of(crashed)
    assert client.value("process.join(10); (process.exitcode, process.is_alive())") == (3, False)


WATCHED = """
import asyncio
watcher = asyncio.PidfdChildWatcher(); watcher.attach_loop(asyncio.get_running_loop())
asyncio.set_child_watcher(watcher)
"""


@pytest.mark.parametrize(
    "before",
    [
        "import asyncio",
        pytest.param(
            WATCHED, marks=pytest.mark.skipif(sys.version_info >= (3, 12), reason="it is the only way there")
        ),
    ],
    ids=["as it is", "by a descriptor"],
)
def test_a_process_of_asyncio_is_awaited_and_keeps_its_status(client: Client, before: str) -> None:
    client.do(
        f"{before}\n"
        "running = await asyncio.create_subprocess_exec('sleep', '300')\n"
        "pipe = asyncio.subprocess.PIPE\n"
        "over = await asyncio.create_subprocess_exec('sh', '-c', 'read line; exit 6', stdin=pipe)"
    )
    client.run(DIE)
    assert client.value("await asyncio.wait_for(over.wait(), 10)") == 6
    code = "running.kill(); await asyncio.wait_for(running.wait(), 10)"
    assert client.value(code) == -signal.SIGKILL


def test_a_status_that_nobody_knows_is_an_error_that_says_so(client: Client) -> None:
    client.do(CHILDREN)
    wait_for_standby(client, after=1)
    client.run(f"failed.wait(); {DIE}")  # the one who knew is dead
    error = client.run("failed.wait()").error
    assert error["ename"] == "ChildProcessError"
    assert "is not known" in error["evalue"]
    client.do("sleeping.kill()")


def test_a_status_after_the_death_of_the_template_is_an_error_that_says_so(
    kernel: Kernel, client: Client
) -> None:
    client.do(CHILDREN)
    wait_for_standby(client, after=1)
    client.run(DIE)
    os.kill(family(kernel, client).template, signal.SIGKILL)
    assert client.value("sleeping.poll() is None")
    assert client.run("sleeping.kill(); sleeping.wait()").error["ename"] == "ChildProcessError"


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory as Linux has it")
def test_memory_that_is_not_rolled_back_is_named(client: Client, tmp_path: Path) -> None:
    client.do(
        "import numpy as np, mmap\n"
        "from multiprocessing.shared_memory import SharedMemory\n"
        f"table = np.memmap({str(tmp_path / 'table')!r}, 'u1', 'w+', shape=8)\n"
        "segment = SharedMemory(create=True, size=64); plain = np.zeros(3)"
    )
    wait_for_standby(client, after=1)
    crashed = client.run(f"table[:] = segment.buf[0] = plain[0] = 9; {DIE}")
    named = {each["name"] for each in recovery_of(crashed)["not_rolled_back"]}
    assert {"table", "segment"} <= named
    assert "plain" not in named
    assert "Not rolled back, but as In[2] left it: " in crashed.notice
    assert f"table (memory shared with {tmp_path / 'table'})" in crashed.notice
    assert client.value("int(table[0]), segment.buf[0], int(plain[0])") == (9, 9, 0)
    code = "again = SharedMemory(segment.name); seen = again.buf[0]; again.close(); seen"
    assert client.value(code) == 9  # the resource tracker has not removed it
    client.do("segment.close(); segment.unlink()")


def test_what_did_not_come_along_is_sorted_by_kind(client: Client) -> None:
    client.do(
        "import socket, sqlite3, threading\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "database = sqlite3.connect('stored.db'); database.execute('create table t(x)')\n"
        "bell = threading.Event()\n"
        "thread = threading.Thread(target=bell.wait, name='ringer', daemon=True); thread.start()\n"
        "pool = ThreadPoolExecutor(1); pool.submit(int).result()"
    )
    crashed = client.run(DIE)
    kinds = {each["name"]: each["kind"] for each in recovery_of(crashed)["not_restored"]}
    assert {
        "listening": "connection",
        "database": "database",
        "thread": "thread",
        "pool": "pool",
    }.items() <= (kinds.items())
    assert recovery_of(crashed)["level"] == "standby"
    assert recovery_of(crashed)["after"] == 1


def test_the_words_are_bounded_and_the_object_is_not(client: Client) -> None:
    client.do(
        "import socket; many = [socket.socketpair()[0] for _ in range(3)]\n"
        "servers = [socket.create_server(('127.0.0.1', 0)) for _ in range(60)]"
    )
    wait_for_standby(client, after=1)
    crashed = client.run(DIE)
    assert len(recovery_of(crashed)["not_restored"]) >= 60
    assert " more." in crashed.notice
    assert "servers[59]" not in crashed.notice


def test_what_the_last_crash_did_fits_into_a_terminal(client: Client) -> None:
    client.do("import socket\nservers = [socket.create_server(('127.0.0.1', 0)) for _ in range(9)]")
    wait_for_standby(client, after=1)
    client.run(DIE)
    told = client.do("%holdfast last").text()
    assert "servers[8] (listening socket" in told.replace("\n ", "")
    source = [line for line in told.splitlines() if line.startswith("  File")]
    assert max(len(line) for line in told.splitlines() if line not in source) <= 80 + len("\x1b[31m\x1b[0m")


def test_info_tells_of_the_last_crash(client: Client) -> None:
    assert client.ask("holdfast_info_request", {}, "control")["last_crash"] is None
    client.run(DIE)
    crash = client.ask("holdfast_info_request", {}, "control")["last_crash"]
    assert (crash["count"], crash["level"]) == (1, "standby")
    assert "SIGSEGV" in crash["cause"]


def test_a_death_that_nobody_heard_of_is_told_to_the_next_client(kernel: Kernel) -> None:
    first = kernel.client()
    pid = first.value("import os; os.getpid()")
    wait_for_standby(first, after=1)
    first.close()
    (bell,) = kernel.folder.glob("run/*/doorbell")
    with DoorbellClient.connect(bell, "test") as session:
        _until(lambda: not session.ask("info")["clients"], "nobody listens")
        os.kill(pid, signal.SIGKILL)
        _until(lambda: session.ask("info")["last_crash"] is not None, "the death is known")
    second = kernel.client()
    told = second.do("'here'").text("stderr")
    assert "while nobody listened" in told
    assert "SIGKILL" in told
    assert second.do("'again'").text("stderr") == ""


def _until(true: Callable[[], bool], what: str) -> None:
    """Each question takes a round through the supervisor."""
    deadline = Deadline(10.0)
    while not true():
        assert not deadline.passed, what


def test_a_cell_that_waits_for_a_thread_that_was_lost_is_told_of() -> None:
    with running(settings="[standby]\nstandstill_seconds = 0.6\n") as kernel:
        client = kernel.client()
        client.do("import threading; lock = threading.Lock(); lock.acquire()")
        wait_for_standby(client, after=1)
        client.run(DIE)
        cell = client.start("lock.acquire()")
        client.text(cell, "makes no progress")
        kernel.interrupt()
        assert client.finish(cell, "lock.acquire()").status == "error"


def test_a_cell_that_waits_for_time_to_pass_is_not_told_of() -> None:
    with running(settings="[standby]\nstandstill_seconds = 0.2\n") as kernel:
        client = kernel.client()
        client.run(DIE)
        waits = (
            "import select, threading, time\n"
            "threading.Event().wait(1); time.sleep(0.5); select.poll().poll(500)"
        )
        assert client.do(waits).text("stderr") == ""
