"""An interrupt stops the running cell and nothing else, wherever the cell is."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from holdfast.settings import Life
from kit.deadline import Deadline
from kit.kernel import HOLDFAST, Kernel, only_holdfast, running
from kit.processes import wait_for_end
from kit.wire import Client, Silence

STOP_SECONDS = 15.0
"""All cells here go on for a minute; a machine that has other work takes its time."""

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
    sent = WAYS[way](shared, guest)
    if isinstance(sent, str):
        guest.reply(sent)  # control and shell are two connections: else it may come after the cells
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
    if HOLDFAST:
        guest.settle()  # they are there; ipykernel answers only when its cell has ended
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


NOWHERE = """
import sys, types

def outside():
    kept = 1
    def inside():
        return kept, sys._getframe()
    return inside()[1]

trace = types.TracebackType(None, outside(), 0, -1)  # where it fetches what it shares: no line of it
assert trace.tb_lineno is None
"""
"""What a signal leaves that is heard between a function's call and its first line."""


@only_holdfast
@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "ValueError"])
def test_an_error_between_two_lines_is_shown(guest: Client, kind: str) -> None:
    guest.do(NOWHERE)
    cell = guest.run(f"1 + 1\nraise {kind}('why').with_traceback(trace)")
    assert (cell.error["ename"], cell.error["evalue"]) == (kind, "why")
    assert f"raise {kind}" in re.sub(r"\x1b\[[\d;]*m", "", cell.notice)
    assert not cell.of("stream")


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
    "ignored signal": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    + SAID
    + "while True: pass",
    "replaced handler": "import signal; signal.signal(signal.SIGINT, lambda *_: None)\n"
    + SAID
    + "while True: pass",
    "deaf code": "while True:\n    try:\n        print('here', flush=True)\n        while True: pass\n"
    "    except KeyboardInterrupt: pass",
    "deaf input": "while True:\n    try:\n        print('here'); input()\n    except KeyboardInterrupt: pass",
    "deaf task": "import asyncio\nwhile True:\n    try:\n        print('here'); await asyncio.sleep(60)\n"
    "    except asyncio.CancelledError: pass",
    "python's own c code": SAID + "sum(range(10**13))",
    "other c code with the lock": SAID
    + "import ctypes; libc = ctypes.PyDLL(None); bulk = (ctypes.c_char * 10**8)()\n"
    "libc.qsort(bulk, 10**8, 1, libc.strcmp)",
    "a wait with the lock": SAID + "import ctypes; ctypes.PyDLL(None).sleep(60)",
    "long number": SAID + "10 ** 10 ** 8",
    "stopped": SAID + "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)\nwhile True: pass",
}
"""Cells that go on for long, and do not listen to SIGINT, or may not."""

FORCED_SECONDS = Life().stop_seconds
"""For all from the word to the state of before. Who is only asked to leave has so long to do it."""

QUICK_SECONDS = 1.0
"""For the same where the machine has nothing else to do."""


@only_holdfast
@pytest.mark.parametrize("code", STUBBORN.values(), ids=STUBBORN.keys())
def test_a_forced_interrupt_stops_any_cell_and_keeps_the_state(guest: Client, code: str) -> None:
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start("kept = None\n" + code, allow_stdin=True)
    guest.text(msg_id, "here")
    begun = time.monotonic()
    assert guest.ask("holdfast_interrupt_request", {"force": True}, "control")["status"] == "ok"
    cell = guest.finish(msg_id, within=STOP_SECONDS, since=begun)
    assert cell.seconds < FORCED_SECONDS
    assert cell.error["evalue"] == "stopped on request"
    assert f"every variable as before In[{cell.reply['execution_count']}]" in cell.notice
    works_and_survives(guest)


@only_holdfast
def test_a_forced_interrupt_takes_less_than_a_second(guest: Client) -> None:
    """What a busy machine adds, it adds to some tries; what is true, all of them show."""
    assert any(_seconds_to_stop(guest) < QUICK_SECONDS for _ in range(4))


def _seconds_to_stop(client: Client) -> float:
    msg_id = client.start(STUBBORN["a wait with the lock"])
    client.text(msg_id, "here")
    begun = time.monotonic()
    client.ask("holdfast_interrupt_request", {"force": True}, "control")
    return client.finish(msg_id, within=STOP_SECONDS, since=begun).seconds


@only_holdfast
@pytest.mark.parametrize("code", STUBBORN.values(), ids=STUBBORN.keys())
def test_an_interrupt_that_is_not_forced_takes_nothing_away(guest: Client, code: str) -> None:
    """The cell ends by it where it can, with all that it did; else it goes on."""
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start("kept.append(2)\n" + code, allow_stdin=True)
    guest.text(msg_id, "here")
    guest.ask("interrupt_request", {}, "control")
    try:
        guest.reply(msg_id, within=1.0)
    except Silence:
        guest.ask("holdfast_interrupt_request", {"force": True}, "control")
    ended = guest.finish(msg_id, within=STOP_SECONDS).error["ename"]
    assert guest.value("kept is same and kept") == ([1, 2] if ended == "KeyboardInterrupt" else [1])


