"""`holdfast attach` after everything was killed: what it says, `--replay`, `--fresh`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect
import pytest

from kit.deadline import Deadline
from kit.kernel import only_holdfast, scratch
from kit.processes import kill
from kit.shell import Shell

pytestmark = only_holdfast

ONCE = "[checkpoint]\nrest_seconds = 0.05\nshare = 10_000.0\n"
"""One checkpoint soon, and then none for longer than any test takes."""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with scratch() as home:
        (home / "config").mkdir(mode=0o700)
        (home / "config" / "settings.toml").write_text(ONCE)
        shell = Shell(home)
        yield shell
        shell.close()


def lost(shell: Shell, *cells: str) -> None:
    """A session `work` that has run these cells, of which only the first is on disk; then a reboot."""
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute(cells[0]).reply()
        deadline = Deadline(15)
        while not client.operation("info")["restore_point"].endswith("on disk: In[1]"):
            assert not deadline.passed
        for cell in cells[1:]:
            client.execute(cell).reply()
    kill(shell.mark)


@contextmanager
def attached(shell: Shell, *options: str) -> Iterator[pexpect.spawn[str]]:
    """A console on it; it is left at the end."""
    with shell.terminal("attach", "work", *options) as terminal:
        yield terminal
        terminal.sendline("exit")
        terminal.expect("left work")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0


def value(shell: Shell, expression: str) -> str:
    with shell.client("work") as client:
        shown = [
            m.content for m in client.execute(f"print({expression})") if m.msg_type in ("stream", "error")
        ]
    return "".join(str(each.get("text", each.get("evalue"))) for each in shown).strip()


def test_attaching_says_what_happened_what_is_back_and_what_came_after(shell: Shell) -> None:
    lost(shell, "x = 5", "y = 6")
    with attached(shell) as terminal:
        terminal.expect("work: this session was not closed properly: its processes ended 20")
        terminal.expect(r"Back from disk, as after In\[1\] \(written 20")
        terminal.expect(r"In\[2\] came after that")
        terminal.expect("In ")
        assert value(shell, "x") == "5"
        assert "not defined" in value(shell, "y")


def test_replay_shows_the_missing_cells_and_runs_them_again_one_by_one(shell: Shell) -> None:
    lost(shell, "x = 5", "y = x + 1; print('y is', y)", "1 / 0", "z = [\n    y,\n]")
    with attached(shell, "--replay") as terminal:
        terminal.expect(r"3 cells run again, with everything they do")
        terminal.expect(r"In\[2\]:\r\n    y = x \+ 1; print\('y is', y\)\r\n")
        terminal.expect(r"In\[3\] \(ended with an error\):\r\n    1 / 0\r\n")
        terminal.expect(r"In\[4\]:\r\n    z = \[\r\n        y,\r\n    \]\r\n")
        terminal.expect(r"In\[2\] again:\r\ny is 6\r\n")
        terminal.expect(r"In\[3\] again:")
        terminal.expect("ZeroDivisionError")
        terminal.expect(r"In\[4\] again:")
        terminal.expect("In ")
        assert value(shell, "x, y, z") == "5 6 [6]"


def test_replay_stops_at_the_first_error_and_says_what_is_left(shell: Shell) -> None:
    (shell.work / "once").touch()
    lost(shell, "import os", "os.remove('once'); a = 1", "b = 2", "c = 3")
    with attached(shell, "--replay") as terminal:
        terminal.expect(r"In\[2\] again:")
        terminal.expect("FileNotFoundError")
        terminal.expect(r"stopped at In\[2\]; not run again: In\[3\], In\[4\]")
        terminal.expect("In ")
        assert "not defined" in value(shell, "b")


def test_a_cell_that_had_crashed_by_itself_is_not_run_again(shell: Shell) -> None:
    lost(shell, "import os", "os.abort()", "b = 2")
    with attached(shell, "--replay") as terminal:
        terminal.expect("1 cell runs again")
        terminal.expect("In ")
        assert value(shell, "b") == "2"


def test_fresh_brings_nothing_back_now_or_later(shell: Shell) -> None:
    lost(shell, "x = 5", "y = 6")
    with attached(shell, "--fresh") as terminal:
        terminal.expect("work: begins with an empty namespace")
        terminal.expect("In ")
        assert "not defined" in value(shell, "x")
    assert "x = 5" in shell.good("log", "work")
    kill(shell.mark)
    with attached(shell) as terminal:
        terminal.expect("In ")
        assert "not defined" in value(shell, "x")


@pytest.mark.parametrize("option", ["--replay", "--fresh"])
def test_neither_is_for_a_session_that_runs(shell: Shell, option: str) -> None:
    shell.good("new", "work", "-d")
    refused = shell.run("attach", "work", option)
    assert refused.returncode == 1
    remedy = r"holdfast stop work, then the same again   \(or in a cell: %\w+.*\)"
    assert re.fullmatch(rf"holdfast: session 'work' is running\ntry: {remedy}\n", refused.stderr)


def test_replay_with_nothing_missing_says_so(shell: Shell) -> None:
    lost(shell, "x = 5")
    with attached(shell, "--replay") as terminal:
        terminal.expect("there is nothing to run again")
        terminal.expect("In ")
        assert value(shell, "x") == "5"
