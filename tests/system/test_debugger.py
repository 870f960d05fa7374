"""The debugger of notebooks: breakpoints, variables, and what becomes of both when something ends.

The requests are JupyterLab's, in its order; debugpy is real.
"""

from __future__ import annotations

import itertools
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kit.kernel
from kit.kernel import START_SECONDS, Kernel, running
from kit.processes import marked
from kit.wire import Client, Message

CODE = """def f(a, b):
    c = a + b
    return c

f(2, 3)"""

INITIALIZE = {
    "clientID": "jupyterlab",
    "clientName": "JupyterLab",
    "adapterID": "Holdfast",
    "pathFormat": "path",
    "linesStartAt1": True,
    "columnsStartAt1": True,
    "supportsVariableType": True,
    "supportsVariablePaging": True,
    "supportsRunInTerminalRequest": True,
    "locale": "en",
}


class Frontend:
    """A client with a debugger's panel."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._numbers = itertools.count(1)

    def send(self, command: str, **arguments: Any) -> str:
        """Ask and don't wait."""
        content = {
            "type": "request",
            "seq": next(self._numbers),
            "command": command,
            "arguments": arguments,
        }
        return self.client.send("debug_request", content, "control")

    def ask(self, command: str, **arguments: Any) -> Message:
        """The response, which must say to what."""
        msg_id = self.send(command, **arguments)
        reply = self.client.reply(msg_id, START_SECONDS)  # it may start debugpy, and a process for that
        self.client.idle(msg_id)
        assert reply["msg_type"] == "debug_reply"
        content = reply["content"]
        assert content["type"] == "response"
        assert content["command"] == command
        return content

    def done(self, command: str, **arguments: Any) -> Any:
        """The body of a response that must succeed."""
        response = self.ask(command, **arguments)
        assert response["success"], response
        return response.get("body")

    def attach(self) -> None:
        self.done("initialize", **INITIALIZE)
        self.done("attach")
        self.done("configurationDone")

    def detach(self) -> None:
        self.done("disconnect", restart=False, terminateDebuggee=True)

    def break_at(self, code: str, *lines: int) -> str:
        """Set the breakpoints of a cell; returns the file that stands for it."""
        path = self.done("dumpCell", code=code)["sourcePath"]
        body = self.done(
            "setBreakpoints",
            source={"path": path},
            breakpoints=[{"line": line} for line in lines],
            sourceModified=False,
        )
        assert all(each["verified"] for each in body["breakpoints"]), body
        return str(path)

    def events(self, name: str = "") -> list[Message]:
        """Debugger's events so far; with a name only these."""
        contents = [each["content"] for each in self.client.published if each["msg_type"] == "debug_event"]
        return [each for each in contents if name in ("", each["event"])]

    def run_until_it_stops(self, code: str) -> str:
        """Run a cell to its next breakpoint; returns its msg_id."""
        seen = len(self.events("stopped"))
        msg_id = self.client.start(code)
        self.wait_for("stopped", seen + 1)
        return msg_id

    def wait_for(self, event: str, count: int = 1) -> Message:
        self.client.until(lambda: len(self.events(event)) >= count, f"event {event!r}")
        return self.events(event)[-1]

    def go_on(self, msg_id: str) -> Any:
        self.done("continue", threadId=1)
        return self.client.finish(msg_id)

    def info(self) -> Message:
        return dict(self.done("debugInfo"))

    def frames(self) -> list[Message]:
        return list(self.done("stackTrace", threadId=1)["stackFrames"])

    def scope(self, name: str) -> dict[str, Message]:
        """Variables of the innermost frame's scope."""
        scopes = self.done("scopes", frameId=self.frames()[0]["id"])["scopes"]
        (reference,) = (each["variablesReference"] for each in scopes if each["name"] == name)
        return by_name(self.done("variables", variablesReference=reference))


def by_name(body: Message) -> dict[str, Message]:
    return {each["name"]: each for each in body["variables"]}


@pytest.fixture
def frontend(guest: Client) -> Iterator[Frontend]:
    """A panel of the shared kernel; what is left on is switched off."""
    frontend = Frontend(guest)
    yield frontend
    if frontend.info()["isStarted"]:
        frontend.detach()


