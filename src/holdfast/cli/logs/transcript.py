"""How cells and what they put out read in a log: whole ones, and one that runs, piece by piece."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from holdfast import sizes
from holdfast.cellfiles.outputs import bundle_of, error_of
from holdfast.cli import text
from holdfast.console import ansi
from holdfast.visible import in_line, visible

NOTES = {
    "aborted": "not run: a cell before it failed",
    "crashed": "the Python process died in it",
    "interrupted": "interrupted",
    "running": "running",
    "queued": "waiting",
    "waiting": "waiting",
    "cut off": "the session ended in it",
}
"""What is said of a cell that came to no end of its own."""

OMITTED = "omitted"
"""In place of a message type: `bytes` of output that the journal did not keep."""


class Transcript:
    """Cells as text, handed to `write` in pieces as they come; only streams go on within a line."""

    def __init__(self, write: Callable[[str], object], *, colours: bool = True) -> None:
        """`colours`: of what is ours; those of the output stay."""
        self._write = write
        self._colours = colours
        self._fresh = True  # at the beginning of a line

    def cell(self, cell: Mapping[str, Any]) -> None:
        """A whole one (CellEntry of protocol/operations.py), with its note and an empty line."""
        self.begun(cell)
        self.end(cell["status"])

    def begun(self, cell: Mapping[str, Any]) -> None:
        """One that goes on: what there is of it."""
        self.begin(
            cell.get("client"), cell.get("started"), cell.get("ended"), cell.get("count"), cell["code"]
        )
        for each in cell["outputs"]:
            self.output(each["msg_type"], each["content"])

    def begin(
        self, client: str | None, started: float | None, ended: float | None, count: int | None, code: str
    ) -> None:
        """Who ran it, when, and how long it took, as far as that is known; then the code."""
        self._note(_head(client, started, ended))
        prompt = f"In [{count if count is not None else ' '}]: "
        first, *more = self._code(code).split("\n")
        self._line(self._painted(prompt, ansi.IN) + first)
        for line in more:
            self._line("...: ".rjust(len(prompt)) + line)

    def output(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """One thing that it put out."""
        if msg_type == "stream":
            self._put(str(content.get("text", "")))
        elif words := _in_words(msg_type, content):
            out = f"Out[{content.get('execution_count')}]: " if msg_type == "execute_result" else ""
            between = "\n" if out and "\n" in words else ""  # the columns of a table stay below each other
            self._line(self._painted(out, ansi.OUT) + between + words)

    def end(self, status: str = "ok") -> None:
        """It has ended, in its own way or not."""
        if status in NOTES:
            self._note(f"({NOTES[status]})")
        self._line("")

    def note(self, words: str) -> None:
        """Something that is no cell's."""
        self._note(f"({words})")
        self._line("")

    def _code(self, code: str) -> str:
        if not self._colours:
            return code
        from holdfast.console.colours import highlighted  # noqa: PLC0415 - pygments: only for a terminal

        return highlighted(visible(code)).rstrip("\n")

    def _painted(self, words: str, colour: str) -> str:
        return ansi.paint(words, colour) if self._colours and words else words

    def _note(self, words: str) -> None:
        self._line(self._painted(words, ansi.NOTE))

    def _line(self, words: str) -> None:
        self._put(f"{'' if self._fresh else chr(10)}{words.rstrip(chr(10))}\n")

    def _put(self, piece: str) -> None:
        if piece:
            self._fresh = piece.endswith("\n")
            self._write(piece)


def show(cell: Mapping[str, Any], *, colours: bool = False) -> str:
    """One cell as lines; without colours, no escapes of its output are in it either."""
    pieces: list[str] = []
    Transcript(pieces.append, colours=colours).cell(cell)
    return "".join(pieces) if colours else text.plain("".join(pieces))


def as_message(msg_type: str, content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """An entry of the log, for what knows messages only: what was not kept is said in a line of stderr."""
    if msg_type != OMITTED:
        return msg_type, content
    return "stream", {"name": "stderr", "text": _in_words(msg_type, content) + "\n"}


def _head(client: str | None, started: float | None, ended: float | None) -> str:
    words = [client or "somebody"]
    if started:
        words.append(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started)))
    if started and ended:
        words.append(f"{ended - started:.1f} s")
    return f"# {', '.join(map(in_line, words))}"


def _in_words(msg_type: str, content: Mapping[str, Any]) -> str:
    """One message of iopub as text; of what has none, which kinds of data it had."""
    if msg_type == "error":
        error = error_of(content)
        return "\n".join(error["traceback"]) or f"{error['ename']}: {error['evalue']}"
    if msg_type in ("execute_result", "display_data", "update_display_data"):
        data = bundle_of(content)
        return str(data.get("text/plain", f"<{', '.join(data)}>"))
    if msg_type == OMITTED and isinstance(size := content.get("bytes"), int):
        return f"({sizes.short(size)} of output were not kept)"
    return ""
