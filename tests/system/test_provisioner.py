"""A notebook's session outlives the server under which it was begun."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from holdfast.jupyter import kernelspec
from kit.deadline import Deadline
from kit.kernel import END_SECONDS, START_SECONDS, environment, scratch
from kit.processes import kill, left_over, marked, wait_for_end
from kit.wire import Client

SERVER = Path(__file__).parents[1] / "kit" / "server.py"


class Server:
    """A process that holds one kernel as a Jupyter server does."""

    def __init__(self, desk: Desk, options: dict[str, Any]) -> None:
        with (desk.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(SERVER), "holdfast", json.dumps(options)],
                env=desk.environment,
                cwd=desk.folder / "work",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._clients: list[Client] = []

    def ask(self, *words: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def open(self, notebook: str | Path = "") -> Client:
        """Start the kernel and connect to it."""
        self.file = Path(self.ask("start", str(notebook)))
        return self.client()

    def client(self) -> Client:
        client = Client(json.loads(self.file.read_text()))
        self._clients.append(client)
        client.wait_for_welcome(START_SECONDS)
        client.wait_for_stdin()
        return client

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def stop(self) -> None:
        self.ask("stop")
        self.close()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        if self._process.returncode is None:
            self._process.communicate(timeout=END_SECONDS)


class Desk:
    """A user's machine: folders, a kernelspec, servers that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "work").mkdir()
        self.mark = secrets.token_hex(8)
        self.environment = environment(folder, self.mark) | {
            "JUPYTER_PATH": str(folder / "share" / "jupyter")
        }
        self.servers: list[Server] = []
        kernelspec.install(prefix=folder, provisioner=True)
        self.notebook = folder / "work" / "analysis.ipynb"

    def serve(self, **options: Any) -> Server:
        server = Server(self, options)
        self.servers.append(server)
        return server

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout + done.stderr

    @property
    def launcher(self) -> int:
        """The process that stands before a session, for the one kernel that there is."""
        return next(pid for pid, command in marked(self.mark).items() if "holdfast.kernel" in command)

    def sessions(self) -> list[str]:
        """Names of the sessions that run."""
        found = []
        for command in marked(self.mark).values():
            if " -m holdfast.supervisor " in command:
                words = command.split()
                found.append(words[words.index("--session") + 1])
        return sorted(found)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        desk = Desk(folder)
        stack.callback(kill, desk.mark)
        yield desk
        for server in desk.servers:
            server.kill()
        desk.command("stop", "--all")
        left = left_over(desk.mark, Deadline(END_SECONDS))
        logs = [folder / "server.log", *folder.glob("run/*/supervisor.log")]
        print(*(log.read_text(errors="replace") for log in logs), sep="\n")
        assert not left, left


