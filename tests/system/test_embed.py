"""`holdfast.embed()`: a running program lets clients in, and goes on as if nothing had been."""

from __future__ import annotations

import functools
import os
import signal
import sys

from kit.deadline import Deadline
from kit.processes import left_over, wait_for_end
from kit.program import running_program
from kit.terminal import CTRL_D, ENTER, Terminal
from kit.wire import Client

AT_TOP = """
import holdfast
count, rows = 3, [1, 2]
print("before", flush=True)
holdfast.embed()
print("after", count, rows, sorted(set(globals()) - BEFORE))
"""
AT_TOP = "BEFORE = {*globals(), 'BEFORE', 'holdfast', 'count', 'rows'}\n" + AT_TOP

IN_A_FUNCTION = """
import holdfast
scale = 10

def work(rows):
    name = "abc"
    holdfast.embed()
    print("after", rows, name, scale, globals().get("made"))

def total():
    return scale

work([1, 2])
"""

LOOKS_AROUND = """
import asyncio, builtins, comm, getpass, os, pdb, signal, sys, threading, warnings
import holdfast

def look():
    return {
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr)],
        "hooks": [id(sys.displayhook), id(sys.excepthook), id(sys.breakpointhook)],
        "prompts": [hasattr(sys, each) for each in ("ps1", "ps2", "ps3")],
        "builtins": sorted(vars(builtins)),
        "input": [id(builtins.input), id(getpass.getpass)],
        "debugger": [id(pdb.Pdb), id(pdb.set_trace)],
        "comm": [id(comm.create_comm), id(comm.get_comm_manager)],
        "signals": [str(signal.getsignal(each)) for each in sorted(signal.valid_signals())],
        "environment": dict(os.environ),
        "main": id(sys.modules["__main__"]),
        "files": {each: os.readlink(f"/proc/self/fd/{each}") for each in ("0", "1", "2")},
        "open": len(os.listdir("/proc/self/fd")),
        "threads": [each.name for each in threading.enumerate()],
        "loop": asyncio.get_event_loop_policy()._local._loop is None,
        "group": os.getpgid(0) == GROUP,
        "warnings": len(warnings.filters),
        "path": sys.path[:],
        "children": open(f"/proc/self/task/{os.getpid()}/children").read(),
        "names": sorted(set(globals()) - {"before"}),
        "shell": "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None,
    }

GROUP = os.getpgid(0)
import holdfast.worker.embedding.embed
signal.signal(signal.SIGINT, lambda *_: None)
signal.signal(signal.SIGTERM, lambda *_: None)
before = look()
holdfast.embed()
after = look()
different = [each for each in before if before[each] != after[each]]
print("changed", {each: [before[each], after[each]] for each in different})
"""


def test_a_client_changes_a_variable_and_the_program_goes_on_with_it() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        assert client.value("count") == 3
        client.do("count = 7; rows.append(count)")
        client.do("exit")
        assert program.end()[:2] == (0, "before\nafter 7 [1, 2, 7] []\n")


def test_a_program_can_not_be_taken_back_and_says_why() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        client.do("count = 7")
        assert "an embedded program" in client.run("%undo").reply["evalue"]
        assert "nothing to go back to" in client.do("%checkpoints").text()
        refused = client.ask("holdfast_undo_request", {}, "control")
        assert "an embedded program" in refused["evalue"]
        client.do("exit")
        assert program.end()[0] == 0


def test_new_names_are_the_programs_and_ipythons_are_not() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        client.do("import math\ndef double(n):\n    return 2 * n * count\nOut, _exit_code = Out, 1")
        client.do("!true")
        assert client.value("double(math.floor(2.5))") == 12
        assert client.value("_") == 12
        client.do("get_ipython().run_line_magic('who', '')")
        client.do("exit()")
        assert program.end()[1].endswith("after 3 [1, 2] ['double', 'math']\n")


