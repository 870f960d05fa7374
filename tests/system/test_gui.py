"""Windows: their events are served while nothing else happens, and a crash takes them away, nothing more.

Tk's timers need no window and no display; Qt has a platform without one. What is about the display itself has
an X server of its own.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from kit.display import x_server
from kit.kernel import Kernel, only_holdfast, running
from kit.wire import Client

pytestmark = only_holdfast

DIE = "import ctypes; ctypes.string_at(0)"
AT_ONCE = 8.0
"""Seconds: generous, as a busy machine takes its time. What no loop looks at takes ten, or for ever."""


class Toolkit(NamedTuple):
    """How a cell uses it."""

    name: str
    module: str
    package: str
    begin: str
    """Defines `later(milliseconds, function)` and `window()`."""


TK = Toolkit(
    "tk",
    "_tkinter",
    "python3-tk",
    """
import tkinter
tcl = tkinter.Tcl()
def later(milliseconds, function): tcl.after(milliseconds, function)
def window(): return tkinter.Tk()
""",
)
QT = Toolkit(
    "qt",
    "PySide6",
    "PySide6-Essentials",
    """
from PySide6 import QtCore, QtWidgets
def later(milliseconds, function): QtCore.QTimer.singleShot(milliseconds, function)
def window():
    label = QtWidgets.QLabel("a window")
    label.show()
    return label
""",
)


@pytest.fixture(params=[TK, QT], ids=lambda toolkit: toolkit.name)
def toolkit(request: pytest.FixtureRequest) -> Toolkit:
    """Each toolkit that is installed."""
    toolkit: Toolkit = request.param
    if importlib.util.find_spec(toolkit.module) is None:
        pytest.skip(f"{toolkit.module} is not installed (package {toolkit.package})")
    return toolkit


@pytest.fixture
def client(toolkit: Toolkit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a kernel that has the toolkit on, and no display."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with running() as kernel:
        yield _client(kernel, toolkit)


@pytest.fixture
def windowed(toolkit: Toolkit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The same, with a window on a display."""
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        with running() as kernel:
            client = _client(kernel, toolkit)
            client.do("shown = window()")
            yield client


def _client(kernel: Kernel, toolkit: Toolkit) -> Client:
    client = kernel.client()
    cell = client.do(f"%gui {toolkit.name}\n{toolkit.begin}")
    assert cell.text("stderr") == ""
    return client


def test_a_timer_of_the_toolkit_fires_while_nothing_runs(client: Client) -> None:
    cell = client.do("later(20, lambda: later(20, lambda: print('tick', flush=True)))")
    client.text(cell.msg_id, "tick")


def test_a_cell_starts_at_once(client: Client) -> None:
    client.do("x = 1")
    for _ in range(3):
        assert client.run("x").seconds < AT_ONCE
    client.do("def again(): later(5, again)\nagain()")
    for _ in range(3):
        assert client.run("x").seconds < AT_ONCE


def test_timers_and_tasks_go_on_side_by_side(client: Client) -> None:
    cell = client.do("""
import asyncio
async def both():
    done = asyncio.Event()
    later(20, done.set)
    await asyncio.wait_for(done.wait(), 10)
    await asyncio.sleep(0.01)
    print("both", flush=True)
task = asyncio.create_task(both())
""")
    client.text(cell.msg_id, "both")


def test_a_callback_may_begin_a_task(client: Client) -> None:
    cell = client.do("""
import asyncio
async def hello(): print("hello", flush=True)
later(20, lambda: asyncio.get_running_loop().create_task(hello()))
""")
    client.text(cell.msg_id, "hello")


def test_windows_live_while_a_cell_awaits_and_even_while_it_never_rests(client: Client) -> None:
    wait = """
import asyncio
fired = asyncio.Event()
later(20, fired.set)
"""
    assert client.do(wait + "await asyncio.wait_for(fired.wait(), 10)").seconds < AT_ONCE
    assert client.do(wait + "while not fired.is_set(): await asyncio.sleep(0)").seconds < AT_ONCE


def test_an_interrupt_ends_an_awaiting_cell(client: Client) -> None:
    running = client.start("import asyncio; print('here', flush=True); await asyncio.Event().wait()")
    client.text(running, "here")
    client.send("interrupt_request", channel="control")
    cell = client.finish(running)
    assert cell.reply["ename"] == "KeyboardInterrupt"
    assert cell.seconds < AT_ONCE