def test_a_killed_servers_notebook_finds_its_variables_under_the_next_server(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("x = 42")
    worker = client.value("__import__('os').getpid()")
    server.kill()

    again = desk.serve().open(desk.notebook)

    assert again.value("x") == 42
    assert again.value("__import__('os').getpid()") == worker


def test_a_cell_that_ran_on_without_a_server_is_named_before_anything_else(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    gate = desk.folder / "gate"
    os.mkfifo(gate)
    cell = client.start(f"print('begun'); open({str(gate)!r}).read(); print('heard by nobody'); y = 7")
    client.text(cell, "begun")
    launcher = desk.launcher
    server.kill()
    assert wait_for_end(launcher, Deadline(END_SECONDS))
    (session,) = desk.sessions()
    desk.command("info", session)  # whose answer comes after that end was seen
    gate.open("w").close()

    again = desk.serve().open(desk.notebook)
    first = again.run("y")

    assert first.result == "7"
    text = first.text("stderr")
    assert text.startswith("holdfast: nobody was attached from ")
    assert "Meanwhile In[1] printed and ended." in text
    assert f"holdfast log {session}" in text
    assert next(kind for kind in first.kinds if kind in ("stream", "execute_result")) == "stream"
    assert "heard by nobody" in desk.command("log", session)
    assert again.run("y").text("stderr") == ""


def test_nothing_is_said_when_nothing_happened_meanwhile(desk: Desk) -> None:
    server = desk.serve()
    server.open(desk.notebook).do("x = 1")
    server.kill()

    assert desk.serve().open(desk.notebook).run("x").text("stderr") == ""


def test_a_server_that_stops_in_order_neither_ends_the_session_nor_interrupts_its_cell(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    gate = desk.folder / "gate"
    os.mkfifo(gate)
    cell = client.start(f"print('begun'); z = open({str(gate)!r}).read()")
    client.text(cell, "begun")
    server.stop()
    gate.write_text("through")

    assert desk.serve().open(desk.notebook).value("z") == "through"


def test_shut_down_ends_the_sessions_processes_and_keeps_its_log(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("print('kept')")
    (session,) = desk.sessions()
    server.ask("shutdown_kernel")

    assert not left_over(desk.mark, Deadline(0)) or desk.sessions() == []
    assert "kept" in desk.command("log", session)
    again = desk.serve().open(desk.notebook)
    assert desk.sessions() == [session]
    assert again.run("print").reply["execution_count"] > 1


def test_after_the_end_of_everything_a_notebook_has_its_variables_and_is_told(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("x = 42\ndef double():\n    return 2 * x")
    client.until_told(
        lambda: client.ask("holdfast_info_request", {}, "control")["restore_point"].endswith("disk: In[1]"),
        "In[1] on disk",
    )
    server.kill()
    kill(desk.mark)

    again = desk.serve().open(desk.notebook)
    first = again.run("double()")

    assert first.result == "84"
    assert "Back from disk, as after In[1]" in first.text("stderr")
    assert not again.run("x").text("stderr")


def test_after_shut_down_a_notebook_begins_with_an_empty_namespace(desk: Desk) -> None:
    server = desk.serve()
    server.open(desk.notebook).do("x = 42")
    server.ask("shutdown_kernel")

    again = desk.serve().open(desk.notebook)

    assert again.run("x").error["ename"] == "NameError"
    assert not again.run("1").text("stderr")


@pytest.mark.parametrize("arguments", ["{}", '{"now": true}'])
def test_restart_is_a_fresh_namespace_in_the_same_session(desk: Desk, arguments: str) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("x = 1")
    before = desk.sessions()
    server.ask("restart_kernel", arguments)

    fresh = server.client()
    assert fresh.value("'x' in globals()") is False
    assert desk.sessions() == before


def test_an_interrupt_reaches_the_cell(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    cell = client.start("print('on'); import time; time.sleep(60)")
    client.text(cell, "on")
    server.ask("interrupt_kernel")

    assert client.finish(cell).reply["ename"] == "KeyboardInterrupt"


def test_a_crash_is_no_dead_kernel(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("x = 1")
    assert client.run("import ctypes; ctypes.string_at(0)").reply["ename"] == "InterpreterDied"

    assert server.ask("is_alive") is True
    assert client.value("x") == 1


def test_a_launcher_that_was_killed_is_replaced_and_nothing_is_lost(desk: Desk) -> None:
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("x = 5")
    launcher = desk.launcher
    os.kill(launcher, signal.SIGKILL)
    assert wait_for_end(launcher, Deadline(END_SECONDS))
    server.ask("restart_kernel", '{"now": true}')  # as jupyter_client's restarter does

    assert server.client().value("x") == 5


def test_a_renamed_notebook_is_found_by_its_new_name_only(desk: Desk) -> None:
    server = desk.serve()
    server.open(desk.notebook).do("x = 5")
    renamed = desk.folder / "work" / "renamed.ipynb"
    server.ask("update_env", json.dumps({"env": {"JPY_SESSION_NAME": str(renamed)}}))
    server.ask("is_alive")  # as jupyter_client's restarter asks every few seconds
    server.kill()

    assert desk.serve().open(renamed).value("x") == 5
    assert desk.serve().open(desk.notebook).value("'x' in globals()") is False


def test_a_code_consoles_session_outlives_the_server_too(desk: Desk) -> None:
    server = desk.serve()
    server.open("Console").do("x = 5")
    (name,) = desk.sessions()
    launcher = desk.launcher
    server.kill()
    assert wait_for_end(launcher, Deadline(END_SECONDS))

    assert name.startswith("kernel-")
    assert desk.command("run", "-s", name, "-c", "x") == "5\n"


def test_two_servers_share_one_notebook_and_only_the_last_ends_it(desk: Desk) -> None:
    one, other = desk.serve(), desk.serve()
    first, second = one.open(desk.notebook), other.open(desk.notebook)
    first.do("x = 3")
    assert second.value("x") == 3
    one.ask("shutdown_kernel")
    assert second.value("x") == 3
    other.ask("shutdown_kernel")
    assert desk.sessions() == []


def test_notebooks_do_not_share_a_session(desk: Desk) -> None:
    first = desk.serve().open(desk.notebook)
    second = desk.serve().open(desk.folder / "work" / "other.ipynb")
    first.do("x = 3")

    assert second.value("'x' in globals()") is False
    assert [name.rpartition("-")[0] for name in desk.sessions()] == ["analysis", "other"]


def test_a_kernel_without_a_notebook_ends_as_any_kernel_does(desk: Desk) -> None:
    server = desk.serve()
    server.open().do("x = 3")
    (name,) = desk.sessions()
    assert name.startswith("kernel-")
    server.ask("shutdown_kernel")

    deadline = Deadline(
        END_SECONDS
    )  # Jupyter has waited for the launcher, and its session ends just after that
    while desk.sessions():
        assert not deadline.passed, "its session goes on"


def test_a_kernelspecs_own_session_is_nobodys_to_end(desk: Desk) -> None:
    kernelspec.install(prefix=desk.folder, session="shared", provisioner=True)
    server = desk.serve()
    client = server.open(desk.notebook)
    client.do("x = 3")
    server.ask("shutdown_kernel")

    assert desk.sessions() == ["shared"]
    assert desk.serve().open(desk.folder / "work" / "other.ipynb").value("x") == 3
