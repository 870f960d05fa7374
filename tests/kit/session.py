"""A running session for tests, with what is needed to open consoles on it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment, scratch
from kit.processes import kill, left_over
from kit.terminal import Terminal
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

    def command(self, *arguments: str) -> str:
        """What `holdfast ARGUMENTS` prints."""
        return subprocess.run(
            [*HOLDFAST, *arguments], env=self.env, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def console(self, *, columns: int = 120, **variables: str) -> Terminal:
        """A new console on it, with its prompt. `variables` are set in its environment."""
        terminal = Terminal([*HOLDFAST, "attach", self.name], self.env | variables, columns=columns)
        terminal.wait_for_last_prompt()
        return terminal

    def configure(self, settings: str) -> None:
        """Write a settings file, for consoles that are opened from now on."""
        file = self.folder / "config" / "settings.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(settings)

    def client(self, username: str) -> Client:
        """Another frontend, of another user."""
        file = self.folder / "run" / self.name / "connection.json"
        return Client(json.loads(file.read_text()), username)


@contextmanager
def session() -> Iterator[Session]:
    """A new session named work, ended at the end with all its processes."""
    with scratch() as folder:
        mark = secrets.token_hex(8)
        env = environment(folder, mark) | {"HOME": str(folder), "PAGER": "less", "LESS": ""}
        env.pop("NO_COLOR", None)
        made = Session("work", folder, env, mark)
        try:
            made.command("new", "work", "-d")
            yield made
            subprocess.run([*HOLDFAST, "stop", "work"], check=False, env=env, capture_output=True, timeout=30)
            assert not left_over(mark, Deadline(END_SECONDS))
        finally:
            kill(mark)
