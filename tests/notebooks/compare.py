"""One notebook under two kernels, cell by cell, and what differs, for people to read."""

from __future__ import annotations

import contextlib
import difflib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from notebooks.alike import Normal, without
from notebooks.book import Book, Cell
from notebooks.player import playing

KERNELS = ("ipykernel", "holdfast")
LONGEST_LINE = 240
AROUND = 2

RIVAL_TRIES = 3
"""We do not test the other kernel."""


def differences(book: Book) -> list[str]:
    """What somebody would see of the cells that are not alike; nothing if all are."""
    with tempfile.TemporaryDirectory(prefix="nb", dir="/tmp") as scratch:
        left, right = (_lines(book, name, Path(scratch)) for name in KERNELS)
    found = []
    for number, (cell, ours, theirs) in enumerate(zip(book.cells, left, right, strict=True), 1):
        found += _difference(number, cell, ours, theirs)
    return found


def _lines(book: Book, name: str, scratch: Path) -> list[list[str]]:
    """The same as `_played`, all of them. On a busy machine ipykernel, at times, never answers a cell."""
    for attempt in range(RIVAL_TRIES if name == "ipykernel" else 1):
        with contextlib.suppress(TimeoutError):
            return list(_played(book, name, scratch / str(attempt)))
    raise TimeoutError(f"{name} does not answer")


def _played(book: Book, name: str, scratch: Path) -> Iterator[list[str]]:
    """The lines that each cell comes to under one kernel."""
    folder = scratch / name
    with playing(name, folder) as player:
        heard = [player.play(cell) for cell in book.cells]
        player.settle()
    normal = Normal(folder)
    yield from (normal.lines(each) for each in heard)


def _difference(number: int, cell: Cell, left: list[str], right: list[str]) -> list[str]:
    code = [f"    {line}" for line in cell.code.split("\n")]
    if cell.apart and left == right:
        return [f"  cell {number}:", *code, f"  does not differ any more: {', '.join(cell.apart)}"]
    left, right = without(left, cell.apart), without(right, cell.apart)
    if left == right:
        return []
    ours, theirs = ([line[:LONGEST_LINE] for line in side] for side in (left, right))
    diff = list(difflib.unified_diff(ours, theirs, *KERNELS, lineterm="", n=AROUND))
    return [f"  cell {number}:", *code, *(f"  {line}" for line in diff or ["(beyond the end of long lines)"])]