def test_a_functions_locals_can_be_read_everywhere_in_a_cell() -> None:
    with running_program(IN_A_FUNCTION) as program:
        client = program.client()
        assert client.value("rows, name, scale") == ([1, 2], "abc", 10)
        assert client.value("[n * scale for n in rows if name]") == [10, 20]
        assert client.value("(lambda: name.upper())()") == "ABC"
        client.do("def reads():\n    return name, scale")
        assert client.value("reads()") == ("abc", 10)
        client.do("exit")
        assert program.end()[0] == 0


def test_what_is_assigned_in_a_function_lands_in_the_globals_but_for_its_locals() -> None:
    with running_program(IN_A_FUNCTION) as program:
        client = program.client()
        client.do("scale = 11; made = 'here'; name = 'changed'; rows.append(3)")
        assert client.value("total(), name") == (11, "changed")
        client.do("def grow():\n    global scale\n    scale += 1\ngrow()")
        assert client.value("total()") == 12
        client.do("del made")
        assert client.run("made").error["ename"] == "NameError"
        client.do("made = 'again'")
        client.do("exit")
        assert program.end()[1] == "after [1, 2, 3] abc 12 again\n"


def test_names_are_completed_and_described() -> None:
    with running_program(IN_A_FUNCTION) as program:
        client = program.client()
        matches = client.ask("complete_request", {"code": "sca", "cursor_pos": 3})["matches"]
        assert "scale" in matches
        matches = client.ask("complete_request", {"code": "rows.app", "cursor_pos": 8})["matches"]
        assert any(each.endswith("append") for each in matches)
        found = client.ask("inspect_request", {"code": "rows", "cursor_pos": 4, "detail_level": 0})
        assert "[1, 2]" in found["data"]["text/plain"]


def test_nothing_of_ours_stays_in_the_program() -> None:
    with running_program(LOOKS_AROUND) as program:
        client = program.client()
        client.do("1 + 1")
        client.do("import asyncio; task = asyncio.ensure_future(asyncio.sleep(3600))")
        client.do("import sys; sys.stdout = sys.stdout; del task")
        client.run("1 / 0")
        client.ask("complete_request", {"code": "sy", "cursor_pos": 2})
        client.do("exit")
        assert program.end()[1] == "changed {}\n"


def test_streams_are_the_clients_during_a_cell_and_the_programs_between() -> None:
    source = """
import os, threading, holdfast
os.mkfifo("gate")

def chatter():
    open("gate").read()
    print("between cells", flush=True)

threading.Thread(target=chatter).start()
print("not flushed")
holdfast.embed()
print("after")
"""
    with running_program(source) as program:
        client = program.client()
        client.do("import subprocess")
        cell = client.do("print('a'); subprocess.run(['echo', 'b']); os.system('echo c >&2')")
        assert (cell.text(), cell.text("stderr")) == ("a\nb\n", "c\n")
        client.settle()
        (program.folder / "gate").write_text("")
        program.until("stdout", "between cells\n")
        client.do("exit")
        assert program.end()[:2] == (0, "not flushed\nbetween cells\nafter\n")


def test_a_thread_of_the_program_runs_on_meanwhile() -> None:
    source = """
import threading, holdfast
ticks, stop = [], threading.Event()

def tick():
    while not stop.wait(0.001):
        ticks.append(1)

thread = threading.Thread(target=tick)
thread.start()
holdfast.embed()
stop.set()
thread.join()
print("ended in order")
"""
    with running_program(source) as program:
        client = program.client()
        before = client.value("len(ticks)")
        client.do(f"while len(ticks) <= {before} + 5: pass")
        client.do("exit")
        assert program.end()[:2] == (0, "ended in order\n")


