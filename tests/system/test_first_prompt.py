"""The first prompt of `holdfast attach` stands before the console is loaded, which then goes on in place."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.gate import Gate
from kit.late import Late
from kit.session import HOLDFAST, Session, session
from kit.terminal import BACKSPACE, CTRL_BACKSLASH, CTRL_C, CTRL_D, ENTER, UP, Terminal

UNLOADED = ("msgspec", "zmq", "prompt_toolkit")
"""What a console can't do without."""

WIDE = 200
"""Columns: the head fits into a line, whoever is named in it."""


@pytest.fixture
def work() -> Iterator[Session]:
    with session() as made:
        yield made


@pytest.fixture(params=UNLOADED)
def late(request: pytest.FixtureRequest, tmp_path: Path) -> Late:
    return Late(tmp_path / "late", request.param)


@pytest.fixture
def unconnected(tmp_path: Path) -> Late:
    return Late(tmp_path / "late", "zmq")


def ran(work: Session, *cells: str) -> None:
    """Somebody called ana has run these, and left."""
    ana = work.client("ana")
    try:
        for code in cells:
            ana.do(code)
    finally:
        ana.close()


def begun(work: Session, late: Late) -> Terminal:
    """A console that has yet to load what it needs."""
    return work.opened(cwd=late.folder, **late.variables)


def in_a_shell(work: Session, late: Late) -> Terminal:
    """A console on a terminal that is there before it, which Enter begins, and after it."""
    script = f"echo shell; read x; {sys.executable} -m holdfast attach work; echo back $?; read x"
    return Terminal(["sh", "-c", script], work.env | late.variables, cwd=late.folder)


def test_it_stands_before_the_console_is_loaded_and_nothing_moves_when_it_is(
    work: Session, late: Late
) -> None:
    ran(work, "def twice(n):\n    return 2 * n", "twice(21)")
    with begun(work, late) as console:
        console.wait_for_last("In [3]:")
        before, cursor = console.text, console.cursor
        assert re.search(r"session work · .* · 2 cells · Ctrl-D leaves\n--- last cells ---\n", before)
        assert "\n\n[ana] In [2]: twice(21)\n[ana] Out[2]: 42\n\nIn [3]:" in before
        assert console.style_of("def")[0] == "magenta"
        late.open()
        console.send("q")
        console.wait_for_last("In [3]: q")
        console.send(BACKSPACE)
        console.wait_until(lambda: (console.text, console.cursor) == (before, cursor), "the screen as it was")


def test_it_looks_as_one_that_was_drawn_when_all_was_there(work: Session) -> None:
    ran(work, "x = 'some text'", "x", "print('last')")
    with (
        work.console(cleared=False, columns=WIDE) as soon,
        work.console(cleared=False, columns=WIDE, HOLDFAST_CONSOLE_IMAGES="none") as late,
    ):
        seen = [
            re.sub(r"up \d+ s| · with [^·]*(?= ·)", "", each.unfolded)  # who just leaves may be named
            for each in (soon, late)
        ]
        assert seen[0] == seen[1]


def test_what_is_typed_meanwhile_is_not_shown_and_then_runs(work: Session, late: Late) -> None:
    with begun(work, late) as console:
        console.wait_for_last("In [1]:")
        console.send("6*7" + ENTER + "half ty")
        late.open()
        console.wait_for("Out[1]: 42\n\nIn [2]: half ty")
        assert console.all_text.count("6*7") == 1
        assert console.all_text.count("half ty") == 1
        assert console.all_text.count("session work") == 1
        assert b"^M" not in console.raw


def test_up_arrow_typed_meanwhile_finds_what_was_typed_before(work: Session, unconnected: Late) -> None:
    ran(work, "print('once')")
    with begun(work, unconnected) as console:
        console.wait_for_last("In [2]:")
        console.send(UP)
        unconnected.open()
        console.wait_for_last("In [2]: print('once')")


def test_what_others_run_meanwhile_comes_once_and_the_number_follows(work: Session, late: Late) -> None:
    ran(work, "print('before')")
    with begun(work, late) as console:
        console.wait_for_last("In [2]:")
        ran(work, "for i in range(3): print('n', i)", "'la' + 'st'")
        console.send("half ty")
        late.open()
        console.wait_for("[ana] Out[3]: 'last'\n\nIn [4]: half ty")
        assert (
            "[ana] In [2]: for i in range(3): print('n', i)\nn 0\nn 1\nn 2\n\n[ana] In [3]:" in console.text
        )
        assert re.findall(r"In \[(\d)\]: ", console.all_text) == ["1", "2", "3", "4"]


def test_a_cell_that_runs_is_seen_so_far_and_goes_on(work: Session, late: Late, tmp_path: Path) -> None:
    first, second = Gate(tmp_path / "first"), Gate(tmp_path / "second")
    code = f"print('n 0', flush=True)\n{first.wait}\nprint('n 1', flush=True)\n{second.wait}\nprint('n 2')"
    ana = work.client("ana")
    try:
        running = ana.start(code)
        ana.text(running, "n 0\n")
        with begun(work, late) as console:
            console.wait_for_last("In [2]:")
            assert "In [1] of ana has been running for" in console.text
            assert "\nn 0\n\nIn [2]:" in console.text
            first.open()
            ana.text(running, "n 1\n")
            late.open()
            console.wait_for("\nn 0\nn 1\n\nIn [2]:")
            console.send(CTRL_C)
            console.wait_for("In [1] of ana is running; Ctrl-C again interrupts it")
            second.open()
            console.wait_for("\nn 2\n")
            console.send("'af' + 'ter'" + ENTER)
            console.wait_for("Out[2]: 'after'")
            assert [console.all_text.count(f"\nn {i}\n") for i in range(3)] == [1, 1, 1]
    finally:
        ana.close()


