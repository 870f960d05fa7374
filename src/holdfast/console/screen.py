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
from typing import TYPE_CHECKING, Literal, TextIO

from holdfast.console import ansi
from holdfast.console.colours import TERMINAL
from holdfast.console.extent import Extent
from holdfast.protocol.terminal import Terminal

if TYPE_CHECKING:
    from holdfast.console.pictures.picture import Picture

Stream = Literal["stdout", "stderr"]

PICTURES = 64
"""Pictures that the terminal can be told to forget; more are not on one screen."""


@dataclass(slots=True)
class Mark:
    """A place in the output to come back to; lost when a prompt has stood below it or `row` is unknown."""

    row: int | None = None
    prompts: int = -1
    """Not yet known."""


@dataclass(slots=True)
class _Text:
    text: str
    stream: Stream


@dataclass(slots=True)
class _Drawing:
    picture: Picture


@dataclass(slots=True)
class _FreshLine:
    """End a half written line."""


@dataclass(slots=True)
class _Rewind:
    mark: Mark


_Thing = _Text | _Drawing | _FreshLine | _Rewind | Mark
"""What is done on a screen, in the order it was asked for."""


class Screen:
    """Output above the prompt, or straight on. `write` and the others keep their order."""

    def __init__(self, out: TextIO, err: TextIO, theme: str = TERMINAL) -> None:
        self.theme = theme
        """In which colours code is shown on it."""
        self._streams: dict[Stream, TextIO] = {"stdout": out, "stderr": err}
        self._todo: deque[_Thing] = deque()
        self._extent = Extent(width=80)
        self._pictures: deque[tuple[int, str]] = deque(maxlen=PICTURES)
        """The row in which each begins, and what makes the terminal forget it."""
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

    def terminal(self) -> Terminal:
        """What a cell's code should know of it."""
        size = shutil.get_terminal_size()
        return Terminal(max(1, size.columns), max(1, size.lines), ansi.colours())

    def write(self, text: str, stream: Stream = "stdout") -> None:
        """Show `text` as it is."""
        self._do(_Text(text, stream))

    def draw(self, picture: Picture) -> None:
        """Show a picture, on lines of its own."""
        self.fresh_line()
        self._do(_Drawing(picture))

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

    def holds(self, mark: Mark) -> bool:
        """Whether one can come back to `mark`: no prompt has stood below it."""
        return mark.prompts in (-1, self._prompts)

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

    def _do(self, thing: _Thing) -> None:
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
            elif isinstance(thing, _Drawing):
                self._put_picture(thing.picture)
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
        self._emit(text, target)
        if target.isatty():
            self._extent.follow(text)
            self._line = (self._line + text).rpartition("\n")[2].rpartition("\r")[2]

    def _emit(self, text: str, target: TextIO) -> None:
        encoding = target.encoding or "utf-8"
        # Lone surrogates (file names) and what a C locale can't show must not end the console.
        target.write(text.encode(encoding, "replace").decode(encoding))
        target.flush()  # at once: the two streams share one terminal

    def _put_picture(self, picture: Picture) -> None:
        # What a picture's escapes do is known better than it can be read from them.
        row = self._extent.row
        self._emit(picture.text, self._streams["stdout"])
        self._extent.row, self._extent.column, self._line = row + picture.rows, 0, ""
        if picture.forget:
            self._pictures.append((row, picture.forget))

    def _go_back(self, mark: Mark) -> None:
        if mark.row is None or not self.holds(mark):
            return
        rows = min(self._extent.row - mark.row, self.height - 1)
        up = f"\x1b[{rows}A" if rows > 0 else ""
        forgotten = "".join(forget for row, forget in self._pictures if row >= mark.row)
        self._pictures = deque((each for each in self._pictures if each[0] < mark.row), maxlen=PICTURES)
        self._put(f"\r{up}\x1b[J{forgotten}", "stdout")
