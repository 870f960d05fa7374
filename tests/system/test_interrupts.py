"""An interrupt stops the running cell and nothing else, wherever the cell is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit.kernel import HOLDFAST, Kernel, only_holdfast
from kit.wire import Client

STOP_SECONDS = 2.0

SAID = "print('here', flush=True)\n"
PROGRAM = "import time; print('here', flush=True); time.sleep(60)"
"""Says itself that it runs: dash, having echoed, can lose a SIGINT when it execs the next word."""

PLACES = {
    "loop": SAID + "while True: pass",
    "sleep": SAID + "import time; time.sleep(60)",
    "awaited sleep": SAID + "import asyncio; await asyncio.sleep(60)",
    "gathered tasks": SAID + "import asyncio; await asyncio.gather(*(asyncio.sleep(60) for _ in range(5)))",
    "lock": SAID + "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "read": SAID + "import os; r, w = os.pipe(); os.read(r, 1)",
    "select": SAID + "import select; select.select([], [], [], 60)",
    "nested call": """
def deeper(n):
    if n: deeper(n - 1)
    print('here', flush=True)
    while True: pass
deeper(50)""",
    "printing": SAID + "while True: print('x' * 50)",
    "child process": f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PROGRAM!r}])",
}
"""Cells that go on for a minute once they have said that they are there. Each ends by KeyboardInterrupt."""

AWAITING = {"awaited sleep", "gathered tasks"}
"""Where ipykernel 7 goes on waiting until another message wakes its loop."""

WAYS: dict[str, Callable[[Kernel, Client], object]] = {
    "signal": lambda kernel, _: kernel.interrupt(),
    "request": lambda _, client: client.send("interrupt_request", {}, "control"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES)
def test_an_interrupt_stops_a_cell(shared: Kernel, guest: Client, place: str, way: str) -> None:
    if place in AWAITING and not HOLDFAST:
        pytest.skip("ipykernel can't")
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start(PLACES[place])
    guest.text(msg_id, "here")
    WAYS[way](shared, guest)
    cell = guest.finish(msg_id, within=STOP_SECONDS)
    assert cell.status == "error"
    assert cell.error["ename"] in {"KeyboardInterrupt", "CancelledError"}
    assert cell.error["ename"] == "KeyboardInterrupt" or not HOLDFAST
    works_and_survives(guest)


def works_and_survives(client: Client) -> None:
    """The kernel works, and the standbys are as they were: a death right after is survived."""
    assert client.value("kept is same and kept") == [1]
    if HOLDFAST:
        assert client.run("kept = None; import os; os.abort()").status == "error"
        assert client.value("kept is same and kept") == [1]


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_reaches_the_program_that_a_cell_waits_for(
    shared: Kernel, guest: Client, way: str
) -> None:
    """os.system ignores SIGINT itself (system(3)): the shell and its sleep have to get it."""
    guest.do(f"kept = [1]; same = kept; import os, sys; program = {PROGRAM!r}")
    msg_id = guest.start("status = os.system(f'{sys.executable} -c \"{program}\"')")
    guest.text(msg_id, "here")
    WAYS[way](shared, guest)
    guest.finish(msg_id, within=STOP_SECONDS)
    works_and_survives(guest)


@only_holdfast
def test_a_program_of_the_new_interpreter_is_not_taken_for_one_of_the_old(guest: Client) -> None:
    """The interrupt may fall between the end of the program and Python's note of it (subprocess.wait)."""
    guest.run("import os; os.abort()")
    for _ in range(40):
        msg_id = guest.start(PLACES["child process"])
        guest.text(msg_id, "here")
        guest.send("interrupt_request", {}, "control")
        assert guest.finish(msg_id, within=STOP_SECONDS).error["ename"] == "KeyboardInterrupt"


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_ends_a_prompt(shared: Kernel, guest: Client, way: str) -> None:
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start("input('waiting ')", allow_stdin=True)
    guest.prompt()
    WAYS[way](shared, guest)
    cell = guest.finish(msg_id, within=STOP_SECONDS)
    assert (cell.status, cell.error["ename"]) == ("error", "KeyboardInterrupt")
    assert guest.run("input()", ["next"]).result == "'next'"
    works_and_survives(guest)


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_ends_the_debugger_or_its_command(shared: Kernel, guest: Client, way: str) -> None:
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start("import pdb; pdb.set_trace()", allow_stdin=True)
    guest.prompt()
    WAYS[way](shared, guest)
    guest.until(lambda: msg_id in guest.replies or len(guest.prompts) > 1, "reply or prompt", STOP_SECONDS)
    if msg_id not in guest.replies:
        guest.answer("q")
    guest.finish(msg_id)
    works_and_survives(guest)


