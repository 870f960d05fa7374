"""What the journal of a session tells that does not run. Imported only when there is one: it needs SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.journal.journal import read_only
from holdfast.journal.lock import SessionLock
from holdfast.journal.records import CellRecord, Records
from holdfast.paths import session_state

OMITTED = "omitted"
"""In place of a message type: `bytes` of output that the journal did not keep."""

CUT_OFF = "cut off"
"""Status of a cell that was running when its session ended."""


def summary(name: str) -> dict[str, Any]:
    """`state`, and if the journal can be read `cells`, `cwd` and `ended` (seconds since the epoch)."""
    try:
        holder = SessionLock.holder(session_state(name) / "lock")
        if holder is not None:
            return {"state": "does not answer", "trouble": f"{holder} runs it and does not answer"}
        with _journal(name) as journal:
            ending, last = journal.ending(), journal.cells(last=1)
            return {
                "state": "not closed properly" if ending.kind == "unclean" else "ended, state kept",
                "cells": last[-1].id if last else 0,
                "cwd": _folder(journal),
                "ended": ending.since,
            }
    except HoldfastError as error:
        return {"state": "can't be read", "trouble": error.what}


def cells(name: str, last: int) -> list[dict[str, Any]]:
    """The newest `last` cells, oldest first, as CellEntry of protocol/operations.py."""
    with _journal(name) as journal:
        return [_entry(journal, cell) for cell in journal.cells(last=last)]


def _entry(journal: Records, cell: CellRecord) -> dict[str, Any]:
    return {
        "id": cell.id,
        "count": cell.count,
        "code": cell.code,
        "client": cell.client,
        "started": cell.started,
        "ended": cell.ended,
        "status": cell.status or (CUT_OFF if cell.started else "waiting"),
        "outputs": _outputs(journal, cell.id),
    }


def _outputs(journal: Records, cell: int) -> list[dict[str, Any]]:
    """What a cell put out, and where some of it was not kept an entry `OMITTED` that says how much."""
    omitted = journal.omitted(cell)
    gap = [{"msg_type": OMITTED, "content": {"bytes": omitted}}] if omitted else []
    found: list[dict[str, Any]] = []
    place = 1
    for output in journal.outputs(cell):
        if output.place > place:
            found, gap = [*found, *gap], []
        place = output.place + 1
        found.append({"msg_type": output.msg_type, "content": json.loads(output.content)})
    return [*found, *gap]


def _folder(journal: Records) -> Any:
    """Where the session was started last."""
    begins = journal.events("begin")
    return begins[-1].details.get("cwd") if begins else None


@contextmanager
def _journal(name: str) -> Iterator[Records]:
    journal = read_only(session_state(name))
    try:
        yield journal
    finally:
        journal.close()
