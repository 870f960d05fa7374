"""What the journal of a session tells that does not run. Imported only when there is one: it needs SQLite."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from holdfast.cli.logs import Ask
from holdfast.cli.logs.transcript import OMITTED
from holdfast.client import start
from holdfast.errors import HoldfastError
from holdfast.journal.journal import read_only
from holdfast.journal.lock import SessionLock
from holdfast.journal.records import CellRecord, Records
from holdfast.paths import session_state

UNCLEAN = "not closed properly"
"""State of a session that nobody runs and nobody has ended."""

_BARRIERS = frozenset({"begin", "restart", "reset", "fresh"})
"""Events before which no write was this run's, or none counts any more."""

CUT_OFF = "cut off"
"""Status of a cell that was running when its session ended."""


def summary(name: str, *, glance: bool = False) -> dict[str, Any]:
    """`state`, and if the journal can be read `cells`, `cwd` and `ended` (seconds since the epoch).

    `glance`: of one among many; that all of its journal can be read is not looked at.
    """
    try:
        if found := holder(name):
            return {"state": "does not answer", "trouble": f"{found} runs it and does not answer"}
        with _journal(name, glance=glance) as journal:
            ending, last = journal.ending(), journal.cells(last=1)
            return {
                "state": UNCLEAN if ending.kind == "unclean" else "ended, state kept",
                "cells": last[-1].id if last else 0,
                "cwd": _folder(journal),
                "ended": ending.since,
            }
    except HoldfastError as error:
        return {"state": "can't be read", "trouble": error.what}


def not_written(name: str) -> HoldfastError | None:
    """What of a session's state its end could not write, the disk being full, say; None if all is there."""
    try:
        with _journal(name) as journal:
            clean, why, older = journal.ending().kind != "unclean", *_last_checkpoint(journal)
    except HoldfastError as error:
        return HoldfastError(f"{name} ended, and its journal can't be read: {error.what}", error.remedy)
    if why is not None:
        left = f"those as of {older} are kept" if older else "its log is kept"
        what = f"{name} ended, and its variables could not be written ({why.partition('; ')[0]}); {left}"
    elif not clean:
        what = f"{name} ended, but that could not be written: the last variables and cells may be missing"
    else:
        return None
    return HoldfastError(what, f"df -h {session_state(name)}   (make room, then: holdfast attach {name})")


def ended_by(name: str) -> str:
    """What has ended a session; "" if that is not known."""
    with suppress(HoldfastError), _journal(name) as journal:
        for event in reversed(journal.events()):
            if event.kind == "end":
                return str(event.details.get("reason"))
    return ""


def _last_checkpoint(journal: Records) -> tuple[str | None, str]:
    """Why the last one could not be written, None if it could; and as of when there is an older one."""
    why = None
    for event in reversed(journal.events()):
        if event.kind == "no_checkpoint" and why is None:
            why = str(event.details.get("why"))
        elif event.kind == "checkpoint":
            made = event.details.get("checkpoint")
            count = made.get("count") if isinstance(made, dict) else None
            return why, f"In[{count}]" if count else "its start"
        elif event.kind in _BARRIERS:
            break
    return why, ""


def holder(name: str) -> str | None:
    """Who runs the session, as it has written itself down; None if nobody does."""
    found = SessionLock.holder(session_state(name) / "lock")
    return None if found is None else str(found)


def await_end(name: str) -> None:
    """Wait until the supervisor that has hung up is gone, and its journal closed; not for ever."""
    found = SessionLock.holder(session_state(name) / "lock")
    if found is None or found.pid is None:
        return
    with suppress(ProcessLookupError):
        process = os.pidfd_open(found.pid)
        try:
            poll = select.poll()
            poll.register(process, select.POLLIN)
            poll.poll(start.STOP_SECONDS * 1e3)
        finally:
            os.close(process)


def disk_bytes(name: str) -> int:
    """What the session takes on disk: journal and checkpoints."""
    total = 0
    for folder, _, files in os.walk(session_state(name)):
        for file in files:
            with suppress(FileNotFoundError):  # it is running, and has replaced a checkpoint
                total += os.lstat(os.path.join(folder, file)).st_size
    return total


@contextmanager
def log_of(name: str) -> Iterator[Ask]:
    """Where to ask for cells, as of a session that runs."""
    with _journal(name) as journal:

        def ask(last: int, after: int = 0, before: int | None = None) -> dict[str, Any]:
            return {"cells": [_entry(journal, cell) for cell in journal.cells(last, after, before)]}

        yield ask


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
def _journal(name: str, *, glance: bool = False) -> Iterator[Records]:
    journal = read_only(session_state(name), glance=glance)
    try:
        yield journal
    finally:
        journal.close()
