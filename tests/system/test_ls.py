"""`holdfast ls` on a terminal: what one sees at a glance."""

from __future__ import annotations

import sys

from kit.kernel import environment
from kit.shell import Shell
from kit.terminal import Terminal


def listed(shell: Shell, columns: int) -> list[str]:
    command = [sys.executable, "-m", "holdfast", "ls"]
    with Terminal(command, environment(shell.home, shell.mark), columns=columns) as terminal:
        assert terminal.wait_end() == 0
        return terminal.lines


def test_a_recent_crash_is_news(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("import os; os.abort()").reply()
        client.execute("1").reply()
        assert "work  idle, crashed now  2      ana" in shell.good("ls")


def test_a_narrow_terminal_has_a_line_a_session_all_the_same(shell: Shell) -> None:
    folder = shell.work / ("long-" * 12 + "end")
    folder.mkdir()
    shell.good("new", "work", "-d", "--cwd", str(folder))
    assert str(folder) in shell.good("ls")
    assert str(folder) in listed(shell, 200)[1]
    _, line = listed(shell, 80)
    assert line.endswith("-end")
    assert "  …" in line
    assert len(line) == 80
