"""Each way in which a cell can kill the interpreter, at each moment: the session goes on as before the cell.

One session for each way; the moments follow one another in it. Before each, the cell makes a mess of the
namespace, so that a state which is not the one of before the cell shows. Between the moments one cell looks
at everything that is hard to bring back; what it must see is computed here, by plain Python.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import statistics
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from holdfast.supervisor.processes.nursery import HASTY_ENDS
from kit.deadline import Deadline
from kit.family import family, wait_for_standby
from kit.gate import Gate
from kit.kernel import Kernel, only_holdfast, running
from kit.processes import children, wait_for_end
from kit.wire import Cell, Client, beat

pytestmark = only_holdfast

DEATH_SECONDS = 2.0
"""From sending to reply and idle, whatever the way: the median of all its deaths."""


class Way(NamedTuple):
    """A way to die: statements, and a pattern that the notice must match."""

    name: str
    code: str
    notice: str


WAYS = [
    Way("null_dereference", "import ctypes; ctypes.string_at(0)", r"SIGSEGV"),
    Way("abort", "import os; os.abort()", r"SIGABRT"),
    Way("fatal_error", "import ctypes; ctypes.pythonapi.Py_FatalError(b'planned')", r"SIGABRT"),
    Way("exit_0", "import os; os._exit(0)", r"(?i)exit\w*\b.*\b0\b"),
    Way("exit_3", "import os; os._exit(3)", r"(?i)exit\w*\b.*\b3\b"),
    Way("exit_from_c", "import ctypes; ctypes.CDLL(None).exit(5)", r"(?i)exit\w*\b.*\b5\b"),
    Way("sigkill", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"SIGKILL"),
    Way(
        "sigterm",
        """
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        """,
        r"SIGTERM",
    ),
    Way("sigterm_untouched", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", r"SIGTERM"),
    Way("sigill", "import signal; signal.raise_signal(signal.SIGILL)", r"SIGILL"),
    Way("sigfpe", "import signal; signal.raise_signal(signal.SIGFPE)", r"SIGFPE"),
    Way(
        "truncated_map",
        """
        import mmap, tempfile
        with tempfile.TemporaryFile() as file:
            file.truncate(65536)
            view = mmap.mmap(file.fileno(), 65536)
            file.truncate(0)
            view[40000]
        """,
        r"SIGBUS",
    ),
    Way(
        "bad_bytecode",
        """
        import dis
        def broken(): pass
        far = [dis.opmap["EXTENDED_ARG"], 0x7F] + [dis.opmap["EXTENDED_ARG"], 0xFF] * 2
        code = bytes([*far, dis.opmap["LOAD_CONST"], 0xFF, dis.opmap["RETURN_VALUE"], 0])
        broken.__code__ = broken.__code__.replace(co_code=code)
        broken()
        """,
        r"SIGSEGV",
    ),
    Way("c_stack_overflow", "import faulthandler; faulthandler._stack_overflow()", r"SIGSEGV"),
    Way(
        "bad_free",
        """
        import ctypes
        memory = ctypes.create_string_buffer(256)
        ctypes.CDLL(None).free(ctypes.c_void_p(ctypes.addressof(memory) + 24))
        """,
        r"SIGABRT|SIGSEGV",
    ),
    Way("own_process_group", "import os, signal; os.killpg(os.getpgrp(), signal.SIGKILL)", r"SIGKILL"),
    Way(
        "exec_that_stays",
        "import os; os.execv('/bin/sleep', ['sleep', '300'])",
        r"(?i)link|exec|replaced|lost",
    ),
    Way(
        "exec_that_ends",
        "import os; os.execv('/bin/true', ['true'])",
        r"(?i)exit\w*\b.*\b0\b|link|exec|replaced",
    ),
    Way(
        "closed_descriptors",
        """
        import os
        os.closerange(0, 9999)
        while True:
            sum(range(1000))
        """,
        r"(?i)link|descriptor|closed|lost",
    ),
    Way(
        "in_a_thread",
        """
        import ctypes, threading
        thread = threading.Thread(target=ctypes.string_at, args=(0,))
        thread.start()
        thread.join()
        """,
        r"SIGSEGV",
    ),
]

SETTING_UP = """
import asyncio, json, random, subprocess
import numpy

shared = [1, 2]
alias = shared
holder = {"inside": shared}
itself = ["me"]
itself.append(itself)
square = lambda number: number * number

