"""`holdfast run`: in a session that lives, seen by everybody there; and `-i`: a console on what is left."""

from __future__ import annotations

import json
import signal
import sys

import pexpect
import pytest

from kit.deadline import Deadline
from kit.gate import Gate
from kit.shell import SECONDS, Shell

IN_IT = ("run", "-s", "work")

BEGUN = "2.5"
"""Seconds by which a cell has begun, and said how it takes an interrupt, also on a busy machine."""


@pytest.fixture
def work(shell: Shell) -> Shell:
    """With a session `work`, in which x is 5."""
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("x = 5").reply()
    return shell


def test_code_runs_in_the_sessions_namespace_and_its_result_is_shown(work: Shell) -> None:
    assert work.good(*IN_IT, "-c", "y = x + 1\nprint('printed')\ny") == "printed\n6\n"
    assert work.run(*IN_IT, "-", piped="print(x * y)\n").stdout == "30\n"
    assert " per loop" in work.good(*IN_IT, "-c", "%timeit -n1 -r1 x")
    log = work.good("log", "work")
    assert "In [2]: y = x + 1\n" in log
    assert "printed\nOut[2]: 6\n" in log


def test_a_file_runs_there_as_a_program_and_leaves_its_variables(work: Shell) -> None:
    (work.work / "sub").mkdir()
    (work.work / "sub" / "neighbour.py").touch()
    (work.work / "sub" / "a b.py").write_text(
        "import asyncio, neighbour, sys\nprint(sys.argv, __file__, __name__, x)\n"
        "async def main(): return x * 2\n\ny = asyncio.run(main())\n"
    )
    path = str(work.work / "sub" / "a b.py")
    words = ["$HOME", "{x}", "-s", "a\nb"]
    told = work.good(*IN_IT, "sub/a b.py", *words)
    assert told == f"{[path, *words]} {path} __main__ 5\n"
    state = "import sys; print(y, '__file__' in globals(), sys.argv, 'sub' in str(sys.path))"
    assert work.good(*IN_IT, "-c", state) == "10 False [''] False\n"


def test_a_module_runs_there(work: Shell) -> None:
    assert work.good(*IN_IT, "-m", "timeit", "-n1", "-r1", "pass").startswith("1 loop")
    assert work.run(*IN_IT, "-m", "nosuch").returncode == 1


@pytest.mark.parametrize(
    ("program", "status", "last"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit('bye')", 1, "bye"),
        ("if True: exit(4)\nprint('not reached')", 4, ""),
        ("quit()\nprint('not reached')", 0, ""),
        ("def exit(status): print(status)\nexit(5)", 0, ""),
        ("print('before')\n1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("def f(:", 1, "SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt: "),
    ],
)
def test_a_files_exit_status_is_pythons_and_its_errors_look_as_in_the_session(
    work: Shell, program: str, status: int, last: str
) -> None:
    (work.work / "x.py").write_text(program)
    done = work.run(*IN_IT, "x.py")
    assert (done.returncode, done.stderr.rstrip("\n").split("\n")[-1]) == (status, last)
    assert "holdfast/worker" not in done.stderr
    assert "\x1b" not in done.stderr
    if "1 / 0" in program:
        assert done.stdout == "before\n"
        assert "----> 2 1 / 0" in done.stderr


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("exit(4)", 4, ""),
        ("if True: quit(4)\nprint('not reached')", 4, ""),
        ("exit(0)\nprint('not reached')", 0, ""),
        ("exit()", 0, ""),
        ("exit('enough')", 1, "enough\n"),
    ],
)
def test_code_that_exits_ends_with_pythons_status_and_the_session_goes_on(
    work: Shell, code: str, status: int, told: str
) -> None:
    done = work.run(*IN_IT, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", told)
    assert work.good(*IN_IT, "-c", "print(x, exit is quit)") == "5 True\n"


def test_others_are_told_that_a_program_has_failed(work: Shell) -> None:
    (work.work / "x.py").write_text("raise SystemExit(3)")
    with work.client("work") as client:
        reply = client.execute(f"%program {work.work}/x.py").reply().content
        assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "SystemExit", "3")
        assert client.execute("assert x == 5").reply().content["status"] == "ok"


