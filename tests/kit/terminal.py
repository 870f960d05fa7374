"""A terminal for tests: a program on a real pty, its screen read through an emulator. No sleeps.

`wait_for` polls the screen whenever the program has written something, until a deadline. What the program
asks its terminal (where is the cursor?) is answered, as a real terminal does.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect
import pyte

WAIT_SECONDS = 15.0
"""For anything to appear; a loaded machine is slow, and a test that passes never waits that long."""

_PROMPT = re.compile(r"^(?:\[(?:ins|nav|rep)\] )?In \[(\d+)\]:", re.MULTILINE)

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
ENTER, TAB, SHIFT_TAB, BACKSPACE = "\r", "\t", "\x1b[Z", "\x7f"
CTRL_C, CTRL_D, CTRL_L, CTRL_R, CTRL_BACKSLASH = "\x03", "\x04", "\x0c", "\x12", "\x1c"


class Terminal:
    """`command` on a terminal of `columns` by `rows`, with the environment `env`, of the kind `term`."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        columns: int = 100,
        rows: int = 30,
        cwd: Path | None = None,
        term: str = "xterm-256color",
    ) -> None:
        self.raw = b""
        """All that the program has written."""
        self._screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._screen.write_process_input = self.send
        self._stream = pyte.ByteStream(self._screen)
        self._process = pexpect.spawn(
            command[0],
            list(command[1:]),
            env={**env, "TERM": term},
            dimensions=(rows, columns),
            cwd=cwd,
            timeout=WAIT_SECONDS,
        )
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.close(force=True)
        except pexpect.ExceptionPexpect:  # killed, and on a busy machine not gone a tenth of a second later
            self._process.wait()
            self._process.close()

    @property
    def pid(self) -> int:
        """The program's process."""
        return int(self._process.pid)

    @property
    def lines(self) -> list[str]:
        """What is on the screen now, without the empty end."""
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            del lines[-1]
        return lines

    @property
    def text(self) -> str:
        """The same, as one text."""
        return "\n".join(self.lines)

    @property
    def all_text(self) -> str:
        """The screen with what has scrolled off its top."""
        rows, columns = self._screen.history.top, range(self._screen.columns)
        above = ["".join(row[column].data for column in columns).rstrip() for row in rows]
        return "\n".join([*above, *self.lines])

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, from 0."""
        return self._screen.cursor.y, self._screen.cursor.x

    def prompt_number(self) -> int | None:
        """The number in the last prompt of our own on the screen, if there is one just now."""
        found = _PROMPT.findall(self.text)
        return int(found[-1]) if found else None

    def style_of(self, text: str) -> tuple[str, bool]:
        """Colour and boldness of the first character of the last `text` on the screen."""
        for row in reversed(range(self._screen.lines)):
            column = self._screen.display[row].rfind(text)
            if column >= 0:
                cell = self._screen.buffer[row][column]
                return cell.fg, cell.bold
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")

    def send(self, keys: str) -> None:
        """Type."""
        self._process.send(keys)

    def paste(self, text: str) -> None:
        """Paste, as terminals do that bracket what is pasted."""
        self.send(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """The user drags the window's corner."""
        self._screen.resize(rows, columns)
        self._process.setwinsize(rows, columns)

    @property
    def unfolded(self) -> str:
        """What is on the screen as one line: our own words are broken where the screen ends."""
        return " ".join(self.lines)

    def wait_for(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until `text` is on the screen, as it is or broken between words."""
        self.wait_until(
            lambda: text in self.text or text in self.unfolded, f"{text!r} on the screen", seconds
        )

    def wait_for_last(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the last line of the screen is `text`."""
        self.wait_until(lambda: self.lines[-1:] == [text], f"{text!r} as last line", seconds)

    def wait_for_last_prompt(self) -> None:
        """Wait until the last line is an empty prompt."""
        self.wait_until(lambda: _PROMPT.fullmatch("".join(self.lines[-1:])) is not None, "a prompt")

    def wait_until(
        self, condition: Callable[[], bool], what: str = "it", seconds: float = WAIT_SECONDS
    ) -> None:
        """Wait until `condition` holds; it is asked again whenever the program has written."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self._ended or time.monotonic() > deadline or not self._read(deadline):
                raise AssertionError(f"waited in vain for {what}:\n{self.text}")

    def wait_end(self, seconds: float = WAIT_SECONDS) -> int:
        """Wait for the program's end; its exit status, or minus the signal that killed it."""
        deadline = time.monotonic() + seconds
        while not self._ended:
            if not self._read(deadline):
                raise AssertionError(f"it has not ended:\n{self.text}")
        self._process.wait()
        if self._process.exitstatus is not None:
            return int(self._process.exitstatus)
        return -int(self._process.signalstatus)

    def fileno(self) -> int:
        """Readable when the program has written something: then `read`."""
        return int(self._process.child_fd)

    def _read(self, deadline: float) -> bool:
        """Take what the program writes next; whether it wrote (or ended) in time."""
        ready, _, _ = select.select([self], [], [], max(0.0, deadline - time.monotonic()))
        if ready:
            self.read()
        return bool(ready)

    def read(self) -> None:
        """Take what the program has written, or wait for it."""
        try:
            data = os.read(self._process.child_fd, 65536)
        except OSError:  # the pty's other end is closed: EIO (pty(7))
            data = b""
        self._ended = not data
        self.raw += data
        self._stream.feed(data)