class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def mirrored(self):
        return Point(self.y, self.x)

point = Point(3, 4)

def count():
    number = 0
    while True:
        yield number
        number += 1

counter = count()
next(counter)
next(counter)
array = numpy.arange(100_000)
view = array[::2]
random.seed(20)
numpy.random.seed(21)
generator = numpy.random.default_rng(22)
reading = open("numbers.txt")
[reading.readline() for _ in range(3)]
written = open("written.txt", "a")
written.write("begun\\n")
"""

LOOKING = """
print(json.dumps({
    "aliases": alias is shared and holder["inside"] is shared and shared == [1, 2],
    "itself": itself[1] is itself and len(itself) == 2,
    "lambda": square(12),
    "instance": type(point) is Point and vars(point.mirrored()),
    "array": [int(view[7]), int(array.sum()), view.base is array],
    "position": next(counter),
    "random": random.random(),
    "numpy.random": float(numpy.random.random()),
    "generator": float(generator.random()),
    "line": reading.readline(),
    "new names": sorted(name for name in globals() if name.startswith("mess_")),
    "written": written.write(f"looked {LOOK}\\n") and written.flush(),
}))
"""

MESS = """
shared.append("mess"); alias = None; holder.clear(); itself.clear(); square = None
Point.mirrored = None; point.x = None; del point
next(counter); counter.close()
array[:] = 0
random.random(); random.seed(1); numpy.random.seed(1); generator.random()
reading.readline(); reading.seek(0)
mess_1 = mess_2 = object()
"""
"""What the cell does to the namespace before it dies."""


class Expected:
    """What plain Python would see in place of the session, look after look."""

    def __init__(self) -> None:
        self.looks = 0
        self._random = random.Random(20)
        self._legacy = np.random.RandomState(21)
        self._generator = np.random.default_rng(22)

    def look(self) -> dict[str, Any]:
        self.looks += 1
        return {
            "aliases": True,
            "itself": True,
            "lambda": 144,
            "instance": {"x": 4, "y": 3},
            "array": [14, 4999950000, True],
            "position": self.looks + 1,
            "random": self._random.random(),
            "numpy.random": float(self._legacy.random()),
            "generator": float(self._generator.random()),
            "line": f"{self.looks + 2}\n",
            "new names": [],
            "written": None,
        }

    def file(self) -> str:
        """What must stand in the appended file: nothing lost, nothing twice."""
        return "begun\n" + "".join(f"looked {look + 1}\n" for look in range(self.looks))


class Victim:
    """A session that dies again and again in one way, and what must be true each time."""

    def __init__(self, kernel: Kernel, way: Way) -> None:
        self.kernel = kernel
        self.way = way
        self.folder = kernel.folder
        self.client = kernel.client()
        self.observer = kernel.client("observer")
        self.seconds: list[float] = []  # that each death took
        self.sent: list[tuple[str, str]] = []  # code and status of each cell
        self._expected = Expected()
        (self.folder / "work" / "numbers.txt").write_text("".join(f"{n}\n" for n in range(50)))

    @property
    def die(self) -> str:
        return MESS + textwrap.dedent(self.way.code)

    def do(self, code: str) -> Cell:
        self.sent.append((code, "ok"))
        return self.client.do(code)

    def crash(self, code: str, **options: Any) -> Cell:
        """Run a cell that dies, and check all that its clients must see of it."""
        begun = time.monotonic()
        cell = self.client.finish(self.start(code, **options), code, since=begun)
        self.check(cell)
        return cell

    def start(self, code: str, **options: Any) -> str:
        self.sent.append((code, "crashed"))
        return self.client.start(code, **options)

    def check(self, cell: Cell) -> None:
        self.seconds.append(cell.seconds)
        assert cell.status == "error"
        assert {"ename", "evalue", "traceback", "execution_count"} <= set(cell.reply)
        assert cell.kinds[:2] == ["status", "execute_input"]
        assert cell.kinds[-2:] == ["error", "status"], cell.kinds
        assert_matches(self.way.notice, cell.notice)

    def look(self) -> None:
        """Everything is as it was before the cell that died, on the same connections."""
        expected = self._expected.look()
        code = LOOKING.replace("{LOOK}", str(self._expected.looks))
        assert json.loads(self.do(code).text()) == expected

    def end(self) -> None:
        """What must be true at the end of it all."""
        assert statistics.median(self.seconds) < DEATH_SECONDS, self.seconds
        assert (self.folder / "work" / "written.txt").read_text() == self._expected.file()
        assert beat(self.kernel.info) == b"ping"
        self.client.settle()
        last = self.client.published[-1]["metadata"]
        self.observer.until(lambda: self.observer.published[-1]["metadata"] == last, "all of it")
        for client in (self.client, self.observer):
            assert_one_life(client)
        assert self.history() == [code.rstrip("\n") for code, _ in self.sent]  # as IPython stores it
        assert self.journal() == self.sent

    def history(self) -> list[str]:
        request = {"hist_access_type": "range", "session": 0, "start": 1, "raw": True, "output": False}
        return [source for _, _, source in self.client.ask("history_request", request)["history"]]

    def journal(self) -> list[tuple[str, str]]:
        cells = self.client.ask("holdfast_log_request", {}, "control")["cells"]
        return [(cell["code"], cell["status"]) for cell in cells]


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"{pattern!r} is not in the notice:\n{text}"


def assert_one_life(client: Client) -> None:
    """All messages are of one kernel session; none was lost, and no client was told of a restart."""
    assert len({message["header"]["session"] for message in client.published}) == 1
    states = {m["content"]["execution_state"] for m in client.published if m["msg_type"] == "status"}
    assert states <= {"starting", "busy", "idle"}
    marks = [m["metadata"]["holdfast"] for m in client.published if m["msg_type"] != "iopub_welcome"]
    assert len({mark["epoch"] for mark in marks}) == 1
    numbers = [mark["seq"] for mark in marks]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


# --- the moments


def while_running(victim: Victim) -> None:
    victim.crash(victim.die)


def in_the_middle_of_output(victim: Victim) -> None:
    lines = "".join(f"line {number}\n" for number in range(200))
    cell = victim.crash(
        "import os\nfor number in range(200): print('line', number)\n"
        "os.write(1, b'from below'); print('last words', end='')\n" + victim.die
    )
    assert cell.text().replace("from below", "", 1) == lines + "last words"
    assert "from below" in cell.text()


def during_input(victim: Victim) -> None:
    """The main thread waits for the client; a signal handler in the same thread dies."""
    code = (
        f"import os, signal\ndef die(*_):\n{textwrap.indent(victim.die.replace('del point', ''), '    ')}\n"
        "signal.signal(signal.SIGUSR1, die)\ninput(f'{os.getpid()}')"
    )
    for name in ("alias", "square", "point"):  # `die` is a function: what it assigns to must be said
        code = code.replace("def die(*_):\n", f"def die(*_):\n    global {name}\n")
    msg_id = victim.start(code, allow_stdin=True)
    pid = int(victim.client.prompt()["prompt"])
    begun = time.monotonic()
    os.kill(pid, signal.SIGUSR1)
    victim.check(victim.client.finish(msg_id, code, since=begun))


def right_after_another_death(victim: Victim) -> None:
    victim.crash(victim.die)
    victim.crash(victim.die)


def with_the_next_death_queued(victim: Victim) -> None:
    first = victim.start(victim.die, stop_on_error=False)
    begun = time.monotonic()
    second = victim.start(victim.die)
    victim.check(victim.client.finish(first, since=begun))
    victim.check(victim.client.finish(second))


def with_tasks_pending(victim: Victim) -> None:
    victim.do(
        "bell = asyncio.Event()\n"
        "async def wait_for_the_bell():\n    await bell.wait()\n    return 'heard'\n"
        "async def tick():\n    for _ in range(5): await asyncio.sleep(0.01)\n    return 'ticked'\n"
        "waiting = asyncio.create_task(wait_for_the_bell())\nticking = asyncio.create_task(tick())"
    )
    victim.crash("waiting.cancel(); ticking.cancel()\n" + victim.die)
    cell = victim.do("bell.set(); print(await asyncio.wait_for(asyncio.gather(waiting, ticking), 10))")
    assert cell.text() == "['heard', 'ticked']\n"


def while_awaiting(victim: Victim) -> None:
    victim.crash("await asyncio.sleep(0.001)\n" + victim.die)
    assert victim.do("print(await asyncio.sleep(0.001, 'slept'))").text() == "slept\n"


def with_a_pipe_open(victim: Victim) -> None:
    """The child was the dead worker's: its pipe can't come back, and must not hang whoever uses it."""
    victim.do("child = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)")
    cell = victim.crash(victim.die)
    assert "child" in cell.notice, f"a lost pipe is not named:\n{cell.notice}"
    assert victim.do("print(child.stdout.read())").text() == "b''\n"
    victim.do("try: child.stdin.write(b'?'); child.stdin.flush()\nexcept OSError: pass\nelse: assert False")


MOMENTS: list[Callable[[Victim], None]] = [
    while_running,
    in_the_middle_of_output,
    during_input,
    right_after_another_death,
    with_the_next_death_queued,
    with_tasks_pending,
    while_awaiting,
    with_a_pipe_open,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_session_survives_every_death_as_it_was_before_the_cell(way: Way) -> None:
    with running() as kernel:
        victim = Victim(kernel, way)
        victim.do(SETTING_UP)
        victim.look()
        for moment in MOMENTS:
            moment(victim)
            victim.look()
        victim.end()


# --- what else is true of a death

DIE = "import os; os.abort()"


def test_the_first_cell_of_a_session_may_be_its_first_death(client: Client) -> None:
    assert client.run(DIE).status == "error"
    assert client.value("6 * 7") == 42


def test_ten_deaths_in_a_row_lose_nothing(client: Client) -> None:
    client.do("kept = [1, 2, 3]; same = kept")
    for _ in range(10):
        assert client.run(DIE).status == "error"
    assert client.value("kept is same and kept") == [1, 2, 3]


def test_the_notice_tells_the_cell_the_signal_the_place_and_how_long_it_took(client: Client) -> None:
    client.do("first = 1")
    client.do("import ctypes\ndef innermost():\n    ctypes.string_at(0)")
    cell = client.run("innermost()")
    assert cell.reply["execution_count"] == 3
    for pattern in (r"SIGSEGV", r"\b3\b", r"innermost", r"line 3", r"\d ?m?s\b"):
        assert_matches(pattern, cell.notice)


def test_the_reply_says_what_the_published_error_says(client: Client) -> None:
    cell = client.run(DIE)
    assert cell.error == {key: cell.reply[key] for key in ("ename", "evalue", "traceback")}


def test_what_did_not_come_along_is_named(client: Client) -> None:
    client.do(
        "import socket, subprocess, threading\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "helper = subprocess.Popen(['sleep', '300'])\n"
        "bell = threading.Event()\n"
        "thread = threading.Thread(target=bell.wait, name='bell-ringer', daemon=True); thread.start()"
    )
    notice = client.run(DIE).notice
    for name in ("listening", "helper", "bell-ringer"):
        assert name in notice, notice
    client.do("import os, signal; os.kill(helper.pid, signal.SIGTERM)")


def test_a_child_of_the_dead_worker_never_gets_a_made_up_exit_status(client: Client) -> None:
    client.do(
        "from subprocess import PIPE, Popen, SubprocessError\n"
        "child = Popen(['sh', '-c', 'read line; exit 7'], stdin=PIPE)"
    )
    client.run(DIE)
    told = "try: told = child.wait(10)\nexcept (ChildProcessError, SubprocessError): told = 'not known'\ntold"
    assert client.value(told) in {7, "not known"}


def test_an_idle_worker_that_is_killed_from_outside_is_replaced_at_once(client: Client) -> None:
    pid = client.value("import os; kept = 5; os.getpid()")
    wait_for_standby(client, after=1)
    os.kill(pid, signal.SIGKILL)
    client.until(lambda: any("SIGKILL" in str(m["content"]) for m in client.published), "notice")
    assert client.value("kept") == 5
    assert client.value("os.getpid()") != pid


def test_a_state_that_is_older_than_the_last_cell_is_not_called_new(client: Client) -> None:
    """No fork while a thread is inside native code: what is lost with the older standby must be said."""
    client.do("old = 1")
    wait_for_standby(client, after=1)
    client.do(
        "import hashlib, threading\n"
        "def work(): hashlib.pbkdf2_hmac('sha256', b'', b'', 30_000_000)\n"
        "threading.Thread(target=work, name='hasher').start()"
    )
    client.do("new = 2")
    notice = client.run(DIE).notice
    kept = client.value("[name for name in ('old', 'new') if name in globals()]")
    assert kept in (["old"], ["old", "new"])
    if kept == ["old"]:
        assert_matches(r"In\[1\]|In\[2\]", notice)
        assert "as before In[4]" not in notice, f"In[2] and In[3] are lost, and it says:\n{notice}"


def test_a_busy_worker_that_is_killed_from_outside_is_a_death_like_any_other(client: Client) -> None:
    client.do("kept = 5; import os")
    pid = client.value("os.getpid()")
    msg_id = client.start("kept = 6; print('busy')\nwhile True: pass")
    client.text(msg_id, "busy")
    os.kill(pid, signal.SIGKILL)
    cell = client.finish(msg_id)
    assert_matches("SIGKILL", cell.notice)
    assert client.value("kept") == 5


def test_a_death_aborts_the_queue_as_any_error_does(client: Client, folder: Path) -> None:
    client.do("ran = []")
    gate = Gate(folder / "gate")
    dying = client.start(f"{gate.wait}; {DIE}")
    queued = [client.start(f"ran.append({n})") for n in range(3)]
    assert client.ask("kernel_info_request")["status"] == "ok"  # behind the others, which wait now
    gate.open()
    assert client.finish(dying).status == "error"
    assert [client.finish(msg_id).status for msg_id in queued] == ["aborted"] * 3
    assert client.value("ran") == []


def test_a_death_that_must_not_stop_the_queue_does_not(client: Client) -> None:
    client.do("ran = []")
    dying = client.start(DIE, stop_on_error=False)
    queued = [client.start(f"ran.append({n})") for n in range(3)]
    assert client.finish(dying).status == "error"
    assert [client.finish(msg_id).status for msg_id in queued] == ["ok"] * 3
    assert client.value("ran") == [0, 1, 2]


def test_a_silent_cell_that_dies_gets_its_reply_and_takes_no_number(client: Client) -> None:
    before = client.do("kept = 5").reply["execution_count"]
    cell = client.run(DIE, silent=True)
    assert cell.status == "error"
    assert "execute_input" not in cell.kinds
    assert client.do("kept").reply["execution_count"] == before + 1


def test_execution_counts_go_on_after_a_death(client: Client) -> None:
    cells = [client.run(code) for code in ("1", DIE, "2", DIE, DIE, "3")]
    assert [cell.reply["execution_count"] for cell in cells] == [1, 2, 3, 4, 5, 6]
    assert client.value("In[3], Out[1], Out[3], Out[6]") == ("2", 1, 2, 3)


def test_completion_and_inspection_see_the_restored_names(client: Client) -> None:
    client.do("survivor_of_it_all = 5")
    client.run("del survivor_of_it_all\n" + DIE)
    matches = client.ask("complete_request", {"code": "survivor_of", "cursor_pos": 11})["matches"]
    assert matches == ["survivor_of_it_all"]
    assert client.ask("inspect_request", {"code": "survivor_of_it_all", "cursor_pos": 5})["found"]


def test_a_death_by_completion_is_survived_too(client: Client) -> None:
    """A request that is no cell runs user code as well: here `__dir__` of a user's object."""
    client.do("import os\nclass Trap:\n    def __dir__(self): os.abort()\ntrap = Trap(); kept = 5")
    reply = client.ask("complete_request", {"code": "trap.", "cursor_pos": 5})
    assert reply["status"] in {"ok", "error"}
    assert client.value("kept") == 5