def test_an_interrupt_ends_the_cell_and_not_the_program() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        for code in ("while True: pass", "await asyncio.sleep(3600)"):
            msg_id = client.start(f"import asyncio\nprint('on')\n{code}")
            client.text(msg_id, "on")
            client.ask("interrupt_request", channel="control")
            assert client.finish(msg_id).error["ename"] == "KeyboardInterrupt"
        client.ask("interrupt_request", channel="control")  # of nothing
        client.do("exit")
        assert program.end()[:2] == (0, "before\nafter 3 [1, 2] ['asyncio']\n")


def test_input_is_asked_of_the_client_and_can_be_interrupted() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        client.run("count = int(input('how many? '))", answers=["41"])
        assert client.prompts[-1]["content"]["prompt"] == "how many? "
        msg_id = client.start("input()", allow_stdin=True)
        client.prompt()
        client.ask("interrupt_request", channel="control")
        assert client.finish(msg_id).error["ename"] == "KeyboardInterrupt"
        client.do("exit")
        assert "after 41 " in program.end()[1]


def test_a_crash_is_told_and_the_journal_is_kept() -> None:
    with running_program(AT_TOP) as program:
        name = program.stopped()
        client = program.client(name)
        client.do("print('was here')")
        cell = client.run("import ctypes\nctypes.string_at(0)")
        assert cell.error["ename"] == "InterpreterDied"
        assert "segmentation fault" in cell.error["evalue"]
        assert "Cell In[2], line 2" in cell.notice
        assert "Nothing is back" in cell.notice
        client.until(lambda: _states(client)[-1] == "dead", "the state dead")
        assert program.end()[0] == -signal.SIGSEGV
        assert not left_over(program.mark, Deadline(10))
        log = program.command("log", name).stdout
        assert "was here" in log
        assert "ctypes.string_at(0)" in log


def test_a_program_that_is_killed_takes_the_session_along() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        msg_id = client.start("print('on')\nwhile True: pass")
        client.text(msg_id, "on")
        program.process.kill()
        assert client.finish(msg_id).error["ename"] == "InterpreterDied"
        assert program.end()[0] == -signal.SIGKILL
        assert not left_over(program.mark, Deadline(10))


def test_a_cell_that_closes_everything_ends_the_session_and_not_the_program() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        cell = client.run("import os; os.closerange(3, 100)")
        assert "connection away" in cell.error["evalue"]
        assert program.end()[0] >= 0
        assert not left_over(program.mark, Deadline(10))


def test_a_program_embeds_itself_again_and_again() -> None:
    source = """
import holdfast
for turn in range(3):
    holdfast.embed(name="again" if turn else None)
    print("turn", turn, flush=True)
"""
    with running_program(source) as program:
        names = []
        for turn in range(3):
            names.append(program.stopped())
            client = program.client(names[-1])
            assert client.value("turn") == turn
            client.do("get_ipython().exit_now = True")
            program.until("stdout", f"turn {turn}\n")
        assert names == ["embed-app-1", "again", "again"]
        assert program.end()[0] == 0
        assert program.command("log", "again").stdout.count("exit_now") == 2


def test_stop_and_shutdown_let_the_program_go_on() -> None:
    source = "import holdfast\nfor turn in range(3):\n    holdfast.embed()\n    print('turn', turn)\n"
    with running_program(source) as program:
        stopped = program.command("stop", program.stopped())
        assert stopped.returncode == 0, stopped.stderr
        for restart in (False, True):
            client = program.client()
            msg_id = client.start("while True: pass")
            client.until(functools.partial(_is_busy, client), "busy")
            reply = client.reply(client.send("shutdown_request", {"restart": restart}, "control"))
            assert reply["content"]["status"] == "ok"
            assert client.reply(msg_id)["content"]["status"] == "error"
        assert program.end()[:2] == (0, "turn 0\nturn 1\nturn 2\n")