def test_an_idle_worker_uses_no_processor(client: Client) -> None:
    client.do("import asyncio, time")
    cell = client.do("""
def report(before=time.process_time()): print(f"used {time.process_time() - before < 0.2}", flush=True)
asyncio.get_running_loop().call_later(1, report)
""")
    client.text(cell.msg_id, "used True")


def test_what_a_callback_did_survives_a_crash(client: Client) -> None:
    client.do("done = []")
    cell = client.do("later(20, lambda: (done.append(1), print('did', flush=True)))")
    client.text(cell.msg_id, "did")
    assert client.run(DIE).status == "error"
    assert client.value("done") == [1]


def test_off_means_that_nothing_is_served(client: Client, toolkit: Toolkit) -> None:
    client.do("%gui\ndone = []\nlater(0, lambda: done.append(1))")
    assert client.value("import asyncio; await asyncio.sleep(0.05); done") == []
    cell = client.do(f"%gui {toolkit.name}\nlater(0, lambda: print('on again', done, flush=True))")
    client.text(cell.msg_id, "on again [1]")


def test_an_exception_in_a_callback_is_shown_and_the_next_one_comes(client: Client) -> None:
    cell = client.do("later(10, lambda: 1 / 0)\nlater(30, lambda: print('next', flush=True))")
    client.text(cell.msg_id, "next")
    client.text(cell.msg_id, "ZeroDivisionError")


def test_a_crash_takes_the_windows_and_nothing_else(windowed: Client, toolkit: Toolkit) -> None:
    windowed.do("kept = 5")
    cell = windowed.run(DIE)
    assert f"%gui {toolkit.name} is off" in cell.notice, cell.notice
    assert windowed.value("kept") == 5
    assert "Restart the kernel" in windowed.do(f"%gui {toolkit.name}").text("stderr")
    windowed.do("%gui asyncio")
    again = windowed.run(DIE)
    assert "%gui" not in again.notice
    assert windowed.value("kept") == 5


def test_who_still_uses_a_lost_window_does_not_wait_for_ever(windowed: Client) -> None:
    windowed.do("kept = 5")
    windowed.run(DIE)
    windowed.run("another = window()")  # Tk ends the process, Qt shows nothing
    assert windowed.value("kept") == 5


def test_a_restart_opens_windows_again(toolkit: Toolkit, monkeypatch: pytest.MonkeyPatch) -> None:
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
        with running() as kernel:
            client = _client(kernel, toolkit)
            client.do("shown = window()")
            client.run(DIE)
            kernel.shut_down(restart=True)
            kernel.launch()
            client = _client(kernel, toolkit)
            cell = client.do("shown = window()\nlater(10, lambda: print('there', flush=True))")
            client.text(cell.msg_id, "there")


def test_matplotlib_opens_its_windows(toolkit: Toolkit, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
        with running() as kernel:
            client = kernel.client()
            client.do(f"%matplotlib {toolkit.name}\nimport matplotlib.pyplot as plt", within=60)
            cell = client.do("""
figure = plt.figure()
figure.canvas.mpl_connect("draw_event", lambda event: print("drawn", flush=True))
plt.plot([1, 2])
""")
            client.text(cell.msg_id, "drawn")
            assert cell.text("stderr") == ""
            client.do("%matplotlib inline")
            assert "display_data" in client.do("plt.figure(); plt.plot([1, 2])").kinds


def test_names_that_need_no_loop_and_names_that_nobody_knows(guest: Client) -> None:
    for name in ("asyncio", "inline", "widget", ""):
        assert guest.do(f"%gui {name}").text("stderr") == ""
    cell = guest.do("%gui fltk\nprint('it goes on')")
    assert cell.text("stderr").startswith("Invalid GUI request 'fltk', valid ones are: ")
    assert cell.text("stderr").count("\n") == 1
    assert cell.text("stdout") == "it goes on\n"
    assert "does not work in Holdfast" in guest.do("%gui wx").text("stderr")


def test_a_toolkit_that_is_missing_is_named(guest: Client) -> None:
    guest.do("import sys; sys.modules['_tkinter'] = None")
    assert "python3-tk" in guest.do("%gui tk").text("stderr")
    guest.do("del sys.modules['_tkinter']")
    assert "pip install PyQt5" in guest.do("%gui qt5").text("stderr")


def test_qt_without_a_display_is_an_error_and_no_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("PySide6", reason="PySide6 is not installed")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with running() as kernel:
        assert "DISPLAY" in kernel.client().do("%gui qt").text("stderr")