def test_a_crash_is_128_and_the_signal_and_the_state_before_is_back(work: Shell) -> None:
    done = work.run(*IN_IT, "-c", "x = 6; print('before'); import os; os.abort()")
    assert (done.returncode, done.stdout) == (128 + signal.SIGABRT, "before\n")
    assert "aborted (signal 6, SIGABRT)" in done.stderr
    assert "with every variable as before In[2]" in done.stderr
    assert work.good(*IN_IT, "-c", "x") == "5\n"


def test_as_an_object_it_tells_everything(work: Shell) -> None:
    found = json.loads(work.good(*IN_IT, "--json", "-c", "print('printed')\nx"))
    assert found.pop("elapsed") < SECONDS
    assert found == {
        "session": "work",
        "status": "ok",
        "exit_status": 0,
        "execution_count": 2,
        "output": "printed\n5\n",
        "result": {"text/plain": "5"},
        "displays": [],
        "error": None,
    }
    done = work.run(*IN_IT, "--json", "-c", "1 / 0")
    found = json.loads(done.stdout)
    assert (done.returncode, found["status"], found["exit_status"]) == (1, "error", 1)
    assert found["error"]["ename"] == "ZeroDivisionError"
    assert found["error"]["traceback"][-1] == "ZeroDivisionError: division by zero"
    found = json.loads(work.run(*IN_IT, "--json", "-c", "import os; os.abort()").stdout)
    assert (found["status"], found["exit_status"]) == ("crashed", 134)


def test_questions_are_answered_by_what_is_piped(work: Shell) -> None:
    (work.work / "x.py").write_text("print('hi', input('name? '))\ninput()")
    done = work.run(*IN_IT, "x.py", piped="ana\n")
    assert (done.returncode, done.stdout) == (1, "name? hi ana\n")
    assert done.stderr.endswith("EOFError: \n")


def test_questions_are_answered_at_the_terminal(work: Shell) -> None:
    ask = "import getpass; print('hi', input('name? '), getpass.getpass('word? '))"
    with work.terminal(*IN_IT, "-c", ask) as terminal:
        terminal.expect_exact("name? ")
        terminal.sendline("ana")
        terminal.expect_exact("word? ")
        terminal.sendline("xyzzy")
        terminal.expect_exact("hi ana xyzzy")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    assert terminal.exitstatus == 0


def test_when_its_time_is_up_it_is_interrupted(work: Shell) -> None:
    gate = Gate(work.home / "gate")
    code = f"try:\n    {gate.wait}\nfinally: print('cleaned up')"
    done = work.run(*IN_IT, "--timeout", BEGUN, "-c", code)
    assert (done.returncode, done.stdout) == (124, "cleaned up\n")
    assert done.stderr.startswith(f"holdfast: time is up: interrupted after {BEGUN} s\n")
    assert work.good(*IN_IT, "-c", "x") == "5\n"


def test_what_does_not_end_when_its_time_is_up_is_left_or_stopped_by_force(work: Shell) -> None:
    deaf = "import signal; x = 6\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    forced = work.run(*IN_IT, "--timeout", BEGUN, "--force", "-c", deaf)
    assert forced.returncode == 124
    assert "stopped on request" in forced.stderr
    assert work.good(*IN_IT, "-c", "x") == "5\n"
    left = work.run(*IN_IT, "--timeout", BEGUN, "-c", deaf)
    assert left.returncode == 124
    assert left.stderr.endswith("try: holdfast interrupt work --force\n")
    assert work.info("work")["state"] == "busy"
    work.good("interrupt", "work", "--force")


def test_ctrl_c_interrupts_what_runs(work: Shell) -> None:
    gate = Gate(work.home / "gate")
    with work.start(*IN_IT, "-c", f"print('running', flush=True); {gate.wait}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "KeyboardInterrupt" in err


def test_behind_somebody_elses_cell_it_waits_and_says_so(work: Shell) -> None:
    gate = Gate(work.home / "gate")
    with work.client("work") as client:
        run = client.execute(f"print('running', flush=True); {gate.wait}; x = 7")
        while next(run).msg_type != "stream":
            pass
        with work.start(*IN_IT, "-c", "x") as process:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("work is busy: ana runs [2] for ")
            gate.open()
            run.reply()
            out, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, "7\n")


def test_without_a_name_it_is_a_session_that_runs_and_told_which(work: Shell) -> None:
    work.good("new", "other", "-d")
    work.good("run", "-s", "other", "-c", "x = 'other'")
    work.good("stop", "work")
    done = work.run("run", "-c", "x")
    assert (done.stdout, done.stderr) == ("'other'\n", "in session other\n")


