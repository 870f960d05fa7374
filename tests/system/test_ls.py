"""`holdfast ls` on a terminal: what one sees at a glance."""

from __future__ import annotations

import sys

from kit.kernel import environment
from kit.shell import Shell
from kit.terminal import Terminal


def listed(shell: Shell, columns: int, *what: str) -> list[str]:
    command = [sys.executable, "-m", "holdfast", *(what or ("ls",))]
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


def test_a_variable_is_one_line_of_the_terminal(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        client.execute("x, y = 'long ' * 20, 1").reply()
    assert listed(shell, 40, "variables", "work")[1:] == [
        "x  str  100  'long long long long long …",
        "y  int       1",
    ]
