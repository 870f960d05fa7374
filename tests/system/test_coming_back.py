"""Coming back to a session: what happened, what runs, and what was missed. Each line once, none left out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest

from holdfast.client.doorbell import ANSWER_SECONDS
from kit.processes import kill
from kit.session import HOLDFAST, Session, session
from kit.terminal import CTRL_BACKSLASH, CTRL_C, ENTER, Terminal

BIG = """
import time
from IPython.display import display
for i in range(300):
    print('n', i, flush=True)
    display({'x/big': '-' * 200_000}, raw=True)
    time.sleep(0.02)
"""
"""A cell whose output no socket's buffer holds, and that takes little room on a screen."""

COUNTING = "import time\nfor i in range(4000): print('n', i); time.sleep(0.05)"
"""A cell that prints until it is interrupted: for three minutes."""


@pytest.fixture
def work() -> Iterator[Session]:
    with session() as made:
        yield made


def counted(terminal: Terminal) -> list[int]:
    """The numbers that stand on the screen, and above it."""
    return [int(number) for number in re.findall(r"^n (\d+)$", terminal.all_text, re.MULTILINE)]


def ran(work: Session, *cells: str) -> None:
    """Somebody called ana has run these, and left."""
    ana = work.client("ana")
    try:
        for code in cells:
            ana.do(code) if not code.startswith("!") else ana.run(code[1:])
    finally:
        ana.close()


def test_the_last_cells_are_told_with_who_ran_them_and_what_came(work: Session) -> None:
    ran(work, "x = [1, 2]\nx", "print('some', 'text')", "!1 / 0")
    with work.console(cleared=False) as console:
        assert (
            "--- last cells ---\n[ana] In [1]: x = [1, 2]\n         ...: x\n[ana] Out[1]: [1, 2]\n"
            in console.text
        )
        assert (
            "\n\n[ana] In [2]: print('some', 'text')\nsome text\n\n[ana] In [3]: 1 / 0\n---" in console.text
        )
        assert "\nZeroDivisionError: division by zero\n\nIn [4]:" in console.text
        assert console.style_of("ZeroDivisionError")[0] in ("red", "brightred")


def test_of_much_the_end_is_told_and_how_much_came_before(work: Session) -> None:
    ran(work, "old = 1", "for i in range(100): print('line', i)")
    with work.console(cleared=False) as console:
        assert re.search(r"In \[2\]: for i .*\n… 83 lines\nline 83\n", console.text)
        assert "\nline 99\n\nIn [3]:" in console.text
        assert "old = 1" not in console.text


def test_of_a_progress_bar_the_last_state_is_told_and_nothing_that_was_cleared(work: Session) -> None:
    ran(
        work,
        "from IPython.display import clear_output, display\nprint('gone')\nclear_output()\n"
        "for i in range(4): print(f'\\rstep {i}', end='')",
        "h = display('first', display_id=True)\nprint('between')\nh.update('second')",
    )
    with work.console(cleared=False) as console:
        assert "\nstep 3\n" in console.text
        assert "gone" not in console.text.replace("print('gone')", "")
        assert "\n'second'\nbetween\n" in console.text


def test_escapes_of_the_past_do_not_move_the_cursor(work: Session) -> None:
    ran(work, "print('\\x1b[2J\\x1b[Hup ' + '\\x1b[31mred')")
    with work.console(cleared=False) as console:
        assert console.text.startswith("session work")
        assert "\nup red\n" in console.text


def test_a_cell_that_runs_is_told_so_far_and_goes_on_with_each_line_once(work: Session) -> None:
    ana = work.client("ana")
    try:
        running = ana.start(COUNTING)
        ana.text(running, "n 20\n")
        with work.console(cleared=False) as console:
            assert "In [1] of ana has been running for" in console.all_text
            assert "[ana] In [1]: import time" in console.all_text
            console.wait_until(lambda: 60 in counted(console), "what comes now")
            console.send("half ty")
            console.wait_for("half ty")
            console.send(CTRL_C + CTRL_C)
            console.wait_for("In [1] of ana is running; Ctrl-C again interrupts it")
            console.send(CTRL_C)
            console.wait_for("KeyboardInterrupt")
            assert counted(console) == list(range(max(counted(console)) + 1))
    finally:
        ana.close()


def test_a_console_that_was_suspended_has_it_all_when_it_goes_on(work: Session) -> None:
    with work.console() as console:
        ana = work.client("ana")
        try:
            os.kill(console.pid, signal.SIGSTOP)
            for code in ("a = 1", "for i in range(50): print('n', i)", "'la' + 'st'"):
                ana.do(code)
            os.kill(console.pid, signal.SIGCONT)
            console.wait_for("[ana] Out[3]: 'last'\n\nIn [4]:")
            assert counted(console) == list(range(50))
            assert re.findall(r"In \[(\d)\]: ", console.all_text + " ") == ["1", "2", "3", "4"]
        finally:
            ana.close()


