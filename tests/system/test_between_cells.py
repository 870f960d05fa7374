"""What happens between cells, and at a cell's very end: nothing of it is late, lost, or meant for another."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest

from kit.deadline import Deadline
from kit.family import wait_for_standby
from kit.gate import Gate
from kit.kernel import only_holdfast
from kit.wire import Client, Message

pytestmark = only_holdfast

KILLS = 100
"""Of idle workers, at random moments around the arrival of a cell."""
AROUND_SECONDS = 0.004
"""Before and after that: a short cell is through within about half of it."""

DIE = "import ctypes; ctypes.string_at(0)"


def about(client: Client) -> Message:
    return client.ask("holdfast_info_request", {}, "control")


@pytest.mark.parametrize(
    "inner",
    ["get_ipython().run_cell('42')", "exec(compile('42', 'typed', 'single'))"],
    ids=["a cell run by a cell", "a line compiled by a cell"],
)
def test_a_result_in_the_middle_of_a_cell_is_shown_at_once(client: Client, folder: Path, inner: str) -> None:
    gate = Gate(folder / "gate")
    running = client.start(f"{inner}\n_ = {gate.wait}")
    kinds = lambda: [message["msg_type"] for message in client.of_parent[running]]  # noqa: E731
    client.until(lambda: "execute_result" in kinds(), "execute_result")
    gate.open()
    client.finish(running)


def test_a_result_before_a_crash_is_not_lost(client: Client) -> None:
    cell = client.run(f"get_ipython().run_cell('42')\n{DIE}")
    assert cell.result == "42"


def test_what_a_signals_handler_did_is_kept(client: Client) -> None:
    pid = client.value("import os; os.getpid()")
    cell = client.do("""
import signal
heard = []
def hear(*_):
    heard.append(1)
    print("heard", flush=True)
_ = signal.signal(signal.SIGUSR1, hear)
""")
    client.settle()
    os.kill(pid, signal.SIGUSR1)
    client.text(cell.msg_id, "heard")
    client.run("heard.append(2)\n" + DIE)
    assert client.value("heard") == [1]


def test_what_came_through_a_watched_descriptor_is_kept(client: Client) -> None:
    cell = client.do("""
import asyncio, os
reading, writing = os.pipe()
came = []
def take():
    came.append(os.read(reading, 100))
    print("taken", flush=True)
asyncio.get_running_loop().add_reader(reading, take)
""")
    pipe = client.value("f'/proc/{os.getpid()}/fd/{writing}'")
    Path(pipe).write_bytes(b"news")
    client.text(cell.msg_id, "taken")
    client.run("came.append(2)\n" + DIE)
    assert client.value("came") == [b"news"]


def test_what_a_timer_did_once_is_kept(client: Client) -> None:
    cell = client.do("""
import asyncio
rung = []
def ring():
    rung.append(1)
    print("rung", flush=True)
_ = asyncio.get_running_loop().call_later(0.2, ring)
""")
    client.text(cell.msg_id, "rung")
    client.run("rung.append(2)\n" + DIE)
    assert client.value("rung") == [1]


def test_an_interrupt_that_a_dead_cell_never_heard_does_not_swallow_the_next_one(client: Client) -> None:
    pid = client.value("import os, signal; os.getpid()")
    running = client.start(
        "_ = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); print('deaf', flush=True)\n"
        "while True: pass"
    )
    client.text(running, "deaf")
    client.ask("interrupt_request", {}, "control")
    os.kill(pid, signal.SIGKILL)
    client.finish(running)
    cell = client.run("os.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**6): pass")
    assert cell.reply["ename"] == "KeyboardInterrupt"


def test_a_restore_point_is_never_after_a_cell_that_has_not_run(client: Client) -> None:
    """A frontend's own cells change the state too, and are told the number of the next one."""
    client.do("x = 1")
    wait_for_standby(client, after=1)
    before = about(client)["standby"]["generation"]
    client.run("x = 2", silent=True)
    client.until_told(lambda: about(client)["standby"]["generation"] > before, "standby after that")

    assert about(client)["standby"]["after"] == 1


