"""Qt's console, without a screen: on a kernel that it starts, and attached to a session that runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kit.deadline import Deadline
from kit.kernel import Kernel
from kit.wire import Client

from .conftest import Home

pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("qtconsole", reason="qtconsole is not installed")

CRASH = "import ctypes; ctypes.string_at(0)"
WITHIN = 30.0
PICTURES = os.environ.get("HOLDFAST_TEST_PICTURES")
"""A folder for what the windows looked like at the end of their tests."""


@pytest.fixture(autouse=True)
def _offscreen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("QT_API", "pyside6")


class Window:
    """One console, driven as by a person at the keyboard."""

    def __init__(self, client: Any, manager: Any = None) -> None:
        from PySide6 import QtWidgets
        from qtconsole.rich_jupyter_widget import RichJupyterWidget

        self.app = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
        self.widget = RichJupyterWidget()
        self.widget.include_other_output = True
        self.widget.confirm_restart = False  # a dialog that would wait for somebody
        if manager is not None:
            self.widget.kernel_manager = manager
        self.widget.kernel_client = client
        self.widget.resize(900, 700)
        self.widget.show()

    @property
    def text(self) -> str:
        """All that is to be read in it."""
        return str(self.widget._control.toPlainText())

    def wait_for(self, text: str) -> None:
        """Until the text can be read."""
        self.until(lambda: text in self.text, repr(text))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Serve Qt's events until the condition holds."""
        from PySide6 import QtCore

        deadline = Deadline(WITHIN)
        alarm = QtCore.QTimer()  # ends the last wait
        alarm.start(int(WITHIN * 1000))
        loop = QtCore.QEventLoop()
        while not condition():
            assert not deadline.passed, f"waited in vain for {what}:\n{self.text}"
            loop.processEvents(QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def run(self, code: str, wanted: str) -> None:
        """Type a cell and Enter, and wait for a text."""
        self.until(lambda: not self.widget._executing and not self.widget._reading, "a prompt")
        self.widget.execute(code)
        self.wait_for(wanted)

    def press(self, key: str) -> None:
        """Press Tab, Return and the like."""
        from PySide6 import QtCore, QtTest

        QtTest.QTest.keyClick(self.widget._control, getattr(QtCore.Qt.Key, f"Key_{key}"))

    def close(self, name: str) -> None:
        """Close it; its picture is kept if somebody wants to see it."""
        if PICTURES:
            self.widget.grab().save(f"{PICTURES}/{name}.png")
        self.widget.kernel_client.stop_channels()
        self.widget.close()
        self.widget.deleteLater()


@pytest.fixture
def own(home: Home, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Window]:
    """A console that has started its kernel."""
    from qtconsole.manager import QtKernelManager

    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    manager = QtKernelManager(kernel_name="holdfast")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    window = Window(client, manager)
    try:
        window.wait_for("In [1]:")
        yield window
    finally:
        window.close(request.node.name)
        manager.shutdown_kernel()


@pytest.fixture
def joined(kernel: Kernel, request: pytest.FixtureRequest) -> Iterator[Window]:
    """A console on a session that runs."""
    from qtconsole.client import QtKernelClient

    client = QtKernelClient(connection_file=str(kernel.file))
    client.load_connection_file()
    client.start_channels()
    window = Window(client)
    try:
        yield window
    finally:
        window.close(request.node.name)


def test_a_crash_costs_one_cell(own: Window) -> None:
    own.run("kept = 6 * 7", "In [2]:")
    own.run(CRASH, "every variable as before In[2]")
    own.run("kept", "Out[3]: 42")
    assert "died" not in own.text.replace("InterpreterDied", "")


def test_names_are_completed_also_after_a_crash(own: Window) -> None:
    own.run("kept_for_long = 6 * 7", "In [2]:")
    own.run(CRASH, "In [3]:")
    own.widget.input_buffer = "kept_f"
    own.press("Tab")
    own.until(lambda: own.widget.input_buffer == "kept_for_long", "the completed name")


def test_an_interrupt_ends_the_cell(own: Window) -> None:
    own.run("print('he' + 're', flush=True); open_ended = sum(0 for _ in iter(int, 1))", "\nhere")
    own.widget.interrupt_kernel()
    own.wait_for("KeyboardInterrupt")
    own.run("6 * 7", "Out[2]: 42")


def test_a_question_is_answered(own: Window) -> None:
    own.run("name = input('your name? ')", "your name? ")
    own.until(lambda: own.widget._reading, "the question")
    own.widget._control.textCursor().insertText("Ada")
    own.press("Return")
    own.run("name", "Out[2]: 'Ada'")


def test_a_plot_is_seen(own: Window) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    own.run("%matplotlib inline\nimport matplotlib.pyplot as plt", "In [2]:")
    own.run("_ = plt.plot([1, 3, 2])", "In [3]:")
    own.wait_for("\N{OBJECT REPLACEMENT CHARACTER}")  # shell and iopub are two connections


def test_a_restart_from_its_menu_gives_an_empty_namespace(own: Window) -> None:
    own.run("kept = 6 * 7", "In [2]:")
    own.widget.request_restart_kernel()
    own.wait_for("Restarting kernel")
    own.run("'kept' in globals()", "False")


def test_it_joins_a_session_and_sees_what_others_do(joined: Window, client: Client) -> None:
    joined.wait_for("In [")
    client.do("shared = 'from elsewhere'")
    joined.run("shared", "'from elsewhere'")
    joined.wait_for("In [3]:")
    client.run(CRASH)
    joined.wait_for("every variable as before In[3]")
    joined.run("mine = shared.upper()", "In [4]:")
    client.do("print('said by another')")
    joined.wait_for("said by another")
    assert client.value("mine") == "FROM ELSEWHERE"
