"""The command line on real sessions: `holdfast` as a shell runs it, and what it leaves behind."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import pexpect

from holdfast.client.blocking import Client
from holdfast.protocol import connection
from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment
from kit.processes import kill, left_over

SECONDS = 60.0


DYING_SECONDS = 2.0
"""After each of the signals by which pexpect ends a program; by itself it gives up after half a second."""


class Program(subprocess.Popen[str]):
    """A process that a failing test does not wait for: its end, as a context, would be one without end."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.kill()
        super().__exit__(kind, error, trace)


class Shell:
    """A terminal's worth of `holdfast`, with sessions of its own; AssertionError if any outlive it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.work = home / "ledger"
        self.work.mkdir()
        self.mark = secrets.token_hex(8)

    def start(self, *arguments: str, interpreter: bool = False) -> Program:
        """Start `holdfast` (or python itself, to compare with); its standard streams are pipes."""
        command = (
            [sys.executable, *arguments] if interpreter else [sys.executable, "-m", "holdfast", *arguments]
        )
        return Program(
            command,
            env=self.environment(),
            cwd=self.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def environment(self) -> dict[str, str]:
        """What the command line finds in its environment."""
        return environment(self.home, self.mark) | {"PYTHONPATH": ""}

    def terminal(self, *arguments: str) -> pexpect.spawn[str]:
        """The same in a terminal."""
        return self.on_terminal(sys.executable, "-m", "holdfast", *arguments)

    def on_terminal(self, command: str, *arguments: str) -> pexpect.spawn[str]:
        """Any program in a terminal."""
        spawned = pexpect.spawn(
            command,
            list(arguments),
            env=environment(self.home, self.mark) | {"TERM": "dumb"},
            cwd=str(self.work),
            timeout=SECONDS,
            encoding="utf-8",
        )
        spawned.ptyproc.delayafterterminate = DYING_SECONDS
        return spawned

    def run(self, *arguments: str, piped: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate(piped or "", timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def python(self, *arguments: str, piped: str | None = None) -> subprocess.CompletedProcess[str]:
        """What python itself does."""
        with self.start(*arguments, interpreter=True) as process:
            out, err = process.communicate(piped or "", timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def good(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def info(self, name: str) -> dict[str, object]:
        found = json.loads(self.good("info", name, "--json"))
        assert isinstance(found, dict)
        return found

    def client(self, name: str) -> Client:
        return Client(connection.read(Path(str(self.info(name)["connection_file"]))), username="ana")

    def lose(self, spared: int = 0) -> None:
        """Kill all processes of all sessions, but for one of ours."""
        kill(self.mark, spared=spared)

    def close(self) -> None:
        try:
            self.good("stop", "--all")
            left = left_over(self.mark, Deadline(END_SECONDS))
            assert not left, f"processes left behind: {left}"
        finally:
            kill(self.mark)
            for log in self.home.glob("run/*/supervisor.log"):
                print(log.read_text())