def test_a_half_written_line_stays_above_it(work: Session, unconnected: Late, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    ana = work.client("ana")
    try:
        running = ana.start(f"print('step 1', end='', flush=True)\n{gate.wait}\nprint('\\rstep 2')")
        ana.text(running, "step 1")
        with begun(work, unconnected) as console:
            console.wait_for_last("In [2]:")
            assert "\nstep 1\nIn [2]:" in console.text
            before = console.text
            unconnected.open()
            console.send("q")
            console.wait_for_last("In [2]: q")
            console.send(BACKSPACE)
            console.wait_for_last("In [2]:")
            assert console.text == before
            gate.open()
            console.wait_for("\nstep 2\n")
    finally:
        ana.close()


def test_a_cell_typed_while_another_ends_hears_of_both(
    work: Session, unconnected: Late, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate")
    ana = work.client("ana")
    try:
        running = ana.start(f"print('going', flush=True)\n{gate.wait}\nprint('gone')")
        ana.text(running, "going\n")
        with begun(work, unconnected) as console:
            console.wait_for_last("In [2]:")
            console.send("'mi' + 'ne'" + ENTER)
            gate.open()
            ana.text(running, "gone\n")
            unconnected.open()
            console.wait_for("Out[2]: 'mine'\n\nIn [3]:")
            assert console.all_text.count("\ngone\n") == 1
    finally:
        ana.close()


@pytest.mark.parametrize("keys", [CTRL_D, CTRL_BACKSLASH, "exit" + ENTER])
def test_who_leaves_meanwhile_has_left(work: Session, late: Late, keys: str) -> None:
    with begun(work, late) as console:
        console.wait_for_last("In [1]:")
        console.send(keys)
        late.open()
        console.wait_for("left work; it goes on. back: holdfast attach work")
        assert console.wait_end() == 0


def test_ctrl_c_typed_meanwhile_drops_the_line(work: Session, late: Late) -> None:
    with begun(work, late) as console:
        console.wait_for_last("In [1]:")
        console.send("wrong" + CTRL_C + "6*7" + ENTER)
        late.open()
        console.wait_for("Out[1]: 42")


def test_a_session_that_ends_meanwhile_is_told(work: Session, late: Late) -> None:
    with begun(work, late) as console:
        console.wait_for_last("In [1]:")
        work.command("stop", "work")
        late.open()
        # Within less than the 10 s that a connection is waited for.
        console.wait_for("work has ended; its state is kept. back: holdfast attach work", 8)
        assert (
            console.wait_end() == 0
        )  # whether it has heard that somebody stopped it, or only that it is gone


def test_a_supervisor_that_is_killed_meanwhile_is_replaced(work: Session, tmp_path: Path) -> None:
    late = Late(tmp_path / "late", "prompt_toolkit")  # which a supervisor, started by a console, never loads
    ran(work, "kept = 41")
    with begun(work, late) as console:
        console.wait_for_last("In [2]:")
        os.kill(work.info()["pid"], signal.SIGKILL)
        late.open()
        console.wait_for("nothing was lost")
        console.send("kept + 1" + ENTER)
        console.wait_for("Out[2]: 42")


def test_a_supervisor_that_stands_still_is_waited_for_as_ever(work: Session) -> None:
    pid = work.info()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        with work.opened() as console:
            with pytest.raises(AssertionError):
                console.wait_for("In [", 1.5)
            os.kill(pid, signal.SIGCONT)
            console.send("6*7" + ENTER)
            console.wait_for("Out[1]: 42")
            assert console.all_text.count("session work") == 1
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("how", ["leave", "stop"])
def test_the_terminal_is_as_it_was(work: Session, late: Late, how: str) -> None:
    with in_a_shell(work, late) as terminal:
        terminal.wait_for("shell")
        modes = termios.tcgetattr(terminal.fileno())
        terminal.send(ENTER)
        terminal.wait_for_last("In [1]:")
        assert termios.tcgetattr(terminal.fileno()) != modes
        if how == "leave":
            terminal.send(CTRL_D)
        else:
            work.command("stop", "work")
        late.open()
        terminal.wait_for("\nback ")
        assert termios.tcgetattr(terminal.fileno()) == modes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_it_is_so_for_who_is_killed_before_all_is_loaded(
    work: Session, tmp_path: Path, number: signal.Signals
) -> None:
    late = Late(tmp_path / "late", "asyncio")
    with in_a_shell(work, late) as terminal:
        terminal.wait_for("shell")
        modes = termios.tcgetattr(terminal.fileno())
        terminal.send(ENTER)
        terminal.wait_for_last("In [1]:")
        late.reached()
        (console,) = subprocess.check_output(["pgrep", "-P", str(terminal.pid)], text=True).split()
        os.kill(int(console), number)
        terminal.wait_for(f"\nback {128 + number}")
        assert termios.tcgetattr(terminal.fileno()) == modes
        assert "Traceback" not in terminal.text
    late.open()


def test_where_one_is_can_be_read_on_a_terminal_that_is_small_or_dumb(work: Session) -> None:
    with work.opened(columns=30) as narrow:
        narrow.wait_for("session work · Python")
        narrow.wait_for_last_prompt()
        narrow.send("6*7" + ENTER)
        narrow.wait_for("Out[1]: 42")
    with Terminal([*HOLDFAST, "attach", "work"], work.env, term="dumb") as dumb:
        dumb.wait_for("session work · Python")
        dumb.wait_for_last("In [2]:")
        dumb.send("7*7" + ENTER)
        dumb.wait_for("Out[2]: 49")
        assert b"\x1b[3" not in dumb.raw  # no colours