@pytest.fixture
def alone(client: Client) -> Frontend:
    """A panel of a kernel of its own."""
    return Frontend(client)


# Before it is switched on


def test_a_kernel_says_that_it_has_a_debugger(guest: Client) -> None:
    info = guest.ask("kernel_info_request")

    assert info["supported_features"] == ["debugger"]
    assert info["debugger"] is True


def test_a_frontend_learns_how_cells_are_named_before_anything_is_started(frontend: Frontend) -> None:
    info = frontend.info()

    assert info["isStarted"] is False
    assert (info["hashMethod"], info["tmpFileSuffix"]) == ("Murmur2", ".py")
    assert frontend.done("dumpCell", code="a")["sourcePath"].startswith(info["tmpFilePrefix"])
    assert info["breakpoints"] == info["stoppedThreads"] == []


def test_variables_are_shown_without_a_debugger(frontend: Frontend) -> None:
    frontend.client.do("rows = [1, {'x': 2}]; word = 'w'; _hidden_not = 1")
    shown = by_name(frontend.done("inspectVariables"))

    assert {"rows", "word", "_hidden_not"} <= shown.keys()
    assert not shown.keys() & {"In", "Out", "exit", "_", "_i1", "get_ipython", "__builtins__"}
    assert (shown["word"]["type"], shown["word"]["value"]) == ("str", "'w'")
    inner = by_name(frontend.done("variables", variablesReference=shown["rows"]["variablesReference"]))
    assert inner["1"]["value"] == "{'x': 2}"
    assert frontend.done("richInspectVariables", variableName="word")["data"] == {"text/plain": "'w'"}
    assert frontend.done("richInspectVariables", variableName="1 + 1")["data"] == {}
    assert frontend.client.value("len(__import__('os').listdir('/proc/self/task'))") == 1
    assert frontend.info()["isStarted"] is False


def test_a_picture_is_shown_as_a_picture(frontend: Frontend) -> None:
    frontend.client.do("class Picture:\n    def _repr_png_(self): return b'\\x89PNG'\npicture = Picture()")

    assert frontend.done("richInspectVariables", variableName="picture")["data"]["image/png"] == "iVBORw=="


def test_variables_wait_for_the_cell_that_runs_and_nobody_else_does(frontend: Frontend) -> None:
    client = frontend.client
    cell = client.start("seen = input()", allow_stdin=True)
    client.prompt()
    asked = frontend.send("inspectVariables")
    assert frontend.info()["isStarted"] is False
    client.answer("typed")
    client.finish(cell)

    assert "seen" in by_name(client.reply(asked)["content"]["body"])


def test_loaded_modules_are_listed(frontend: Frontend) -> None:
    body = frontend.done("modules")
    names = {each["name"]: each["path"] for each in body["modules"]}

    assert names["json"].endswith("json/__init__.py")
    assert body["totalModules"] >= len(names)
    assert len(frontend.done("modules", startModule=0, moduleCount=40)["modules"]) <= 40


@pytest.mark.parametrize("command", ["stackTrace", "setBreakpoints", "attach", "evaluate", "nonsense"])
def test_what_needs_a_debugger_says_so(frontend: Frontend, command: str) -> None:
    response = frontend.ask(command)

    assert not response["success"]
    assert "initialize" in response["message"]


@pytest.mark.parametrize("content", [{}, {"command": 1}, {"command": "debugInfo", "arguments": []}])
def test_a_request_that_is_none_gets_an_error(guest: Client, content: Message) -> None:
    assert guest.ask("debug_request", content, "control")["status"] == "error"


@pytest.mark.parametrize("command", ["dumpCell", "source", "variables", "richInspectVariables"])
def test_a_request_without_its_arguments_gets_an_error(frontend: Frontend, command: str) -> None:
    assert not frontend.ask(command)["success"]