def test_without_a_name_a_running_programs_own_session_is_not_meant(work: Shell) -> None:
    gate = Gate(work.home / "gate")
    with work.start("-c", f"print('up', flush=True); {gate.wait}") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        assert work.run("run", "-c", "6 * 7").stderr == "in session work\n"
        gate.open()
        assert program.wait(SECONDS) == 0


def test_without_a_session_it_says_what_to_do(shell: Shell) -> None:
    done = shell.run("run", "-c", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("holdfast: no session is running\ntry: holdfast FILE ")
    done = shell.run("run", "-s", "nosuch", "-c", "1")
    assert done.stderr.startswith("holdfast: no session named 'nosuch'\n")


def test_a_session_that_has_ended_is_brought_back(work: Shell) -> None:
    work.good("stop", "work")
    done = work.run(*IN_IT, "-c", "x")
    assert (done.returncode, done.stdout) == (0, "5\n")
    assert done.stderr.startswith("work: ")


def test_with_i_a_console_opens_on_what_a_program_has_left(shell: Shell) -> None:
    (shell.work / "x.py").write_text("import sys\nrows = [1, 2]\nprint(sys.argv, input('who? '))\n1 / 0")
    with shell.terminal("-i", "x.py", "a") as terminal:
        terminal.expect_exact("who? ")
        terminal.sendline("ana")
        terminal.expect_exact("['x.py', 'a'] ana")
        terminal.expect_exact("ZeroDivisionError: division by zero\r\n")
        terminal.expect("In ")
        terminal.sendline("print(sum(rows), __file__)")
        terminal.expect_exact(f"3 {shell.work}/x.py")
        terminal.sendline("exit")
        terminal.expect("back: holdfast attach ledger")
        terminal.expect(pexpect.EOF)
    assert "In [1]: print(sum(rows), __file__)" in shell.good("log", "ledger")


def test_with_i_a_program_that_exits_or_crashes_is_followed_by_a_console(shell: Shell) -> None:
    for code, said in (
        ("import sys; x = 5; sys.exit(3)", "SystemExit: 3"),
        ("import os; os.abort()", "holdfast: the Python process died: aborted"),
    ):
        with shell.terminal("-i", "-c", code) as terminal:
            terminal.expect_exact(said)
            terminal.expect("In ")
            terminal.sendline("print(6 * 7)")
            terminal.expect_exact("42\r\n")
            terminal.sendline("exit")
            terminal.expect(pexpect.EOF)
    assert shell.run("-i", "-c", "1").returncode == 2


def test_ctrl_z_stops_the_program_and_fg_lets_it_go_on(shell: Shell) -> None:
    with shell.on_terminal("bash", "--norc", "-i") as terminal:
        terminal.sendline(f"{sys.executable} -m holdfast -c 'print(input(1)); print(input(2))'")
        terminal.expect_exact("\n1")
        terminal.sendline("first")
        terminal.expect_exact("first\r\nfirst\r\n2")
        terminal.sendcontrol("z")
        terminal.expect_exact("Stopped")
        terminal.sendline("echo the shell has it")
        terminal.expect_exact("\nthe shell has it")
        terminal.sendline("fg")
        terminal.expect_exact("holdfast -c")  # the shell says what goes on: the keyboard is not its own now
        terminal.sendline("second")
        terminal.expect_exact("second\r\nsecond\r\n")
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)


def test_what_waits_is_taken_out_of_the_queue_by_ctrl_c_and_when_its_time_is_up(work: Shell) -> None:
    gate, deadline = Gate(work.home / "gate"), Deadline(SECONDS)
    with work.client("work") as client:
        run = client.execute(f"print('running', flush=True); {gate.wait}")
        while next(run).msg_type != "stream":
            pass
        late = work.run(*IN_IT, "--timeout", "0.5", "-c", "x = 8")
        assert (late.returncode, late.stderr.split("\n")[1]) == (124, "it has not run, and will not")
        with work.start(*IN_IT, "--json", "-c", "x = 7") as process:
            assert process.stderr is not None
            assert "your code waits" in process.stderr.readline()
            while not any(each["waiting"] for each in client.operation("clients")["clients"]):
                assert not deadline.passed
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, err) == (130, "it has not run, and will not\n")
        assert json.loads(out)["status"] == "interrupted"
        gate.open()
        assert run.reply().content["status"] == "ok"
    assert work.good(*IN_IT, "-c", "x") == "5\n"
