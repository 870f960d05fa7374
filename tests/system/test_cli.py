"""The command line on real sessions, from their start to their end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal

import pexpect

from holdfast.client.aio import Client as AsyncClient
from holdfast.protocol import connection
from kit.deadline import Deadline
from kit.gate import Gate
from kit.processes import wait_for_end
from kit.shell import SECONDS, Shell


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
        while "last words\n" not in shell.good("log", "work"):
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
        assert re.search(r"running \d+s \[1\]", shell.good("ls"))
        assert shell.good("interrupt", "work") == "work interrupted\n"
        assert run.reply().content["ename"] == "KeyboardInterrupt"
        idle = shell.run("interrupt", "work")
        assert (idle.returncode, idle.stderr) == (0, "work runs nothing\n")


def test_one_that_several_stop_at_the_same_moment_ends_for_all_of_them(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    for stopping in [shell.start("stop", "work") for _ in range(4)]:
        with stopping:
            out, err = stopping.communicate(timeout=SECONDS)
        assert stopping.returncode == 0 or "is not running" in err, (out, err)


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
    """0.05 s on a quiet machine; on a busy one so much of a processor's time, and what Python itself takes to
    begin tells how fast that is."""
    shell.good("new", "work", "-d")
    ways = {"ls": lambda: shell.good("ls"), "python": lambda: shell.python("-c", "pass")}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(5):
        for name, run in ways.items():
            before = cpu_seconds_of_children()
            run()
            took[name].append(cpu_seconds_of_children() - before)
    assert min(took["ls"]) < 8 * min(took["python"]), took


def cpu_seconds_of_children() -> float:
    """Of all that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