def test_a_debugger_that_a_cell_has_started_is_left_alone(alone: Frontend) -> None:
    alone.client.do("import debugpy; address = debugpy.listen(('127.0.0.1', 0))")
    response = alone.ask("initialize", **INITIALIZE)

    assert not response["success"]
    assert "started by a cell" in response["message"]
    assert alone.client.value("debugpy.server.api.listen.called") is True
    assert alone.client.run("import os; os.abort()").error["ename"] == "InterpreterDied"
    alone.attach()


# At a breakpoint


def test_a_cell_stops_at_a_breakpoint_shows_its_variables_and_goes_on(frontend: Frontend) -> None:
    frontend.attach()
    path = frontend.break_at(CODE, 2)
    cell = frontend.run_until_it_stops(CODE)

    assert frontend.events("stopped")[-1]["body"]["reason"] == "breakpoint"
    info = frontend.info()
    assert info["isStarted"] is True
    assert info["stoppedThreads"] == [1]
    assert info["breakpoints"] == [{"source": path, "breakpoints": [{"line": 2}]}]
    frames = [(each["name"], each["line"], each["source"]["path"]) for each in frontend.frames()]
    assert frames == [("f", 2, path), ("<module>", 5, path)]
    here = frontend.scope("Locals")
    assert {name: each["value"] for name, each in here.items()} == {"a": "2", "b": "3"}
    assert frontend.done("source", source={"path": path})["content"] == CODE
    assert frontend.go_on(cell).result == "5"
    assert frontend.info()["stoppedThreads"] == []


def test_everything_else_is_answered_while_a_cell_stands_at_a_breakpoint(frontend: Frontend) -> None:
    frontend.attach()
    frontend.client.do("outside = 7")
    frontend.break_at(CODE, 2)
    cell = frontend.run_until_it_stops(CODE)

    assert frontend.client.ask("kernel_info_request")["status"] == "ok"
    frame = frontend.frames()[0]["id"]
    rich = frontend.done("richInspectVariables", variableName="a", frameId=frame)
    assert rich == {"data": {"text/plain": "2"}, "metadata": {}}
    assert "outside" in by_name(frontend.done("inspectVariables"))
    assert frontend.done("modules")["totalModules"] > 100
    frontend.done("copyToGlobals", srcVariableName="a", dstVariableName="copied", srcFrameId=frame)
    wrong = frontend.ask("copyToGlobals", srcVariableName="a", dstVariableName="a'] #", srcFrameId=frame)
    assert not wrong["success"]
    frontend.go_on(cell)
    assert frontend.client.value("copied") == 2


def test_steps_stay_in_the_users_code_and_the_last_one_ends_the_cell(frontend: Frontend) -> None:
    frontend.attach()
    path = frontend.break_at(CODE, 5)
    cell = frontend.run_until_it_stops(CODE)
    places = []
    for stops in range(2, 5):
        frontend.done("stepIn", threadId=1)
        frontend.wait_for("stopped", stops)
        frame = frontend.frames()[0]
        places.append((frame["source"]["path"] == path, frame["line"]))
    frontend.done("stepIn", threadId=1)

    assert places == [(True, 2), (True, 3), (True, 5)]
    assert frontend.client.finish(cell).result == "5"


def test_empty_lines_at_the_beginning_count(frontend: Frontend) -> None:
    code = "\n\n" + CODE
    frontend.attach()
    frontend.break_at(code, 7)
    cell = frontend.run_until_it_stops(code)

    assert frontend.frames()[0]["line"] == 7
    assert frontend.go_on(cell).result == "5"


def test_a_function_of_a_cell_that_ran_before_stops_too(frontend: Frontend) -> None:
    frontend.client.do(CODE)
    frontend.attach()
    frontend.break_at(CODE, 3)
    cell = frontend.run_until_it_stops("f('x', 'y')")

    assert frontend.scope("Locals")["c"]["value"] == "'xy'"
    assert frontend.go_on(cell).result == "'xy'"


