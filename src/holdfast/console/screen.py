"""The terminal that output and prompt share: the one place that writes to it besides the prompt.

While a prompt stands, text goes above it, in whole lines, and what is half typed stays as it is. While none
stands, text is written as it comes. What a message looks like is not decided here (see `render`).
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

from holdfast import sizes
from holdfast.console import ansi
from holdfast.console.colours import TERMINAL
from holdfast.console.extent import Extent
from holdfast.console.folding import folded
from holdfast.console.modes import Modes
from holdfast.console.standing import Standing

if TYPE_CHECKING:
    import asyncio

    from holdfast.console.pictures.picture import Picture
    from holdfast.protocol.terminal import Terminal

Stream = Literal["stdout", "stderr"]

PICTURES = 64
"""Pictures that the terminal can be told to forget; more are not on one screen."""

HALF_LINE = 4_000
"""Characters without a newline that are kept back while a prompt stands; more of them are a line."""

LENT_CHARACTERS = 4_000_000
"""Of what comes while another program has the terminal, the end is shown after it: 50,000 lines."""


class Mark:
    """A place in the output to come back to; lost when a prompt has stood below it or `row` is unknown."""

    __slots__ = ("prompts", "row")

    def __init__(self) -> None:
        self.row: int | None = None
        self.prompts = -1
        """Not yet known."""


class _Text:
    __slots__ = ("stream", "text")

    def __init__(self, text: str, stream: Stream) -> None:
        self.text = text
        self.stream: Stream = stream


class _Drawing(NamedTuple):
    picture: Picture


class _FreshLine:
    """End a half written line."""


class _Settle:
    """Switch the terminal's modes back."""


class _Rewind(NamedTuple):
    mark: Mark


_Thing = _Text | _Drawing | _FreshLine | _Settle | _Rewind | Mark
"""What is done on a screen, in the order it was asked for."""


