"""A program on a pseudo-terminal, as fast as it can be read. What it asks of its terminal is answered.

No screen is kept: of the text only escape sequences are taken out. A figure is about when bytes come.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from bench.client import PATIENCE, Silence, end_of

COLUMNS, ROWS = 100, 30

END_SECONDS = 10.0

_ESCAPES = re.compile(
    rb"\x1b\[[0-9;?>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b."
)
"""Control sequences of a terminal (ECMA-48, 5.4), its titles, its character sets."""

_WHERE = b"\x1b[6n"  # DSR: where is the cursor?
_THERE = b"\x1b[1;1R"


class Terminal:
    """`command` on a terminal of its own, for a `with` block; killed at the end unless it has ended."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**env, "TERM": "xterm-256color"},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - nothing here has threads
        )
        os.close(theirs)
        self._raw = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            end_of(self._process.pid, END_SECONDS)
        self._process.wait()
        os.close(self._ours)

    def type(self, keys: str) -> float:
        """Press keys; when, on the clock of `time.monotonic`."""
        now = time.monotonic()
        os.write(self._ours, keys.encode())
        return now

    def wait_for(self, pattern: bytes, seconds: float = PATIENCE) -> float:
        """Wait until something new matches; when it came. Silence if it does not, or the program ends."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + seconds
        while True:
            now = self._read(deadline)
            text = _ESCAPES.sub(b"", self._raw)
            if (found := wanted.search(text)) is not None:
                self._raw = text[found.end() :]
                return now
            self._raw = self._raw[-65_536:]  # a flood of output; what is waited for is short

    def end(self) -> None:
        """Wait for the program's end."""
        with suppress(Silence):
            self.wait_for(rb"(?!)", END_SECONDS)
        self._process.wait(END_SECONDS)

    def _read(self, deadline: float) -> float:
        if not select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Silence(f"not on the terminal in time; what came last: {self._raw[-300:]!r}")
        now = time.monotonic()
        try:
            data = os.read(self._ours, 65_536)
        except OSError:  # nobody holds the other end any more: EIO (pty(7))
            data = b""
        if not data:
            raise Silence(f"the program has ended: {self._raw[-300:]!r}")
        if _WHERE in data:
            os.write(self._ours, _THERE)
        self._raw += data
        return now


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
