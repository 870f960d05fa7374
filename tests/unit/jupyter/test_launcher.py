"""The launcher as a real process, at the doorbell of a supervisor that the test plays."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import HoldfastError
from holdfast.jupyter.launcher import parse, session_of
from kit.deadline import Deadline
from kit.kernel import scratch
from kit.processes import wait_for_end

SECONDS = 20.0


class Supervisor:
    """The other end of a launcher's doorbell."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.file = home / "kernel-1.json"
        self.file.write_text("{}")
        folder = home / "run" / "work"
        folder.mkdir(parents=True, mode=0o700)
        folder.parent.chmod(0o700)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(folder / "doorbell"))
        self._server.listen()
        self._server.settimeout(SECONDS)
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, command: list[str] | None = None, **more: Any) -> subprocess.Popen[str]:
        """Start a launcher (or `command`, which starts one) and take its call."""
        process = subprocess.Popen(
            command or self.command,
            env=os.environ | {"HOLDFAST_HOME": str(self.home)} | more.pop("env", {}),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            **more,
        )
        self.processes.append(process)
        self._connection, _ = self._server.accept()
        self._connection.settimeout(SECONDS)
        self._lines = self._connection.makefile("r")
        return process

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "holdfast.kernel", "-f", "kernel-1.json", "--session", "work"]

    def hear(self) -> Any:
        """The next thing that the launcher asks for; None when it hangs up."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def say(self, *messages: dict[str, Any]) -> None:
        """Send all `messages` in one piece."""
        self._connection.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def hang_up(self) -> None:
        self._lines.close()
        self._connection.close()

    def vanish(self) -> None:
        self.hang_up()
        self._server.close()

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.hang_up()
        self._server.close()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with scratch() as home:
        played = Supervisor(home)
        yield played
        played.close()


def opened(supervisor: Supervisor, **more: Any) -> subprocess.Popen[str]:
    """A launcher whose door is open."""
    process = supervisor.start(**more)
    assert supervisor.hear()["op"] == "open_door"
    supervisor.say({"ok": True})
    return process


def test_it_asks_its_session_to_serve_the_connection_file(supervisor: Supervisor) -> None:
    supervisor.start()

    assert supervisor.hear() == {"op": "open_door", "file": str(supervisor.file), "hold": True}


def test_it_ends_well_when_its_door_is_closed(supervisor: Supervisor) -> None:
    process = opened(supervisor)
    supervisor.say({"event": "door_closed"})

    assert process.wait(SECONDS) == 0


def test_it_ends_even_if_the_door_closes_the_moment_it_opens(supervisor: Supervisor) -> None:
    process = supervisor.start()
    supervisor.hear()
    supervisor.say({"ok": True}, {"event": "something_new"}, {"event": "door_closed"})

    assert process.wait(SECONDS) == 0


def test_a_vanished_supervisor_is_a_failure_that_jupyter_sees(supervisor: Supervisor) -> None:
    process = opened(supervisor)
    supervisor.hang_up()

    said = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == 1
    assert said == "holdfast: the session work lost its supervisor\ntry: see what it ran: holdfast log work\n"


def test_an_interrupt_in_that_moment_changes_nothing(supervisor: Supervisor) -> None:
    process = supervisor.start()
    assert supervisor.hear()["op"] == "open_door"
    process.send_signal(signal.SIGSTOP)
    supervisor.say({"ok": True})
    supervisor.vanish()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)

    said = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == 1
    assert said.startswith("holdfast: the session work lost its supervisor\n")


def test_a_refused_door_is_told_in_the_supervisors_words(supervisor: Supervisor) -> None:
    process = supervisor.start()
    supervisor.hear()
    supervisor.say({"ok": False, "what": "the file has no key", "remedy": "write a new one"})

    said = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == 1
    assert said == "holdfast: the file has no key\ntry: write a new one\n"


def test_ctrl_c_is_handed_on_and_never_ends_it(supervisor: Supervisor) -> None:
    process = opened(supervisor)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        assert supervisor.hear() == {"op": "interrupt"}
        supervisor.say({"ok": False, "what": "nothing runs", "remedy": None})
    supervisor.say({"event": "door_closed"})

    assert process.wait(SECONDS) == 0


def test_it_leaves_when_it_is_told_to_end(supervisor: Supervisor) -> None:
    process = opened(supervisor)
    process.send_signal(signal.SIGTERM)

    assert supervisor.hear() == {"op": "leave"}
    assert supervisor.hear() is None
    assert process.wait(SECONDS) == 0


def test_it_is_ready_for_signals_before_its_door_is_open(supervisor: Supervisor) -> None:
    process = supervisor.start()
    process.send_signal(signal.SIGTERM)

    assert supervisor.hear()["op"] == "open_door"
    assert supervisor.hear() == {"op": "leave"}
    assert process.wait(SECONDS) == 0


PARENT = """
import os, subprocess, sys
environment = os.environ | {"JPY_PARENT_PID": str(os.getpid())}
child = subprocess.Popen(sys.argv[1:], env=environment)
print(child.pid, flush=True, file=sys.stderr)
sys.stdin.read()
"""


def test_it_leaves_when_the_client_that_started_it_dies(supervisor: Supervisor) -> None:
    parent = opened(supervisor, command=[sys.executable, "-c", PARENT, *supervisor.command])
    assert parent.stderr is not None
    launcher = int(parent.stderr.readline())
    parent.kill()

    assert supervisor.hear() == {"op": "leave"}
    assert wait_for_end(launcher, Deadline(SECONDS))


@pytest.mark.parametrize("named", ["1", "0", "", "me", "999999999"])
def test_a_parent_that_is_not_its_own_means_nothing(supervisor: Supervisor, named: str) -> None:
    process = opened(supervisor, env={"JPY_PARENT_PID": named})
    supervisor.say({"event": "door_closed"})

    assert process.wait(SECONDS) == 0


def test_a_parent_that_ended_before_it_could_be_watched_leaves_no_orphan(tmp_path: Path) -> None:
    file = tmp_path / "kernel.json"
    file.write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "holdfast.kernel", "-f", str(file)],
        env=os.environ | {"HOLDFAST_HOME": str(tmp_path), "JPY_PARENT_PID": "999999999"},
        start_new_session=True,  # as jupyter_client starts kernels
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "holdfast: the process that started this kernel has ended already\n"


def test_the_users_own_files_never_stand_in_for_pythons(supervisor: Supervisor) -> None:
    for name in ("json", "socket", "signal", "select", "pathlib", "fcntl", "enum", "re"):
        (supervisor.home / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    supervisor.start()

    assert supervisor.hear()["op"] == "open_door"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "holdfast.kernel", *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("arguments", [[], ["-f"], ["-f", "/nowhere/kernel.json"], ["--session"]])
def test_a_wrong_command_line_is_told_in_a_line_with_a_remedy(arguments: list[str]) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    what, remedy = done.stderr.splitlines()
    assert what.startswith("holdfast: ")
    assert remedy.startswith("try: ")


def test_help_and_version_need_no_session() -> None:
    assert "-f FILE" in run("--help").stdout
    assert run("--version").stdout.startswith("0.")


def test_a_session_that_cannot_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kernel.json"
    file.write_text("{}")
    done = run("-f", str(file), "--session", "no/name")

    assert done.returncode == 1
    assert done.stderr.startswith("holdfast: 'no/name' can't name a session\ntry: ")


@pytest.mark.parametrize(
    "spelling", [["-f", "{}"], ["-f={}"], ["--f={}"], ["--IPKernelApp.connection_file={}"]]
)
def test_what_is_ipythons_is_left_for_ipython(tmp_path: Path, spelling: list[str]) -> None:
    file = tmp_path / "kernel.json"
    file.write_text("{}")
    flags = [
        "--HistoryManager.hist_file=:memory:",
        "--profile",
        "lab",
        "--matplotlib",
        "--debug",
        "-c",
        "x=1",
    ]
    options = parse([*flags[:3], *(part.format(file) for part in spelling), *flags[3:], "--session=a"])

    assert options == (str(file), "a", tuple(flags), ())


def test_a_connection_file_has_one_session_wherever_it_is_named_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kernel.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    assert parse(["-f", "kernel.json"]).file == str(tmp_path / "kernel.json")
    assert session_of("/run/kernel-1.json") == session_of("/run/kernel-1.json")
    assert session_of("/run/kernel-1.json") != session_of("/run/kernel-2.json")
    assert len(session_of("/run/\udcff.json")) == len("kernel-") + 8


def test_a_missing_file_is_no_options_at_all() -> None:
    with pytest.raises(HoldfastError, match="no connection file"):
        parse(["--session", "work"])


def test_settings_are_told_apart_from_ipythons_flags(tmp_path: Path) -> None:
    file = tmp_path / "kernel-1.json"
    file.write_text("{}")
    options = parse(["-f", str(file), "--set", "standby.keep=3", "--debug", "--set=life.stop_seconds=1"])
    assert options.settings == ("standby.keep=3", "life.stop_seconds=1")
    assert options.flags == ("--debug",)
