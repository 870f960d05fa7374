"""A program of a test that embeds itself, with what it prints, and clients of the sessions that it makes."""

from __future__ import annotations

import json
import os
import re
import secrets
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, START_SECONDS, environment, scratch
from kit.processes import kill, left_over, wait_for_end
from kit.wire import Client

_ATTACH = re.compile(r"holdfast attach (\S+)")
_LAST_LINE = "The program goes on after"


class Program:
    """`source`, run as app.py in `folder`."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self.mark = secrets.token_hex(8)
        self.clients: list[Client] = []
        script = folder / "app.py"
        script.write_text(source)
        self.environment = environment(folder, self.mark)
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            env=self.environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._said = {"stdout": b"", "stderr": b""}
        self._heard = 0  # characters of stderr that announcements have taken

    def until(self, stream: str, wanted: str, since: int = 0, within: float = START_SECONDS) -> str:
        """What the program has written to `stream`, once `wanted` is in it, beyond character `since`."""
        deadline = Deadline(within)
        pipe = getattr(self.process, stream)
        while wanted not in (text := self._said[stream].decode(errors="replace"))[since:]:
            ready = select.select([pipe], [], [], deadline.left())[0]
            data = os.read(pipe.fileno(), 65536) if ready else b""
            assert data, f"no {wanted!r} on {stream}: {self._said}\n{self.logs()}"
            self._said[stream] += data
        return text

    def stopped(self) -> str:
        """Wait until it has stopped in `embed`; the name of its session."""
        text = self.until("stderr", _LAST_LINE, self._heard)
        names = _ATTACH.findall(text, self._heard)
        self._heard = text.index(_LAST_LINE, self._heard) + len(_LAST_LINE)
        return str(names[-1])

    def client(self, name: str | None = None) -> Client:
        """A client of the session, which begins now if it is not named."""
        file = self.folder / "run" / (name or self.stopped()) / "connection.json"
        client = Client(json.loads(file.read_text()))
        self.clients.append(client)
        client.wait_for_welcome(START_SECONDS)
        client.wait_for_stdin()
        return client

    def end(self) -> tuple[int, str, str]:
        """Its exit status, once it has ended by itself, and all that it has written that nobody has read."""
        out, err = self.process.communicate(timeout=END_SECONDS * 2)
        said = [self._said["stdout"] + out, self._said["stderr"] + err]
        return self.process.returncode, *(each.decode(errors="replace") for each in said)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `holdfast …` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "holdfast", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def press_ctrl_c(self) -> None:
        """As its terminal would."""
        os.kill(self.process.pid, signal.SIGINT)

    def logs(self) -> str:
        """What supervisors have said."""
        return "\n".join(
            each.read_text(errors="replace") for each in self.folder.glob("run/*/supervisor.log")
        )

    def close(self) -> None:
        """AssertionError if a process outlives the program."""
        for client in self.clients:
            client.close()
        try:
            if self.process.poll() is None:
                self.process.kill()
            wait_for_end(self.process.pid, Deadline(END_SECONDS))
            left = left_over(self.mark, Deadline(END_SECONDS))
            assert not left, f"processes left behind: {left}"
        finally:
            kill(self.mark)
            self.process.communicate()
            print(self.logs())


@contextmanager
def running_program(source: str) -> Iterator[Program]:
    """A program for a `with` block."""
    with scratch() as folder:
        program = Program(folder, source)
        try:
            yield program
        finally:
            program.close()