def test_requests_are_answered_one_after_the_other(frontend: Frontend) -> None:
    frontend.attach()
    frontend.break_at(CODE, 2)
    cell = frontend.run_until_it_stops(CODE)
    scopes = frontend.done("scopes", frameId=frontend.frames()[0]["id"])["scopes"]
    seen = len(frontend.client.published)
    asked = [frontend.send("variables", variablesReference=each["variablesReference"]) for each in scopes]
    answers = [frontend.client.reply(each)["content"] for each in asked]
    for each in asked:
        frontend.client.idle(each)
    states = [
        each["content"]["execution_state"]
        for each in frontend.client.published[seen:]
        if each["msg_type"] == "status"
    ]
    frontend.go_on(cell)

    assert states == ["busy", "idle"] * 2
    assert by_name(answers[0]["body"])["b"]["value"] == "3"
    assert "b" not in by_name(answers[1]["body"])


def test_an_interrupt_at_a_breakpoint_ends_the_cell_and_the_next_one_stops_again(frontend: Frontend) -> None:
    frontend.attach()
    frontend.client.do("went_on = False")
    code = "marker = 1\nwent_on = True"
    frontend.break_at(code, 2)
    cell = frontend.run_until_it_stops(code)
    frontend.client.send("interrupt_request", {}, "control")
    ended = frontend.client.finish(cell)

    assert ended.error["ename"] == "KeyboardInterrupt"
    assert "pydevd" not in ended.notice
    assert frontend.client.value("went_on") is False
    frontend.client.until_told(  # debugpy's adapter, a process of its own, tells that it goes on
        lambda: frontend.info()["stoppedThreads"] == [], "an end of the stop"
    )
    cell = frontend.run_until_it_stops(code)
    assert frontend.frames()[0]["line"] == 2
    assert frontend.go_on(cell).status == "ok"


# Off and on again


def test_it_can_be_switched_off_and_on_and_leaves_nothing_behind(alone: Frontend) -> None:
    threads = "len(__import__('os').listdir('/proc/self/task'))"
    alone.attach()
    alone.break_at(CODE, 2)
    alone.detach()

    info = alone.info()
    assert info["isStarted"] is False
    assert info["breakpoints"] == []
    assert alone.client.do(CODE).result == "5"
    alone.client.until_told(lambda: alone.client.value(threads) == 1, "the end of debugpy's threads")
    assert alone.client.value("__import__('sys').gettrace() is None") is True
    alone.attach()
    alone.break_at(CODE, 2)
    cell = alone.run_until_it_stops(CODE)
    assert alone.go_on(cell).result == "5"
    alone.detach()


def test_it_can_be_switched_off_at_a_breakpoint(frontend: Frontend) -> None:
    frontend.attach()
    frontend.break_at(CODE, 2)
    cell = frontend.run_until_it_stops(CODE)
    frontend.detach()

    assert frontend.client.finish(cell).result == "5"


def test_after_it_a_crash_loses_nothing(alone: Frontend) -> None:
    alone.attach()
    alone.client.do("kept = [1]; same = kept")
    alone.detach()
    crash = alone.client.run("import os; os.abort()")

    assert "with every variable as before" in crash.notice
    assert "Not restored" not in crash.notice
    assert alone.client.value("kept is same and kept") == [1]
    alone.attach()
    alone.break_at(CODE, 2)
    cell = alone.run_until_it_stops(CODE)
    assert alone.go_on(cell).result == "5"


# Things end


def test_a_crash_ends_the_debugger_and_brings_the_state_from_before_it(alone: Frontend) -> None:
    alone.client.do("before = [1]")
    prefix = alone.info()["tmpFilePrefix"]
    alone.attach()
    alone.client.do("while_attached = 1")
    assert any("no standby while" in event["body"]["output"] for event in alone.events("output"))

    def refusal() -> str | None:
        return alone.client.ask("holdfast_info_request", {}, "control")["no_standby"]

    alone.client.until_told(
        lambda: refusal() == "a debugger is attached", "the reason why there is no standby"
    )
    code = "import os\nos.abort()"
    path = alone.break_at(code, 2)
    cell = alone.run_until_it_stops(code)
    alone.send("continue", threadId=1)
    crash = alone.client.finish(cell)

    assert crash.error["ename"] == "InterpreterDied"
    assert "line 2" in crash.notice
    assert "pydevd" not in crash.notice
    assert "no standby held what In[2] did (a debugger is attached)" in crash.notice
    alone.wait_for("terminated")
    assert len(alone.events("terminated")) == 1
    info = alone.info()
    assert (info["isStarted"], info["breakpoints"], info["stoppedThreads"]) == (False, [], [])
    assert info["tmpFilePrefix"] == prefix
    assert alone.client.value("before") == [1]
    assert alone.client.run("while_attached").error["ename"] == "NameError"
    alone.attach()
    assert alone.break_at(code, 2) == path
    cell = alone.run_until_it_stops(code)
    alone.client.send("interrupt_request", {}, "control")
    alone.client.finish(cell)
    alone.detach()


