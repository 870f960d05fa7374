"""`jupyter console`: on a kernel that it starts, and attached to a session that runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from kit.kernel import Kernel, environment
from kit.terminal import CTRL_C, TAB, Terminal
from kit.wire import Client

from .conftest import Home

pytest.importorskip("jupyter_console", reason="jupyter_console is not installed")

START_SECONDS = 40.0
"""For the program to be there: a second or two of a core that others need, too."""

CRASH = "import ctypes; ctypes.string_at(0)\r"


def console(env: dict[str, str], *arguments: str) -> Terminal:
    """The program on a terminal."""
    return Terminal([sys.executable, "-m", "jupyter_console", *arguments], env, rows=50)


@pytest.fixture
def own(home: Home) -> Iterator[Terminal]:
    """A console that has started its kernel."""
    with console(home.env, "--kernel", "holdfast") as terminal:
        terminal.wait_for("In [1]:", START_SECONDS)
        terminal.send("'ready'\r")  # each of its sockets connects by itself: the others are there now, too
        terminal.wait_for("Out[1]: 'ready'")
        terminal.wait_for("In [2]:")
        yield terminal
        terminal.send("exit\r")
        terminal.wait_end()


def test_a_crash_costs_one_cell(own: Terminal) -> None:
    own.send("kept = 6 * 7\r")
    own.wait_for("In [3]:")
    own.send(CRASH)
    own.wait_for("every variable as before In[3]")
    own.wait_for("In [4]:")
    own.send("kept\r")
    own.wait_for("Out[4]: 42")


def test_names_are_completed_also_after_a_crash(own: Terminal) -> None:
    own.send("kept_for_long = 6 * 7\r")
    own.wait_for("In [3]:")
    own.send(CRASH)
    own.wait_for("In [4]:")
    own.send("kept_f" + TAB)
    own.wait_for("In [4]: kept_for_long")
    own.send("\r")
    own.wait_for("Out[4]: 42")


def test_an_interrupt_ends_the_cell(own: Terminal) -> None:
    own.send("print('he' + 're', flush=True); open_ended = sum(0 for _ in iter(int, 1))\r")
    own.wait_for("here")
    own.send(CTRL_C)
    own.wait_for("KeyboardInterrupt")
    own.wait_for("In [3]:")


def test_a_question_is_answered(own: Terminal) -> None:
    own.send("input('name? ')\r")
    own.wait_until(lambda: own.lines[-1:] == ["name?"])
    own.send("Ada\r")
    own.wait_for("Out[2]: 'Ada'")


def test_it_joins_a_session_that_goes_on_without_it(kernel: Kernel, client: Client) -> None:
    client.do("shared = 'from elsewhere'")
    env = environment(kernel.folder, kernel.mark)
    with console(env, "--existing", str(kernel.file)) as terminal:
        terminal.wait_for("In [1]:", START_SECONDS)  # it counts from the first answer on
        terminal.send("shared\r")
        terminal.wait_for("'from elsewhere'")
        terminal.wait_for("In [3]:")
        terminal.send(CRASH)
        terminal.wait_for("every variable as before In[3]")
        terminal.wait_for("In [4]:")
        terminal.send("joined = shared.upper()\r")
        terminal.wait_for("In [5]:")
        terminal.send("exit(keep_kernel=True)\r")
        terminal.wait_end()
    assert client.value("joined") == "FROM ELSEWHERE"