def test_a_forked_copy_that_returns_from_its_cell_ends_without_a_word(client: Client) -> None:
    cell = client.do("import os; pid = os.fork()")
    assert len(cell.of("status")) == 2
    assert client.value("os.waitpid(pid, 0)[0] == pid")
    client.settle()


# --- others may die, too


def test_standbys_that_are_killed_are_replaced(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    wait_for_standby(client, after=1)
    for pid in family(kernel, client).standbys:
        os.kill(pid, signal.SIGKILL)
        assert wait_for_end(pid, Deadline(5))
    client.settle()
    assert client.run("del kept\n" + DIE).status == "error"
    assert client.value("kept") == 5


def test_why_an_older_state_had_to_be_taken_is_said(kernel: Kernel, client: Client) -> None:
    client.do("old = 1")
    client.do("new = 2")
    wait_for_standby(client, after=2)
    newest = family(kernel, client).standbys[-1]
    os.kill(newest, signal.SIGSTOP)
    cell = client.run(DIE)
    assert_matches(
        r"what In\[2\] did is lost, as the standby after In\[2\] was of no use: it did not wake", cell.notice
    )
    assert "no standby held" not in cell.notice
    (slip,) = cell.reply_message["metadata"]["holdfast"]["recovery"]["slips"]
    assert slip in cell.notice
    assert client.value("old") == 1


def test_of_crashes_in_a_row_the_state_that_may_be_damaged_is_named(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"kept = {number}")
    wait_for_standby(client, after=3)
    notices = [client.run(f"{DIE}\n# {number}").notice for number in range(3)]
    assert "may be damaged" not in notices[0] + notices[1]
    assert_matches(r"one crash followed the other, so the state after In\[3\] may be damaged", notices[2])
    assert client.value("kept") == 2


def test_a_killed_template_costs_nothing_now_or_at_the_next_death(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    wait_for_standby(client, after=1)
    before = family(kernel, client)
    os.kill(before.template, signal.SIGKILL)
    assert wait_for_end(before.template, Deadline(5))
    client.settle()
    for _ in range(3):
        assert client.run("del kept\n" + DIE).status == "error"
        assert client.value("kept") == 5


def test_a_template_that_does_not_live_is_not_started_without_end() -> None:
    with running(settings="[checkpoint]\nenabled = false\n") as kernel:  # whose writer would be a child, too
        client = kernel.client()
        client.do("kept = 5")
        wait_for_standby(client, after=1)
        before = family(kernel, client)
        known = {before.worker, *before.standbys}
        template = before.template

        def newcomers() -> set[int]:
            client.settle()
            return children(before.supervisor) - known

        for _ in range(HASTY_ENDS - 1):
            os.kill(template, signal.SIGKILL)
            client.until_told(lambda: newcomers() - {template}, "another template")  # noqa: B023
            (template,) = newcomers()
        os.kill(template, signal.SIGKILL)
        client.until_told(lambda: template not in newcomers(), "its end")
        assert not newcomers(), "there is always one more"
        client.do("del kept")
        assert client.run(DIE).status == "error"
        assert client.run("kept").error["ename"] == "NameError"


def test_when_all_processes_were_killed_the_next_supervisor_says_so(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    kernel.lose()
    kernel.launch()
    successor = kernel.client("successor")
    assert "not closed properly" in successor.ask("holdfast_info_request", {}, "control")["unclean"]
    assert [cell["code"] for cell in successor.ask("holdfast_log_request", {}, "control")["cells"]] == [
        "kept = 5"
    ]
    assert successor.run("kept").error["ename"] == "NameError"


NOT_A_DEATH = {
    "sys.exit": ("import sys; sys.exit(3)", "SystemExit"),
    "SystemExit": ("raise SystemExit('bye')", "SystemExit"),
    "recursion": ("def deeper(): deeper()\ndeeper()", "RecursionError"),
    "memory": ("bytearray(1 << 60)", "MemoryError"),
    "generator exit": ("raise GeneratorExit", "GeneratorExit"),
    "base exception": ("class Odd(BaseException): pass\nraise Odd", "Odd"),
}


@pytest.mark.parametrize(("code", "ename"), NOT_A_DEATH.values(), ids=NOT_A_DEATH.keys())
def test_an_exception_is_not_a_death(client: Client, code: str, ename: str) -> None:
    pid = client.value("import os; kept = 5; os.getpid()")
    cell = client.run(code)
    assert (cell.status, cell.error["ename"]) == ("error", ename)
    assert client.value("os.getpid(), kept") == (pid, 5)


def test_a_fork_of_ours_that_hangs_does_not_hang_the_session() -> None:
    with running(settings="[standby]\nfork_seconds = 1.0\n") as kernel:
        client = kernel.client()
        client.do("kept = 1")
        wait_for_standby(client, after=1)
        client.do(
            "import os, threading\n"
            "never = threading.Event()\n"
            "beside = threading.Thread(target=never.wait, daemon=True); beside.start()\n"
            "os.register_at_fork(before=never.wait)"
        )
        crashed = client.run("kept = 2", within=30.0)
        assert crashed.status == "error"
        assert "it hung in the fork" in crashed.notice
        assert "In[2]" in crashed.notice  # what no standby could hold is named
        assert client.value("kept") == 1
        assert client.value("'never' in globals()") is False
