"""The newest cells of a session with their outputs, whether it runs or is only kept. Not how they read.

Read backwards, page by page: a supervisor must not stand still for the log of a year.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from holdfast.cli.logs import Ask
from holdfast.client import start
from holdfast.errors import SessionNotRunning

Cell = dict[str, Any]
"""A CellEntry of protocol/operations.py."""

PAGE = 100
"""Cells in one answer, at most."""

NOTHING_YET = (0, 0)


class Found(NamedTuple):
    """Cells, oldest first, and the position up to which they hold all that was published."""

    cells: list[Cell]
    position: tuple[int, int]


def newest(ask: Ask, last: int | None, who: str | None = None, *, after: int = 0) -> Found:
    """The newest `last` cells (None: all) with ids above `after`; if given, only those of `who`."""
    pages: list[list[Cell]] = []
    count, before, position = 0, None, None
    while last is None or count < last:
        wanted = PAGE if last is None or who is not None else min(PAGE, last - count)
        asked = {"last": wanted, "after": after} | ({} if before is None else {"before": before})
        page = ask(**asked)
        cells = page["cells"]
        position = position or (page.get("epoch", 0), page.get("seq", 0))
        if not cells or (before is not None and cells[-1]["id"] >= before):
            break  # a supervisor that does not know `before` yet tells the same again
        before = cells[0]["id"]
        pages.append([cell for cell in cells if who is None or cell["client"] == who])
        count += len(pages[-1])
    found = [cell for page in reversed(pages) for cell in page]
    return Found(found if last is None else found[-last:], position or NOTHING_YET)


@contextmanager
def log_of(name: str) -> Iterator[Ask]:
    """Where to ask for the cells of session `name`. NoSuchSession if there is none."""
    try:
        bell = start.ring(name)
    except SessionNotRunning:
        from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, only if the session has ended

        with kept.log_of(name) as ask:
            yield ask
    else:
        with bell:
            yield functools.partial(bell.ask, "log")