@only_holdfast
def test_one_forced_interrupt_after_the_other_loses_no_more(guest: Client) -> None:
    """They are no crashes: nothing is wrong with the interpreter's memory, so no older state is taken."""
    for number in range(1, 4):
        guest.do(f"kept = {number}")
        for again in range(3):
            msg_id = guest.start(f"kept = None; {again}\n{STUBBORN['deaf code']}")
            guest.text(msg_id, "here")
            for _ in range(3):
                guest.send("holdfast_interrupt_request", {"force": True}, "control")
            guest.finish(msg_id, within=STOP_SECONDS)
        assert guest.value("kept") == number


@only_holdfast
def test_what_a_stopped_cell_had_started_ends_and_what_ran_before_goes_on(guest: Client) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('here', flush=True); "
    guest.do(f"import subprocess, sys; program = [sys.executable, '-c', {deaf + 'time.sleep(60)'!r}]")
    earlier = guest.value("earlier = subprocess.Popen(program, stdout=-3); earlier.pid")
    msg_id = guest.start(
        "daemon = subprocess.Popen(program, stdout=-3, start_new_session=True)\n"
        "child = subprocess.Popen(program)\n"
        "print(daemon.pid, child.pid, 'started'); child.wait()"
    )
    guest.text(msg_id, "here")
    guest.text(msg_id, "started")
    texts = [each["content"]["text"] for each in guest.of_parent[msg_id] if each["msg_type"] == "stream"]
    daemon, child = map(int, "".join(texts).replace("here\n", "").split()[:2])
    guest.ask("holdfast_interrupt_request", {"force": True}, "control")
    cell = guest.finish(msg_id, within=STOP_SECONDS)
    assert cell.error["evalue"] == "stopped on request, with 1 process it had started"
    assert wait_for_end(child, Deadline(STOP_SECONDS))
    for goes_on in (earlier, daemon):  # as they do after Ctrl-C in a shell
        os.kill(goes_on, signal.SIGKILL)


READING_SECONDS = 1.0
"""settings, interrupt.reading_seconds: after so long, what was said has been read."""

COUNTING = """
caught, kept = 0, None
while True:
    try:
        print(f'here {caught}', flush=True)
        while True: pass
    except KeyboardInterrupt: caught += 1
"""


@pytest.fixture(scope="module")
def slow_reader() -> Iterator[Kernel]:
    """A kernel whose user has an hour to read what one more interrupt would do."""
    with running(settings="[interrupt]\nreading_seconds = 3600\n") as kernel:
        yield kernel


@only_holdfast
@pytest.mark.parametrize("way", WAYS)
def test_a_third_interrupt_in_haste_is_taken_for_the_second(slow_reader: Kernel, way: str) -> None:
    client = slow_reader.client()
    msg_id = client.start(COUNTING)
    for caught in range(3):
        client.text(msg_id, f"here {caught}")
        WAYS[way](slow_reader, client)
    client.text(msg_id, "runs on after two interrupts")
    client.text(msg_id, "here 3")
    client.ask("holdfast_interrupt_request", {"force": True}, "control")
    client.finish(msg_id, within=STOP_SECONDS)


@only_holdfast
@pytest.mark.parametrize("way", WAYS)
def test_a_third_interrupt_stops_a_deaf_cell_as_the_second_has_said(
    shared: Kernel, guest: Client, way: str
) -> None:
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start(COUNTING)
    for caught in range(2):
        guest.text(msg_id, f"here {caught}")
        WAYS[way](shared, guest)
    guest.text(msg_id, "runs on after two interrupts. Interrupt it once more, and the interpreter is stopped")
    said = time.monotonic()
    guest.until_told(
        lambda: guest.settle() or time.monotonic() - said > READING_SECONDS, "time to read", STOP_SECONDS
    )
    WAYS[way](shared, guest)
    cell = guest.finish(msg_id, within=STOP_SECONDS)
    assert "every variable as before" in cell.notice
    works_and_survives(guest)


@only_holdfast
def test_a_debugger_that_is_interrupted_again_and_again_goes_on_asking(guest: Client) -> None:
    code = "while True:\n    try: input('? ')\n    except KeyboardInterrupt: pass"
    msg_id = guest.start(code, allow_stdin=True)
    for asked in range(1, 7):
        guest.until(lambda asked=asked: len(guest.prompts) >= asked, "prompt")
        guest.ask("interrupt_request", {}, "control")
    assert not any(each["msg_type"] == "stream" for each in guest.of_parent[msg_id])
    guest.ask("holdfast_interrupt_request", {"force": True}, "control")
    guest.finish(msg_id)


@only_holdfast
def test_force_ends_what_goes_on_between_cells_and_loses_no_cell(guest: Client) -> None:
    guest.do("import asyncio; kept = [1]\nasync def spin():\n    while True: await asyncio.sleep(0)")
    guest.do("task = asyncio.create_task(spin()); other = 2")
    guest.until_told(
        lambda: guest.ask("holdfast_interrupt_request", {"force": True}, "control")["status"] == "ok",
        "standby of the last cell",
    )
    assert guest.value("kept, other") == ([1], 2)