class Screen:
    """Output above the prompt, or straight on. `write` and the others keep their order."""

    def __init__(self, out: TextIO, err: TextIO, theme: str = TERMINAL) -> None:
        self.theme = theme
        """In which colours code is shown on it."""
        self._streams: dict[Stream, TextIO] = {"stdout": out, "stderr": err}
        self._todo: deque[_Thing] = deque()
        self._extent = Extent(width=80)
        self._modes = Modes()
        self._pictures: deque[tuple[int, str]] = deque(maxlen=PICTURES)
        """The row in which each begins, and what makes the terminal forget it."""
        self._line = ""
        """What stands on the line that is half written."""
        self._inked = False
        """That line shows something, though the cursor may have gone back to its beginning."""
        self._prompting = False
        self._prompts = 0
        self.is_lent = False
        """Another program has the terminal."""
        self.writer: object = None
        """Whose text is the last one, if nothing was written since; who writes says so."""
        self._waiting = self._left_out = 0
        """Characters that came while the terminal was lent: those that are kept, and the others."""
        self._flushing: asyncio.Task[None] | None = None
        self.standing = Standing()

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
        from holdfast.protocol.terminal import Terminal  # noqa: PLC0415 - a cell is run: all is loaded

        size = shutil.get_terminal_size()
        return Terminal(max(1, size.columns), max(1, size.lines), ansi.colours())

    def write(self, text: str, stream: Stream = "stdout") -> None:
        """Show `text` as it is: that of a cell has been through a sieve, and has whole escapes."""
        self.writer = None
        self._do(_Text(text, stream))

    def draw(self, picture: Picture) -> None:
        """Show a picture, on lines of its own."""
        self.writer = None
        self.fresh_line()
        self._do(_Drawing(picture))

    def fresh_line(self) -> None:
        """What comes next begins a line, in no colour."""
        self._do(_FreshLine())

    def settle(self) -> None:
        """A cell is over, however: the terminal is as it was, and what comes next begins a line."""
        self.fresh_line()
        self._do(_Settle())

    def note(self, text: str) -> None:
        """A line of Holdfast's own words, on standard error."""
        self.fresh_line()
        if self._streams["stderr"].isatty():  # else a program may read it, line by line
            text = folded(text, self.width)
        self.write(f"{text}\n", "stderr")

    def stand(self, prompt: str) -> None:
        """Show a prompt that nobody reads yet: what is written next, or the real one, takes its place."""
        self._emit(f"\n{prompt}", self._streams["stdout"])
        self.standing.begin(self._extent.column)

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
        if self.is_lent or not self.holds(mark) or not _drop_since(mark, self._todo):
            self._do(_Rewind(mark))

    def half_line(self) -> str:
        """Take the half written line, to be written anew as the beginning of a prompt."""
        line = self._line
        self._begin_line()
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
            self.writer = None
            self._begin_line()
            self._write_all()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Another program has the terminal meanwhile: what comes is shown after it."""
        self.is_lent, self._waiting, self._left_out = True, 0, 0
        self._prompts += 1
        try:
            yield
        finally:
            self.is_lent = False
            self._begin_line()
            if self._left_out:
                note = ansi.paint(f"… {sizes.short(self._left_out)} before", ansi.NOTE)
                self._todo.appendleft(_Text(f"{note}\n", "stderr"))
            self._write_all()

    async def drained(self) -> None:
        """Wait until everything is written that can be written above the prompt."""
        if self._flushing is not None:
            await self._flushing

    def _do(self, thing: _Thing) -> None:
        last = self._todo[-1] if self._todo else None
        if isinstance(last, _Text) and isinstance(thing, _Text) and _is_one_line(last.text, thing.text):
            last.text = _latest(last.text + thing.text)  # what a bar shows for hours must not fill the memory
        else:
            self._todo.append(thing)
            self._limit(thing)
        if not self._prompting:
            self._write_all()
        elif self._flushing is None or self._flushing.done():
            import asyncio  # noqa: PLC0415 - a prompt stands: it is loaded

            self._flushing = asyncio.get_running_loop().create_task(self._write_above())

    def _limit(self, new: _Thing) -> None:
        """Keep only the end of what comes while another program has the terminal."""
        if not self.is_lent or not isinstance(new, _Text):
            return
        self._waiting += len(new.text)
        while self._waiting > LENT_CHARACTERS and len(self._todo) > 1:
            gone = self._todo.popleft()
            if isinstance(gone, _Text):
                self._waiting -= len(gone.text)
                self._left_out += len(gone.text)

    async def _write_above(self) -> None:
        from prompt_toolkit.application import run_in_terminal  # noqa: PLC0415 - a prompt stands: it is loaded

        while self._prompting and self._has_whole_line():
            await run_in_terminal(self._write_all)

    def _has_whole_line(self) -> bool:
        return any(
            _is_written(thing.text) if isinstance(thing, _Text) else not isinstance(thing, Mark)
            for thing in self._todo
        )

    def _write_all(self) -> None:
        if self.is_lent:
            return
        if self.width != self._extent.width:
            self._extent.width = self.width
            self._prompts += 1  # the terminal has wrapped its lines anew: no place is where it was
        held = _half_line_of(self._todo) if self._prompting else ()
        while self._todo:
            self._write_one(self._todo.popleft())
        if self._prompting:
            self._settle()  # a thread of a cell that has ended: the prompt must be drawn as ever
        self._todo.extend(held)

    def _write_one(self, thing: _Thing) -> None:
        if isinstance(thing, _Text):
            self._put(thing.text, thing.stream)
        elif isinstance(thing, _Drawing):
            self._put_picture(thing.picture)
        elif isinstance(thing, _FreshLine):
            self._put(self._modes.ink(), "stdout")
            if self._extent.column or self._inked:
                self._put("\n", "stdout")
        elif isinstance(thing, _Settle):
            self._settle()
        elif isinstance(thing, Mark):
            thing.row, thing.prompts = self._extent.row, self._prompts
        else:
            self._go_back(thing.mark)

    def _settle(self) -> None:
        back = self._modes.usual()
        if not back:
            return
        self._put(back, "stdout")
        self._prompts += "\n" in back  # the cursor is elsewhere: no place is where it was

    def _put(self, text: str, stream: Stream) -> None:
        target = self._streams[stream]
        self._emit(text, target)
        if target.isatty():
            self._extent.follow(text)
            self._modes.follow(text)
            line = (self._line + text).rpartition("\n")[2].rpartition("\r")[2]
            self._line = line[-HALF_LINE:]
            self._inked = _shows(text, before=self._inked)

    def _begin_line(self) -> None:
        self._line, self._inked, self._extent.column = "", False, 0

    def _emit(self, text: str, target: TextIO) -> None:
        target.write(self.standing.taken_away() + _writable(text, target.encoding or "utf-8"))
        target.flush()  # at once: the two streams share one terminal

    def _put_picture(self, picture: Picture) -> None:
        # What a picture's escapes do is known better than it can be read from them.
        row = self._extent.row
        self._emit(picture.text, self._streams["stdout"])
        self._begin_line()
        self._extent.row = row + picture.rows
        if picture.forget:
            self._pictures.append((row, picture.forget))

    def _go_back(self, mark: Mark) -> None:
        if mark.row is None or not self.holds(mark):
            return
        rows = min(self._extent.row - mark.row, shutil.get_terminal_size().lines - 1)
        up = f"\x1b[{rows}A" if rows > 0 else ""
        forgotten = "".join(forget for row, forget in self._pictures if row >= mark.row)
        self._pictures = deque((each for each in self._pictures if each[0] < mark.row), maxlen=PICTURES)
        self._put(f"\r{up}\x1b[J{forgotten}", "stdout")


def _half_line_of(todo: deque[_Thing]) -> deque[_Thing]:
    """Take out what comes after the last newline: the prompt will stand in column 0."""
    held: deque[_Thing] = deque()
    half = _Text("", "stdout")
    while todo and isinstance(last := todo[-1], _Text | Mark):
        todo.pop()
        if isinstance(last, Mark):
            held.appendleft(last)
            continue
        whole, newline, rest = last.text.rpartition("\n")
        if rest and half.text and half is held[0]:
            half.text, half.stream = _latest(rest + half.text), last.stream
        elif rest:
            half = _Text(_latest(rest), last.stream)
            held.appendleft(half)
        if newline:
            todo.append(_Text(whole + newline, last.stream))
            break
    if any(isinstance(each, _Text) and len(each.text) > HALF_LINE for each in held):
        todo.extend(held)
        todo.append(_FreshLine())
        held.clear()
    return held


def _drop_since(mark: Mark, todo: deque[_Thing]) -> bool:
    """Drop what would be taken away before it was shown: of a flood of frames the last one counts.

    Whether nothing else is to be done, since the same is done already where that begins.
    """
    since: list[_Thing] = []
    while todo and todo[-1] is not mark and not (isinstance(last := todo[-1], _Rewind) and last.mark is mark):
        since.append(todo.pop())
    if todo:
        since = [each for each in since if not isinstance(each, _Text | _Drawing | _FreshLine)]
    done = (
        bool(todo) and isinstance(todo[-1], _Rewind) and not any(isinstance(each, _Rewind) for each in since)
    )
    todo.extend(reversed(since))
    return done


def _is_one_line(text: str, more: str) -> bool:
    return "\n" not in text and "\n" not in more and len(text) <= HALF_LINE


def _writable(text: str, encoding: str) -> str:
    """Lone surrogates (file names) and what a C locale can't show must not end the console."""
    return text.encode(encoding, "replace").decode(encoding)


def _is_written(text: str) -> bool:
    """Whether it can be written above a prompt: not if it is half a line."""
    return "\n" in text or len(text) > HALF_LINE


def _latest(line: str) -> str:
    """Of a progress bar only the last state is worth keeping, and that the next one will take its place."""
    state = line.rstrip("\r")
    return state.rpartition("\r")[2] + line[len(state) :][:1]


def _shows(text: str, *, before: bool) -> bool:
    """Whether the last line of the screen has something on it when `text` was written; `before`: it had."""
    _, newline, line = text.rpartition("\n")
    states = [state for state in line.split("\r") if state]
    if not states:
        return before and not newline
    return bool(ansi.ESCAPE.sub("", states[-1]).strip())