def test_a_program_whose_supervisor_is_killed_goes_on() -> None:
    with running_program(AT_TOP) as program:
        name = program.stopped()
        client = program.client(name)
        msg_id = client.start("input()", allow_stdin=True)
        client.prompt()
        pid = client.ask("holdfast_info_request", channel="control")["pid"]
        os.kill(pid, signal.SIGKILL)
        assert wait_for_end(pid, Deadline(10))
        assert program.end()[:2] == (0, "before\nafter 3 [1, 2] []\n")
        assert msg_id not in client.replies


def test_ctrl_c_on_the_programs_terminal_is_the_programs() -> None:
    source = """
import holdfast
try:
    holdfast.embed()
except KeyboardInterrupt:
    print("interrupted")
"""
    with running_program(source) as program:
        client = program.client()
        client.do("1")
        program.press_ctrl_c()
        assert program.end()[:2] == (0, "interrupted\n")


def test_the_program_is_never_copied_killed_or_restarted() -> None:
    with running_program(AT_TOP) as program:
        name = program.stopped()
        client = program.client(name)
        client.do("count")
        info = client.ask("holdfast_info_request", channel="control")
        assert (info["embedded"], info["standby"], info["worker_pid"]) == (True, None, program.process.pid)
        forced = program.command("interrupt", name, "--force")
        assert forced.returncode == 1
        assert "embedded program" in forced.stderr
        client.do("exit")
        assert program.end()[0] == 0


def test_a_child_that_a_cell_forks_is_not_the_worker() -> None:
    with running_program(AT_TOP) as program:
        client = program.client()
        child = "if not pid:\n    print('child')\n    os._exit(0)"
        code = f"import os\npid = os.fork()\n{child}\nos.waitpid(pid, 0)[1]"
        cell = client.do(code)
        assert (cell.result, cell.text()) == ("0", "child\n")
        client.do("if not os.fork():\n    pass")  # it reaches the end of the cell
        assert client.value("count") == 3
        client.do("exit")
        assert program.end()[0] == 0


def test_where_it_can_not_be_done_it_says_why() -> None:
    source = """
import asyncio, threading, holdfast
from holdfast.errors import HoldfastError

def attempt():
    try:
        holdfast.embed()
    except HoldfastError as error:
        print(error, "| try:", error.remedy)

async def main():
    attempt()

asyncio.run(main())
thread = threading.Thread(target=attempt)
thread.start()
thread.join()
"""
    with running_program(source) as program:
        status, out, _ = program.end()
        assert status == 0
        loop, thread = out.splitlines()
        assert "asyncio loop" in loop
        assert "another thread" in thread
        assert not list(program.folder.glob("run/*"))


def test_a_name_that_is_running_is_refused() -> None:
    source = """
import subprocess, sys, holdfast
holdfast.embed(name="work")
"""
    with running_program(source) as program:
        client = program.client()
        cell = client.do("subprocess.run([sys.executable, __file__, 'second']).returncode")
        assert (cell.result, "'work' is running" in cell.text("stderr")) == ("1", True)
        client.do("exit")
        assert program.end()[0] == 0


def test_exit_in_our_console_lets_the_program_go_on_and_ctrl_d_does_not() -> None:
    with running_program(AT_TOP) as program:
        command = [sys.executable, "-m", "holdfast", "attach", program.stopped()]
        with Terminal(command, program.environment) as terminal:
            terminal.wait_for("a program that has stopped")
            terminal.wait_for("In [1]:")
            terminal.send(CTRL_D)
            terminal.wait_end()
        assert program.process.poll() is None
        with Terminal(command, program.environment) as terminal:
            terminal.wait_for("In [1]:")
            terminal.send("count = 9" + ENTER)
            terminal.wait_for("In [2]:")
            terminal.send("exit" + ENTER)
            terminal.wait_end()
        assert program.end()[:2] == (0, "before\nafter 9 [1, 2] []\n")


def _is_busy(client: Client) -> bool:
    return "busy" in _states(client)


def _states(client: Client) -> list[str]:
    return [each["content"]["execution_state"] for each in client.published if each["msg_type"] == "status"]
