"""The command line on real sessions: programs as python runs them, sessions from start to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator

import pexpect
import pytest

from holdfast.client.aio import Client as AsyncClient
from holdfast.protocol import connection
from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import scratch
from kit.processes import wait_for_end
from kit.shell import SECONDS, Shell


@pytest.fixture
def shell() -> Iterator[Shell]:
    with scratch() as home:
        shell = Shell(home)
        yield shell
        shell.close()


PROGRAMS = {
    "output": "import sys\nprint(6 * 7)\nprint('oops', file=sys.stderr)\nsys.stdout.write('no newline')",
    "a last expression is not shown": "6 * 7",
    "main": "print(__name__)\ndef f(): return x\nx = 5\nprint(f(), [x for _ in 'ab'])",
    "exit with a number": "import sys\nsys.exit(3)",
    "exit with a message": "import sys\nsys.exit('bye')",
    "exit with nothing": "import sys\nsys.exit()",
    "exit with a negative number": "import sys\nsys.exit(-1)",
    "exit with a message that is almost a number": "import sys\nsys.exit('--1')",
    "the builtin exit stops at once": "exit(4)\nprint('not reached')",
    "the process ends itself": "import os\nprint('said', flush=True)\nos._exit(7)",
    "text from C": "import os\nos.write(1, b'raw\\n')",
    "a thread is waited for": "import threading\nt = threading.Timer(0.1, print, ['late'])\nt.start()",
    "future": "'''doc'''\nfrom __future__ import annotations\nx: nonsense = 1\nprint(__annotations__)",
    "windows newlines": "if True:\r\n    print('crlf')\r\n",
    "nothing": "",
    "only a comment": "# nothing\n",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_piped_programs_do_what_python_does(shell: Shell, program: str) -> None:
    ours, pythons = shell.run(piped=program), shell.python(piped=program)
    assert (ours.stdout, ours.returncode % 256) == (pythons.stdout, pythons.returncode % 256)
    if "os._exit" not in program:  # of that we have a word to say
        assert ours.stderr == pythons.stderr


def test_code_on_the_command_line_finds_its_arguments(shell: Shell) -> None:
    code = "import sys; print(sys.argv)"
    assert shell.good("-c", code, "a", "-b") == shell.python("-c", code, "a", "-b").stdout
    assert shell.run("-", "a", piped=code).stdout == shell.python("-", "a", piped=code).stdout


def test_an_exception_is_a_traceback_on_stderr_and_status_1(shell: Shell) -> None:
    done = shell.run("-c", "print('before')\n1 / 0")
    assert (done.returncode, done.stdout) == (1, "before\n")
    assert "----> 2 1 / 0" in done.stderr
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "\x1b" not in done.stderr


def test_a_syntax_error_is_status_1(shell: Shell) -> None:
    done = shell.run("-c", "def f(:")
    assert (done.returncode, done.stdout) == (1, "")
    assert "SyntaxError" in done.stderr


def test_a_crash_is_128_and_the_signal_and_what_was_said_before_is_kept(shell: Shell) -> None:
    done = shell.run("-c", "print('before'); import ctypes; ctypes.string_at(0)")
    assert (done.returncode, done.stdout) == (128 + signal.SIGSEGV, "before\n")
    assert "segmentation fault" in done.stderr


def test_input_is_refused_with_a_reason(shell: Shell) -> None:
    done = shell.run("-c", "input('name?')")
    assert done.returncode == 1
    assert "StdinNotImplementedError" in done.stderr


def test_a_program_that_is_not_text_is_refused(shell: Shell) -> None:
    with shell.start() as process:
        assert process.stdin is not None
        process.stdin.buffer.write(b"print('\xff')\n")
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert err.startswith("holdfast: can't read the program on standard input: ")


@pytest.mark.parametrize("catches", [True, False])
def test_ctrl_c_interrupts_the_program_as_it_would_python(shell: Shell, catches: bool) -> None:
    gate = Gate(shell.home / "gate")
    caught = "KeyboardInterrupt" if catches else "ZeroDivisionError"
    code = f"print('running', flush=True)\ntry: {gate.wait}\nexcept {caught}: print('caught')"
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    if catches:
        assert (process.returncode, out) == (0, "caught\n")
    else:
        assert (process.returncode, "KeyboardInterrupt" in err) == (130, True)


def test_a_program_leaves_no_session_behind(shell: Shell) -> None:
    shell.good("-c", "print(1)")
    assert shell.good("ls", "--json") == "[]\n"
    assert list((shell.home / "run").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_is_ended_ends_its_session(shell: Shell, number: signal.Signals) -> None:
    gate = Gate(shell.home / "gate")
    with shell.start("-c", f"print('running', flush=True); {gate.wait}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(number)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number
    assert shell.good("ls", "--json") == "[]\n"


def test_a_program_that_is_killed_does_not_leave_its_session_running(shell: Shell) -> None:
    (shell.home / "config").mkdir()
    (shell.home / "config" / "settings.toml").write_text("[life]\nlauncher_grace_seconds = 0.1\n")
    gate = Gate(shell.home / "gate")
    with shell.start("-c", f"print('running', flush=True); {gate.wait}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        (session,) = json.loads(shell.good("ls", "--json"))
        process.kill()
    assert wait_for_end(session["pid"], Deadline(SECONDS))


def test_a_program_whose_supervisor_is_killed_runs_to_its_end(shell: Shell) -> None:
    (shell.home / "config").mkdir()
    (shell.home / "config" / "settings.toml").write_text("[life]\nlauncher_grace_seconds = 1.0\n")
    code = "import time; print('running', flush=True); time.sleep(2.5); print('end'); raise SystemExit(3)"
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        (session,) = json.loads(shell.good("ls", "--json"))
        os.kill(session["pid"], signal.SIGKILL)
        out, _ = process.communicate(timeout=SECONDS)
    assert (out, process.returncode) == ("end\n", 3)
    assert shell.good("ls", "--json") == "[]\n"


def test_a_program_whose_reader_goes_away_ends(shell: Shell) -> None:
    with shell.start("-c", "while True: print('y')") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        process.wait(timeout=SECONDS)
    assert process.returncode == 1


def test_a_session_is_made_listed_used_stopped_and_brought_back(shell: Shell) -> None:
    assert shell.good("new", "work", "-d") == "work\n"
    with shell.client("work") as client:
        assert client.execute("x = 6 * 7\nprint(x)").reply().content["status"] == "ok"
        client.execute("1 / 0").reply()
    head, line = shell.good("ls").splitlines()
    assert head.split()[0] == "NAME"
    assert line.startswith("work  idle   2")
    running_log = shell.good("log", "work")
    assert "In [1]: x = 6 * 7\n   ...: print(x)\n42\n" in running_log
    assert "ZeroDivisionError: division by zero" in running_log
    assert shell.good("log", "-n", "1").count("In [") == 1
    stopped = "work ended; its state is kept. bring back: holdfast attach work\n"
    assert shell.good("stop", "work") == stopped
    assert "ended, state kept" in shell.good("ls")
    assert shell.good("log", "work") == running_log
    assert shell.good("stop", "work").startswith("work had ended already")
    again = shell.run("new", "work", "-d")
    assert (again.returncode, again.stderr.splitlines()[0]) == (1, "holdfast: session 'work' already exists")


def test_a_new_session_is_named_after_its_folder_and_starts_there(shell: Shell) -> None:
    assert shell.good("new", "-d") == "ledger\n"
    assert shell.good("new", "-d") == "ledger-2\n"
    (shell.work / "sub").mkdir()
    assert shell.good("new", "-d", "--cwd", "sub") == "sub\n"
    with shell.client("sub") as client:
        run = client.execute("import os; print(os.getcwd())")
        text = "".join(message.content.get("text", "") for message in run)
    assert text == f"{shell.work / 'sub'}\n"
    assert shell.good("ls", "-q") == "ledger\nledger-2\nsub\n"


def test_when_all_processes_are_killed_a_session_was_not_closed_properly(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    gate = Gate(shell.home / "gate")
    with shell.client("work") as client:
        run = client.execute(f"print('last words', flush=True); {gate.wait}")
        for message in run:
            if message.msg_type == "stream":
                break
        time_to_commit = Deadline(SECONDS)
        while "last words" not in shell.good("log", "work"):
            assert not time_to_commit.passed
        shell.lose()
    assert "not closed properly" in shell.good("ls")
    log = shell.good("log", "work")
    assert "last words\n" in log
    assert "(the session ended in it)" in log
    assert shell.run("interrupt", "work").returncode == 1


def test_without_a_command_a_console_opens_on_a_session_named_after_the_folder(shell: Shell) -> None:
    with shell.terminal() as terminal:
        terminal.expect("In ")
        assert shell.good("ls", "-q") == "ledger\n"
        terminal.sendline("print(6 * 7)")
        terminal.expect("42\r\n")
        terminal.sendline("exit")
        terminal.expect(r"(left|ended) ledger.* back: holdfast attach ledger")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0
    assert "In [1]: print(6 * 7)\n42\n" in shell.good("log", "ledger")


def test_attaching_finds_the_session_as_it_was_left(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("x = 42").reply()
    with shell.terminal("attach", "work") as terminal:
        terminal.expect("In ")
        terminal.sendline("print(x)")
        terminal.expect("42\r\n")
        terminal.sendline("exit")
        terminal.expect("left work; it goes on")
        terminal.expect(pexpect.EOF)
    assert shell.info("work")["state"] == "idle"


def test_attaching_after_a_kill_says_how_it_ended_and_goes_on(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("x = 42").reply()
    shell.lose()
    with shell.terminal("a") as terminal:  # the only session is the newest
        terminal.expect("work: this session was not closed properly: ")
        terminal.expect("In ")
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
    assert shell.info("work")["state"] == "idle"


def test_a_supervisor_that_was_killed_is_replaced_by_whatever_command_comes_next(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("x = 42").reply()
    pid = int(str(shell.info("work")["pid"]))
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(SECONDS))
    assert shell.info("work")["adopted"]
    with shell.client("work") as client:
        assert client.execute("assert x == 42").reply().content["status"] == "ok"


def test_a_session_goes_back_when_it_is_told_to_from_elsewhere(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        for number in range(1, 4):
            client.execute(f"x = {number}").reply()
        assert shell.good("undo", "work", "2").startswith(
            "Going back to the state after In[1]: In[2] and In[3] are undone in memory;"
        )
        assert client.execute("assert x == 1").reply().content["status"] == "ok"
        refused = shell.run("undo", "work", "7")
        assert refused.returncode == 1
        assert "there are not 7 cells to undo" in refused.stderr
        assert shell.run("undo", "work", "all").returncode == 2
        assert shell.run("undo", "work", "disk", "9").returncode == 1
        told = shell.good("info", "work")
        assert "%redo: after In[3], left by going back, " in told
        assert " of memory; " in told
        assert "In[2] and In[3] are there again." in shell.good("redo", "work")
        assert client.execute("assert x == 3").reply().content["status"] == "ok"
        assert "nothing was given up" in shell.run("redo", "work", "crash").stderr


def test_variables_are_listed_from_elsewhere_while_a_cell_runs(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    gate = Gate(shell.home / "gate")
    assert shell.good("variables", "work") == "no variables as of the start\n"
    with shell.client("work") as client:
        client.execute("herd, red = [1, 2], '\\x1b[31m'").reply()
        run = client.execute(f"print('running', flush=True); herd = None; {gate.wait}")
        while next(run).msg_type != "stream":
            pass
        lines = shell.good("variables", "work").splitlines()
        assert lines[0] == "variables as of In[1]; In[2] runs"
        assert lines[1].split() == ["herd", "list", "2", "[1,", "2]"]
        assert json.loads(shell.good("variables", "work", "--json"))["variables"][0]["text"] == "[1, 2]"
        assert [each.name for each in client.variables("red").variables] == ["red"]
        gate.open()
        run.reply()


def test_an_interrupt_from_elsewhere_ends_the_cell(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    gate = Gate(shell.home / "gate")
    with shell.client("work") as client:
        run = client.execute(f"print('running', flush=True); {gate.wait}")
        while next(run).msg_type != "stream":
            pass
        assert "running 0s [1]" in shell.good("ls")
        assert shell.good("interrupt", "work") == "work interrupted\n"
        assert run.reply().content["ename"] == "KeyboardInterrupt"
        idle = shell.run("interrupt", "work")
        assert (idle.returncode, idle.stderr) == (0, "work runs nothing\n")


def test_force_stops_what_nothing_else_stops(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("x = 42").reply()
        deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
        run = client.execute(deaf + "while True: pass")
        while next(run).msg_type != "stream":
            pass
        assert shell.good("interrupt", "work", "--force") == "work interrupted\n"
        assert run.reply().content["status"] == "error"
        text = "".join(message.content.get("text", "") for message in client.execute("print(x)"))
    assert text == "42\n"


def test_the_client_library_forces_as_the_command_does(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    deaf = (
        "while True:\n    try:\n        print('deaf', flush=True)\n        while True: pass\n    except: pass"
    )
    with shell.client("work") as client:
        client.execute("x = 42").reply()
        run = client.execute(deaf)
        while next(run).msg_type != "stream":
            pass
        client.interrupt()
        client.interrupt(force=True)
        assert run.reply().content["evalue"] == "stopped on request"

    async def force() -> object:
        file = shell.home / "run" / "work" / "connection.json"
        async with AsyncClient(connection.read(file)) as other:
            cell = other.execute("x = None\n" + deaf)
            async for message in cell:
                if message.msg_type == "stream":
                    break
            await other.interrupt(force=True)
            assert (await cell.reply).content["evalue"] == "stopped on request"
            return (await other.variables("x")).variables[0].text

    assert asyncio.run(force()) == "42"


def test_listing_sessions_takes_no_longer_than_a_blink(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    took = []
    for _ in range(5):
        begun = time.monotonic()
        shell.good("ls")
        took.append(time.monotonic() - begun)
    assert min(took) < 0.15  # 0.05 on a quiet machine
