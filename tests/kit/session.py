"""A running session for tests, with what is needed to open consoles on it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment, scratch
from kit.processes import kill, left_over
from kit.terminal import CTRL_L, Terminal
from kit.wire import Client

HOLDFAST = [sys.executable, "-m", "holdfast"]


@dataclass
class Session:
    """A running session, and the way to it."""

    name: str
    folder: Path
    env: dict[str, str]
    mark: str
    """What its processes are found by."""
    clients: list[Client] = field(default_factory=list)
    """All that it was asked for: closed at the end, at the latest."""

    def command(self, *arguments: str) -> str:
        """What `holdfast ARGUMENTS` prints."""
        return subprocess.run(
            [*HOLDFAST, *arguments], env=self.env, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def info(self) -> dict[str, Any]:
        """What the session says of itself."""
        told = json.loads(self.command("info", self.name, "--json"))
        assert isinstance(told, dict)
        return told

    def console(self, *, cleared: bool = True, columns: int = 120, **variables: str) -> Terminal:
        """A new console on it, with its prompt; `cleared` of what is told of before.

        `variables` are set in its environment.
        """
        terminal = self.opened(columns=columns, **variables)
        terminal.wait_for_last_prompt()
        if cleared:
            terminal.send(CTRL_L)
            terminal.wait_until(lambda: "session work" not in terminal.text, "a cleared screen")
            terminal.wait_for_last_prompt()
        return terminal

    def asked(self, question: str) -> Terminal:
        """A new console on it, which is asked `question` at once."""
        terminal = self.opened()
        terminal.wait_for_last(question)
        return terminal

    def opened(self, *, columns: int = 120, cwd: Path | None = None, **variables: str) -> Terminal:
        """A new console on it, which has yet to begin."""
        return Terminal([*HOLDFAST, "attach", self.name], self.env | variables, columns=columns, cwd=cwd)

    def configure(self, settings: str) -> None:
        """Write a settings file, for consoles that are opened from now on."""
        file = self.folder / "config" / "settings.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(settings)

    def client(self, username: str) -> Client:
        """Another frontend, of another user, which hears everything from now on."""
        file = self.folder / "run" / self.name / "connection.json"
        client = Client(json.loads(file.read_text()), username)
        self.clients.append(client)
        client.wait_for_welcome()
        return client


@contextmanager
def session(settings: str = "") -> Iterator[Session]:
    """A new session named work, ended at the end with all its processes; with a settings file."""
    with scratch() as folder:
        mark = secrets.token_hex(8)
        env = environment(folder, mark) | {"HOME": str(folder), "PAGER": "less", "LESS": ""}
        env.pop("NO_COLOR", None)
        made = Session("work", folder, env, mark)
        if settings:
            made.configure(settings)
        try:
            made.command("new", "work", "-d")
            yield made
            subprocess.run([*HOLDFAST, "stop", "work"], check=False, env=env, capture_output=True, timeout=30)
            assert not left_over(mark, Deadline(END_SECONDS))
        finally:
            for client in made.clients:  # those of a test that failed
                client.close()
            kill(mark)