def test_a_console_that_was_too_slow_asks_for_what_was_dropped() -> None:
    settings = "[wire]\nsubscriber_bytes = 1_000_000\nsubscriber_seconds = 0.5\n"
    with session(settings) as work, work.console() as console:
        ana = work.client("ana")
        try:
            os.kill(console.pid, signal.SIGSTOP)
            ana.run(BIG, within=60)
            ana.do("'la' + 'st'")
            os.kill(console.pid, signal.SIGCONT)
            console.wait_for("Out[2]: 'last'", 60)
            console.wait_until(lambda: "meanwhile" in console.all_text, "what was left out")
            assert re.search(
                r"meanwhile \d+ MB of output are left out; all of it: holdfast log work", console.all_text
            )
            found = re.findall(r"^n (\d+)$", console.all_text, re.MULTILINE)
            assert found == sorted(set(found), key=int)
            assert found[0] == "0"
            assert found[-1] == "299"
        finally:
            ana.close()


def test_a_supervisor_that_stands_still_is_told_and_so_is_its_return(work: Session) -> None:
    with work.console() as console:
        console.send("1" + ENTER)
        console.wait_for("Out[1]: 1")
        pid = work.info()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            console.wait_for("work does not answer; what you run waits until it does. Ctrl-\\ leaves", 30)
            console.send("'after' + 'wards'" + ENTER)
            console.wait_until(lambda: console.cursor[1] == 0, "a cell on its way")
        finally:
            os.kill(pid, signal.SIGCONT)
        console.wait_until(lambda: re.search(r"work answers again, after \d+ s", console.text) is not None)
        console.wait_for("Out[2]: 'afterwards'")


def test_a_session_that_stands_still_can_be_left_at_once(work: Session) -> None:
    with work.console() as console:
        console.wait_for_last_prompt()
        pid = work.info()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            console.send("1" + ENTER)
            console.wait_for("work does not answer; what you run waits")
            console.send(CTRL_BACKSLASH)
            console.wait_for("left work: the supervisor of 'work' does not answer. back:", ANSWER_SECONDS - 1)
            assert console.wait_end() == 0
        finally:
            os.kill(pid, signal.SIGCONT)


def test_what_others_ran_while_there_was_no_supervisor_is_shown(work: Session) -> None:
    with work.console() as console:
        ana = work.client("ana")
        try:
            running = ana.start(COUNTING)
            ana.text(running, "n 5\n")
            os.kill(work.info()["pid"], signal.SIGKILL)
            console.wait_for("nothing was lost")
            work.command("interrupt", "work")
            console.wait_for("KeyboardInterrupt")
            assert counted(console) == list(range(max(counted(console)) + 1))
        finally:
            ana.close()


def test_a_session_that_comes_back_with_another_key_is_found_again(work: Session) -> None:
    with work.console() as console:
        console.send("kept = 41" + ENTER)
        console.wait_for("In [2]:")
        pid = work.info()["pid"]
        (work.folder / "run" / "work" / "connection.json").unlink()
        os.kill(pid, signal.SIGKILL)
        console.wait_for("nothing was lost")
        console.send("kept + 1" + ENTER)
        console.wait_for("Out[2]: 42")


def test_a_session_that_was_begun_again_elsewhere_is_joined_and_told(work: Session) -> None:
    with work.console() as console:
        console.send("half ty")
        console.wait_for("half ty")
        os.kill(console.pid, signal.SIGSTOP)
        kill(work.mark, spared=console.pid)
        with work.console():
            os.kill(console.pid, signal.SIGCONT)
            console.wait_for("work had ended, and was begun again elsewhere: ")
            console.wait_until(lambda: console.lines[-1].endswith("half ty"), "the half typed line")
            console.send(CTRL_C + "'in ' + 'it'" + ENTER)
            console.wait_for("'in it'")


def test_the_answer_to_who_is_there_does_not_wait_for_the_worker(work: Session) -> None:
    ana = work.client("ana")
    try:
        running = ana.start("print('deaf', flush=True); sum(range(10**13))")
        ana.text(running, "deaf")
        with work.console(cleared=False) as console:
            assert "[ana] In [1]: print('deaf'" in console.text
            assert "\ndeaf\n" in console.text
        subprocess.run([*HOLDFAST, "interrupt", "work", "--force"], env=work.env, check=True, timeout=30)
    finally:
        ana.close()
