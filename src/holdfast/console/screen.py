"""The terminal that output and prompt share: the one place that writes to it besides the prompt.

While a prompt stands, text goes above it, in whole lines, and what is half typed stays as it is. While none
stands, text is written as it comes. What a message looks like is not decided here (see `render`).
"""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TextIO

from holdfast.console.colours import TERMINAL
from holdfast.console.extent import Extent

Stream = Literal["stdout", "stderr"]


@dataclass(slots=True)
class Mark:
    """A place in the output to come back to; lost when a prompt has stood below it or `row` is unknown."""

    row: int | None = None
    prompts: int = -1


@dataclass(slots=True)
class _Text:
    text: str
    stream: Stream


@dataclass(slots=True)
class _FreshLine:
    """End a half written line."""


@dataclass(slots=True)
class _Rewind:
    mark: Mark


class Screen:
    """Output above the prompt, or straight on. `write` and the others keep their order."""

    def __init__(self, out: TextIO, err: TextIO, theme: str = TERMINAL) -> None:
        self.theme = theme
        """In which colours code is shown on it."""
        self._streams: dict[Stream, TextIO] = {"stdout": out, "stderr": err}
        self._todo: deque[_Text | _FreshLine | _Rewind | Mark] = deque()
        self._extent = Extent(width=80)
        self._line = ""
        """What stands on the line that is half written."""
        self._prompting = False
        self._prompts = 0
        self.is_lent = False
        """Another program has the terminal."""
        self._flushing: asyncio.Task[None] | None = None

    @property
    def height(self) -> int:
        """Rows of the terminal now."""
        return shutil.get_terminal_size().lines

    @property
    def width(self) -> int:
        """Columns of the terminal now."""
        return max(1, shutil.get_terminal_size().columns)

    @property
    def mid_line(self) -> bool:
        """Whether a line of the terminal is half written."""
        return bool(self._line)

    def write(self, text: str, stream: Stream = "stdout") -> None:
        """Show `text` as it is."""
        self._do(_Text(text, stream))

    def fresh_line(self) -> None:
        """What comes next begins a line."""
        self._do(_FreshLine())

    def note(self, text: str) -> None:
        """A line of Holdfast's own words, on standard error."""
        self.fresh_line()
        self.write(f"{text}\n", "stderr")

    def mark(self) -> Mark:
        """Remember this place."""
        mark = Mark()
        self._do(mark)
        return mark

    def rewind(self, mark: Mark) -> None:
        """Take away what was written since `mark`, as far as it can still be seen."""
        self._do(_Rewind(mark))

    def half_line(self) -> str:
        """Take the half written line, to be written anew as the beginning of a prompt."""
        line, self._line = self._line, ""
        self._extent.column = 0
        return line

    @contextmanager
    def prompting(self) -> Iterator[None]:
        """A prompt stands meanwhile."""
        self._prompting = True
        self._prompts += 1
        try:
            yield
        finally:
            self._prompting = False
            self._prompts += 1
            self._line, self._extent.column = "", 0
            self._write_all()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Another program has the terminal meanwhile: what comes is shown after it."""
        self.is_lent = True
        self._prompts += 1
        try:
            yield
        finally:
            self.is_lent = False
            self._line, self._extent.column = "", 0
            self._write_all()

    async def drained(self) -> None:
        """Wait until everything is written that can be written above the prompt."""
        if self._flushing is not None:
            await self._flushing

    def _do(self, thing: _Text | _FreshLine | _Rewind | Mark) -> None:
        self._todo.append(thing)
        if not self._prompting:
            self._write_all()
        elif self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._write_above())

    async def _write_above(self) -> None:
        from prompt_toolkit.application import run_in_terminal  # noqa: PLC0415 - a prompt stands: it is loaded

        while self._prompting and self._has_whole_line():
            await run_in_terminal(self._write_all)

    def _has_whole_line(self) -> bool:
        return any(
            "\n" in thing.text if isinstance(thing, _Text) else not isinstance(thing, Mark)
            for thing in self._todo
        )

    def _write_all(self) -> None:
        if self.is_lent:
            return
        self._extent.width = self.width
        held = self._hold_half_line() if self._prompting else None
        while self._todo:
            thing = self._todo.popleft()
            if isinstance(thing, _Text):
                self._put(thing.text, thing.stream)
            elif isinstance(thing, _FreshLine):
                if self._extent.column:
                    self._put("\n", "stdout")
            elif isinstance(thing, Mark):
                thing.row, thing.prompts = self._extent.row, self._prompts
            else:
                self._go_back(thing.mark)
        if held:
            self._todo.append(held)

    def _hold_half_line(self) -> _Text | None:
        """Keep back what comes after the last newline: the prompt will stand in column 0."""
        pieces: deque[str] = deque()
        stream: Stream = "stdout"
        while self._todo and isinstance(last := self._todo[-1], _Text):
            stream = last.stream
            whole, newline, rest = last.text.rpartition("\n")
            pieces.appendleft(rest)
            self._todo.pop()
            if newline:
                self._todo.append(_Text(whole + newline, stream))
                break
        half = "".join(pieces)
        # Of a progress bar only the last state is worth keeping.
        return _Text(half.rstrip("\r").rpartition("\r")[2], stream) if half else None

    def _put(self, text: str, stream: Stream) -> None:
        target = self._streams[stream]
        encoding = target.encoding or "utf-8"
        # Lone surrogates (file names) and what a C locale can't show must not end the console.
        target.write(text.encode(encoding, "replace").decode(encoding))
        target.flush()  # at once: the two streams share one terminal
        if target.isatty():
            self._extent.follow(text)
            self._line = (self._line + text).rpartition("\n")[2].rpartition("\r")[2]

    def _go_back(self, mark: Mark) -> None:
        if mark.row is None or mark.prompts != self._prompts:
            return
        rows = min(self._extent.row - mark.row, self.height - 1)
        up = f"\x1b[{rows}A" if rows > 0 else ""
        self._put(f"\r{up}\x1b[J", "stdout")