def test_a_crash_while_a_request_waits_answers_it(alone: Frontend) -> None:
    alone.client.do("before = [1]")
    alone.attach()
    alone.break_at(CODE, 2)
    cell = alone.run_until_it_stops(CODE)
    frame = alone.frames()[0]["id"]
    asked = alone.send("evaluate", expression="__import__('os').abort()", frameId=frame, context="repl")

    assert not alone.client.reply(asked)["content"]["success"]
    assert alone.client.finish(cell).error["ename"] == "InterpreterDied"
    assert alone.client.value("before") == [1]


def test_the_end_of_debugpys_adapter_ends_the_debugger_and_nothing_else(
    kernel: Kernel, alone: Frontend
) -> None:
    alone.attach()
    alone.client.do("kept = [1]; same = kept")
    (adapter,) = (pid for pid, command in marked(kernel.mark).items() if "debugpy/adapter" in command)
    os.kill(adapter, signal.SIGKILL)
    alone.wait_for("terminated")

    assert alone.info()["isStarted"] is False
    alone.client.do("import os")
    assert "with every variable as before" in alone.client.run("os.abort()").notice
    assert alone.client.value("kept is same and kept") == [1]
    alone.attach()


def test_a_restart_ends_the_debugger(alone: Frontend, kernel: Kernel) -> None:
    alone.attach()
    alone.client.ask("shutdown_request", {"restart": True}, "control")
    kernel.process.wait()
    kernel.launch()
    again = Frontend(kernel.client())

    assert again.info()["isStarted"] is False
    again.attach()
    again.break_at(CODE, 2)
    cell = again.run_until_it_stops(CODE)
    assert again.go_on(cell).result == "5"


def test_a_session_may_end_at_a_breakpoint(kernel: Kernel, alone: Frontend) -> None:
    """The kit looks for processes left behind."""
    alone.attach()
    path = Path(alone.break_at(CODE, 2))
    alone.run_until_it_stops(CODE)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kernel.shut_down()

    assert not path.parent.exists()


# Other surroundings


def test_without_debugpy_the_reply_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['debugpy'] = None")
    with_environment(monkeypatch, PYTHONPATH=str(tmp_path))
    with running() as kernel:
        frontend = Frontend(kernel.client())
        assert frontend.client.ask("kernel_info_request")["supported_features"] == []
        assert frontend.info()["isStarted"] is False
        for command in ("initialize", "inspectVariables", "attach"):
            response = frontend.ask(command)
            assert not response["success"]
            assert "holdfast[debug]" in response["message"]
        assert frontend.client.value("1 + 1") == 2


def test_a_cell_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, IPYKERNEL_CELL_NAME="/some/where.py")
    with running() as kernel:
        client = kernel.client()
        assert client.value("(lambda: 0).__code__.co_filename") == "/some/where.py"


def with_environment(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Start kernels with more in their environment."""
    usual = kit.kernel.environment
    monkeypatch.setattr(kit.kernel, "environment", lambda *args: usual(*args) | more)


def test_tracebacks_name_cells_by_their_numbers(guest: Client) -> None:
    defined = guest.do("def divide(a, b):\n    return a / b")
    cell = guest.run("divide(1, 0)")

    assert f"In[{defined.reply['execution_count']}]" in cell.notice
    assert f"In[{cell.reply['execution_count']}]" in cell.notice
    assert "cells/" not in cell.notice
    source = guest.value("__import__('inspect').getsource(divide)")
    assert source == "def divide(a, b):\n    return a / b\n"
