"""What was heard of a cell, as lines of text in which two kernels that behave alike do not differ.

Taken out: ids, addresses, folders and file names of one run, colours, and durations where the cell says that
it prints some. Kept: everything else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from notebooks.player import Heard, Message

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b|(?<=object at )[0-9a-f]{12}\b", re.IGNORECASE)
_CELL_FILE = re.compile(r"<ipython-input-\d+-\w+>|/[^\s:'\"<>]*/(?:ipykernel_\d+|cells)/\d+\.py")
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
    r"|(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])"  # IPython's progress bars
    r"|(?<=T_)[0-9a-f]{5}(?=[_\" {])"  # pandas' Styler
    r"|\b[0-9a-f]{8}-[0-9a-f]{24}_\d+_\d+\b",  # the requests of jupyter_client
)
_TIME = re.compile(r"\d+(?:\.\d+)?(?:e[+-]\d+)? ?(?:ns|us|µs|μs|ms|s|min)\b(?: \d+(?:\.\d+)? ?m?s\b)?")
_LOOPS = re.compile(r"\(mean.*|\d[\d,]* loops?.*|The slowest run .*\n")

_OTHERS = {"engine_info", "started"}
"""Fields that ipykernel alone sends, for programs that are gone (ipyparallel before 2014)."""


class Normal:
    """Makes text of one kernel comparable. Ids are numbered as they appear, so who refers to whom is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._ids: dict[str, str] = {}

    def lines(self, heard: Heard) -> list[str]:
        """All that came of a cell: what was published, what the kernel asked, what it answered."""
        found: list[str] = []
        for kind, content in _events(heard):
            found += [f"[{kind}]", *self._content(kind, content, heard)]
        return found

    def _content(self, kind: str, content: Any, heard: Heard) -> Iterator[str]:
        for path, value in _leaves(content, kind):
            text = self._text(value, heard) if isinstance(value, str) else repr(value)
            first, *more = text.split("\n")
            yield f"  {self._text(path, heard)}: {first}".rstrip()
            yield from (f"  | {line}".rstrip() for line in more)

    def _text(self, text: str, heard: Heard) -> str:
        text = _CELL_FILE.sub("<cell>", _COLOUR.sub("", text)).replace(self._folder, "<folder>")
        text = _ADDRESS.sub("0x...", text)
        text = _ID.sub(lambda found: self._ids.setdefault(found[0], f"<id {len(self._ids) + 1}>"), text)
        if heard.cell.times:
            text = _LOOPS.sub("<loops>", _TIME.sub("<time>", text))
        if heard.cell.unordered:
            text = "\n".join(sorted(text.split("\n")))
        return text


def without(lines: list[str], places: Iterable[str]) -> list[str]:
    """The lines less what stands at these places: `execute_reply.ename`, and all that begins so."""
    kept, left_out = [], False
    for line in lines:
        if not line.startswith("  |"):  # the first line of a value, or of a message
            left_out = any(line.startswith(f"  {place}") for place in places)
        if not left_out:
            kept.append(line)
    return [line for line, after in pairwise([*kept, "["]) if not (line[0] == after[0] == "[")]


def _events(heard: Heard) -> Iterator[tuple[str, Any]]:
    yield from _in_order(heard.published)
    for question in heard.asked:
        yield question["msg_type"], question["content"]
    for reply in heard.replies:
        content = {key: value for key, value in reply["content"].items() if key not in _OTHERS}
        yield reply["msg_type"], content


def _in_order(published: Iterable[Message]) -> Iterator[tuple[str, Any]]:
    """Messages as they came. Text between two others is one piece for each stream: how it is cut, and how
    stdout and stderr mix, is a matter of ipykernel's timers."""
    text: dict[str, str] = {}
    for message in published:
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            text[content["name"]] = text.get(content["name"], "") + content["text"]
        elif kind != "status":
            yield from sorted(text.items())
            text = {}
            metadata = {key: value for key, value in message["metadata"].items() if key != "holdfast"}
            buffers = [hashlib.sha256(each).hexdigest()[:12] for each in message["buffers"]]
            yield kind, {**content, "message metadata": metadata, "buffers": buffers}
    yield from sorted(text.items())
    states = [one["content"]["execution_state"] for one in published if one["msg_type"] == "status"]
    yield "states", " ".join(states)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value in JSON with the way to it. Empty containers are values."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}.{key}")
    elif isinstance(value, list | tuple) and value:
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]")
    else:
        yield path, value
