"""How cells and what they put out read in a log: whole ones, and one that runs, piece by piece."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.cli import text
from holdfast.console import ansi

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

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
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
        self._line(ansi.paint(_head(client, started, ended), ansi.NOTE))
        for line in _prompted(count, code):
            self._line(line)

    def output(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """One thing that it put out."""
        if msg_type == "stream":
            self._put(str(content.get("text", "")))
        elif words := _in_words(msg_type, content):
            self._line(words)

    def end(self, status: str = "ok") -> None:
        """It has ended, in its own way or not."""
        if status in NOTES:
            self._line(ansi.paint(f"({NOTES[status]})", ansi.NOTE))
        self._line("")

    def note(self, words: str) -> None:
        """Something that is no cell's."""
        self._line(ansi.paint(f"({words})", ansi.NOTE))
        self._line("")

    def _line(self, words: str) -> None:
        self._put(f"{'' if self._fresh else chr(10)}{words.rstrip(chr(10))}\n")

    def _put(self, piece: str) -> None:
        if piece:
            self._fresh = piece.endswith("\n")
            self._write(piece)


def show(cell: Mapping[str, Any]) -> str:
    """One cell as lines."""
    pieces: list[str] = []
    Transcript(pieces.append).cell(cell)
    return "".join(pieces)


def _head(client: str | None, started: float | None, ended: float | None) -> str:
    words = [client or "somebody"]
    if started:
        words.append(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started)))
    if started and ended:
        words.append(f"{ended - started:.1f} s")
    return f"# {', '.join(map(ansi.visible, words))}"


def _prompted(count: int | None, code: str) -> list[str]:
    prompt = f"In [{count if count is not None else ' '}]: "
    first, *more = code.split("\n")
    return [ansi.paint(prompt, ansi.IN) + first, *("...: ".rjust(len(prompt)) + line for line in more)]


def _out(content: Mapping[str, Any]) -> str:
    return ansi.paint(f"Out[{content['execution_count']}]: ", ansi.OUT)


def _in_words(msg_type: str, content: Mapping[str, Any]) -> str:
    """One message of iopub as text; of what has none, which kinds of data it had."""
    if msg_type == "error":
        return "\n".join(content.get("traceback") or [f"{content.get('ename')}: {content.get('evalue')}"])
    if msg_type in ("execute_result", "display_data", "update_display_data"):
        data = content.get("data", {})
        words = str(data.get("text/plain", f"<{', '.join(data)}>"))
        if msg_type != "execute_result":
            return words
        return (
            f"{_out(content)}{chr(10) if chr(10) in words else ''}{words}"  # a frame's columns stay columns
        )
    if msg_type == OMITTED:
        return f"({text.size(content['bytes'])} of output were not kept)"
    return ""
