"""Sessions with consoles on real terminals, as many as a test wants, on the same one."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

    def console(self, *, cleared: bool = True) -> Terminal:
        """A new console on it, with its prompt; `cleared` of what is told of before."""
        terminal = self.opened()
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

    def opened(self) -> Terminal:
        """A new console on it, which has yet to begin."""
        return Terminal([*HOLDFAST, "attach", self.name], self.env, columns=120)

    def client(self, username: str) -> Client:
        """Another frontend, of another user."""
        file = self.folder / "run" / self.name / "connection.json"
        return Client(json.loads(file.read_text()), username)


@contextmanager
def session(settings: str = "") -> Iterator[Session]:
    """A session `work`, with this in its settings file."""
    with scratch() as folder:
        if settings:
            (folder / "config").mkdir(mode=0o700)
            (folder / "config" / "settings.toml").write_text(settings)
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