def test_an_answer_that_comes_after_the_interrupt_is_not_the_next_prompts(guest: Client) -> None:
    msg_id = guest.start("input('waiting ')", allow_stdin=True)
    guest.prompt()
    guest.send("interrupt_request", {}, "control")
    guest.finish(msg_id, within=STOP_SECONDS)
    guest.answer("too late")
    guest.ask("kernel_info_request", {}, "control")
    assert guest.run("input('next ')", ["in time"]).result == "'in time'"


def test_interrupt_request_is_answered(guest: Client) -> None:
    assert guest.ask("interrupt_request", {}, "control")["status"] == "ok"


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_of_an_idle_kernel_is_for_nobody(shared: Kernel, guest: Client, way: str) -> None:
    guest.do("kept = [1]; same = kept")
    WAYS[way](shared, guest)
    guest.settle()
    cells = [guest.run("6 * 7") for _ in range(5)]
    hit = [cell for cell in cells if cell.status != "ok"]
    assert len(hit) <= (1 if way == "signal" else 0), (
        "a signal may still be on its way when the next cell runs"
    )
    works_and_survives(guest)


def test_a_cell_may_catch_its_interrupt(guest: Client) -> None:
    msg_id = guest.start(f"try:\n    {SAID}    while True: pass\nexcept KeyboardInterrupt: caught = 1")
    guest.text(msg_id, "here")
    guest.send("interrupt_request", {}, "control")
    assert guest.finish(msg_id, within=STOP_SECONDS).status == "ok"
    assert guest.value("caught") == 1


def test_a_users_own_handler_hears_the_interrupt(guest: Client) -> None:
    code = (
        "import signal; heard = []; old = signal.signal(signal.SIGINT, lambda *_: heard.append(1))\n"
        f"try:\n    {SAID}    while not heard: pass\nfinally: _ = signal.signal(signal.SIGINT, old)"
    )
    msg_id = guest.start(code)
    guest.text(msg_id, "here")
    guest.send("interrupt_request", {}, "control")
    assert guest.finish(msg_id, within=STOP_SECONDS).status == "ok"


def test_an_interrupt_aborts_what_waits_as_any_error_does(guest: Client) -> None:
    guest.do("ran = []")
    msg_id = guest.start(SAID + "while True: pass")
    waiting = [guest.start(f"ran.append({n})") for n in range(3)]
    guest.text(msg_id, "here")
    guest.send("interrupt_request", {}, "control")
    assert guest.finish(msg_id, within=STOP_SECONDS).status == "error"
    assert [guest.finish(one).status for one in waiting] == ["aborted"] * 3
    assert guest.value("ran") == []


@only_holdfast
def test_tasks_of_earlier_cells_outlive_an_interrupt(guest: Client) -> None:
    guest.do("import asyncio; bell = asyncio.Event(); waiting = asyncio.create_task(bell.wait())")
    msg_id = guest.start(SAID + "await asyncio.sleep(60)")
    guest.text(msg_id, "here")
    guest.send("interrupt_request", {}, "control")
    assert guest.finish(msg_id, within=STOP_SECONDS).status == "error"
    assert guest.do("bell.set(); print(await asyncio.wait_for(waiting, 5))").text() == "True\n"


def test_fifty_interrupts_in_a_row_hit_one_cell_each(guest: Client) -> None:
    for _ in range(50):
        msg_id = guest.start(SAID + "while True: pass")
        guest.text(msg_id, "here")
        guest.send("interrupt_request", {}, "control")
        assert guest.finish(msg_id, within=STOP_SECONDS).error["ename"] == "KeyboardInterrupt"
    assert guest.value("6 * 7") == 42


@only_holdfast
def test_interrupts_at_any_moment_leave_the_kernel_in_order(guest: Client) -> None:
    """Cells with output and errors, interrupted blindly: each gets a reply and idle, whatever it says."""
    cells = [guest.start("for n in range(300): print(n)\n1 / 0", stop_on_error=False) for _ in range(30)]
    for msg_id in cells:
        guest.idle(guest.send("interrupt_request", {}, "control"))
        assert guest.finish(msg_id).status == "error"
    assert guest.value("6 * 7") == 42


STUBBORN = {
    "blocked signal": "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
    + SAID
    + "while True: pass",
    "deaf code": SAID + "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass",
    "c code that holds the lock": SAID + "import ctypes; ctypes.PyDLL(None).sleep(60)",
}


@only_holdfast
@pytest.mark.parametrize("code", STUBBORN.values(), ids=STUBBORN.keys())
def test_a_forced_interrupt_stops_any_cell_and_keeps_the_state(guest: Client, code: str) -> None:
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start("kept = None\n" + code)
    guest.text(msg_id, "here")
    assert guest.ask("holdfast_interrupt_request", {"force": True}, "control").get("status") != "error"
    assert guest.finish(msg_id, within=STOP_SECONDS).status == "error"
    works_and_survives(guest)