def test_while_a_cell_waits_the_supervisor_does_nothing(client: Client) -> None:
    """What it has heard stays in the link until it is committed; nobody shall look at it again and again."""
    client.do("import time")
    pid = client.ask("holdfast_info_request", {}, "control")["pid"]
    before = processor_seconds(pid)
    client.do("time.sleep(2)")
    assert processor_seconds(pid) - before < 0.5


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow  # on a busy machine the thread is at work whenever a standby is to be taken
def test_beside_a_thread_at_work_the_grade_is_known_from_the_standby_before(client: Client) -> None:
    client.do(
        "import threading\n"
        "end = threading.Event()\n"
        "def work():\n"
        "    while not end.wait(0.01): pass\n"
        "thread = threading.Thread(target=work, daemon=True); thread.start()"
    )
    wait_for_standby(client, after=1)
    deadline = Deadline(30.0)
    while "not examined yet" in (point := about(client)["restore_point"]):
        assert not deadline.passed, point
    client.do("kept = 1")
    wait_for_standby(client, after=2)
    assert about(client)["restore_point"].startswith("after In[2], resume (threads are at work")
    client.run("import os; os._exit(3)")
    assert client.value("kept") == 1


# --- what may not keep a cell from running


def test_with_hardly_a_free_descriptor_every_cell_is_answered(client: Client) -> None:
    client.do(
        "import os, sys, threading, types\n"
        "sys.modules['cupy'] = types.ModuleType('cupy')\n"  # whether it uses a GPU is looked for, too
        "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    opened = "while True: files.append(os.open('/dev/null', os.O_RDONLY))"
    client.do(f"files = []\ntry:\n    {opened}\nexcept OSError: pass")
    for free in range(8):
        assert client.value("os.close(files.pop()); len(files)") > 0, free


def test_a_file_of_the_users_own_making_keeps_no_cell_from_running(client: Client, folder: Path) -> None:
    client.do(f"""
import io
class Odd(io.TextIOWrapper):
    def fileno(self): raise LookupError("it has none")
    def writable(self): raise LookupError("who knows")
odd = Odd(open({str(folder / "odd")!r}, "wb"))
""")
    client.do("kept = 1")
    client.run(DIE)
    assert client.value("kept") == 1


# --- a worker that dies as a cell arrives


def test_a_cell_that_had_not_begun_when_the_interpreter_died_just_runs(client: Client) -> None:
    worker = client.value("import os; kept = [1]; os.getpid()")
    wait_for_standby(client, after=1)
    os.kill(worker, signal.SIGSTOP)
    running = client.start("kept.append(2)\nkept")
    client.until_busy(running)
    os.kill(worker, signal.SIGKILL)
    cell = client.finish(running)
    assert cell.status == "ok"
    assert cell.result == "[1, 2]"
    assert "between cells: killed (signal 9, SIGKILL)" in cell.text("stderr")
    assert client.value("kept") == [1, 2]


def end(worker: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # killed after the last cell, which is not known yet
        os.kill(worker, signal.SIGKILL)


def test_a_cell_never_runs_twice_whenever_the_idle_interpreter_dies(client: Client, folder: Path) -> None:
    dice = random.Random(13)
    file = folder / "ran"
    spared = 0
    for number in range(KILLS):
        client.until_told(lambda: about(client)["state"] == "idle", "the next interpreter")
        worker = about(client)["worker_pid"]
        early, late = dice.random() < 0.5, dice.uniform(0, AROUND_SECONDS)
        if early:
            end(worker)
        client.listen(late)
        running = client.start(f"with open({str(file)!r}, 'a') as file: print({number}, file=file)")
        if not early:
            client.listen(late)
            end(worker)
        cell = client.finish(running)
        times = file.read_text().split().count(str(number)) if file.exists() else 0
        spared += "between cells" in cell.text("stderr")
        if cell.status == "ok":
            assert times == 1
        else:
            assert "SIGKILL" in cell.notice
            assert times <= 1
    assert spared
