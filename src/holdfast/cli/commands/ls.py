"""`holdfast ls [--json] [-q]`: all sessions, running and kept."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any

from holdfast import sizes
from holdfast.cli import text
from holdfast.cli.usage import UsageError, tell
from holdfast.client import start
from holdfast.errors import NoAnswer, NoSuchSession, SessionError, SessionNotRunning

ANSWER_SECONDS = 2.0
"""For each supervisor to answer: one that hangs must not hide the others for long."""

HEAD = ("NAME", "STATE", "CELLS", "ATTACHED", "LAST", "MEMORY", "CWD")


EXAMPLES = (
    ("holdfast ls", "what runs, what is kept, what was not closed properly"),
    ("holdfast stop $(holdfast ls -q)", "names for another command"),
)

CRASH_SHOWN = 3600.0
"""Seconds: so long a crash is news to who looks at the list."""

NARROWEST = 12
"""Characters of a folder that are left of it however narrow the terminal is."""


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", metavar="ssh://HOST", help="those of another host")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="all there is to know, as a list of objects")
    how.add_argument("-q", "--quiet", action="store_true", help="names only")


def run(options: Namespace) -> int:
    """List them."""
    if options.name is not None:
        raise UsageError(f"{options.name!r} is one argument too many", "holdfast ls --help")
    names = start.known()
    if options.quiet:
        print("".join(f"{name}\n" for name in names), end="")
        return 0
    found = [describe(name, glance=True) for name in names]
    if options.json:
        print(json.dumps(found, indent=1))
    elif found:
        now = time.time()
        rows = [list(HEAD), *(_row(session, now) for session in found)]
        print(text.table(_fitted(rows) if sys.stdout.isatty() else rows))
    else:
        tell("no sessions. start one: holdfast")
    return 0


def describe(name: str, *, glance: bool = False) -> dict[str, Any]:
    """What is known of session `name`, and the time of its `last` use (seconds since the epoch).

    Info of protocol/operations.py if it runs, else what `kept.summary` has.
    """
    try:
        with start.ring(name) as bell:
            found = bell.ask("info", timeout=ANSWER_SECONDS)
    except (NoSuchSession, SessionNotRunning):
        from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, only if a session has ended

        found = kept.summary(name, glance=glance)
    except (NoAnswer, SessionError) as error:
        found = {"state": "does not answer", "trouble": error.what}
    return {"name": name, **found, "last": start.last_use(name)}


def _fitted(rows: list[list[str]]) -> list[list[str]]:
    """With the folders, which stand last, cut at their beginning where the terminal ends."""
    *columns, _ = zip(*rows, strict=True)
    taken = sum(max(map(len, column)) + len("  ") for column in columns)
    room = max(os.get_terminal_size(sys.stdout.fileno()).columns - taken, NARROWEST)
    return [[*row, last if len(last) <= room else f"…{last[1 - room :]}"] for *row, last in rows]


def _row(session: dict[str, Any], now: float) -> list[str]:
    memory = session.get("memory")
    return [
        session["name"],
        _state(session, now),
        str(session.get("cells", "-")),
        ", ".join(session.get("clients", [])) or "-",
        text.ago(now - session["last"]) if session["last"] else "-",
        sizes.short(memory) if memory else "-",
        text.short_folder(session.get("cwd") or "-"),
    ]


def _state(session: dict[str, Any], now: float) -> str:
    running, crash = session.get("running"), session.get("last_crash")
    if not running and crash and now - crash["at"] < CRASH_SHOWN:
        return f"{session['state']}, crashed {text.ago(now - crash['at'])}"
    if not running:
        return str(session["state"])
    count = f" [{running['count']}]" if running.get("count") else ""
    if session.get("question"):
        return f"waits for an answer{count}"
    return f"running {text.duration(now - running['since'])}{count}"
