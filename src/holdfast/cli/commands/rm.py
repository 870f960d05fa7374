"""`holdfast rm NAME…`: delete what sessions that have ended keep. The only command that loses anything."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace

from holdfast import sizes
from holdfast.cli import pick, text
from holdfast.cli.usage import UsageError, as_typed, complain, tell
from holdfast.client import start
from holdfast.errors import HoldfastError, SessionExists

EXAMPLES = (
    ("holdfast rm scratch", "asks before it deletes"),
    ("holdfast rm -y scratch etl", "does not ask"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="+", type=pick.ended, help="sessions that have ended")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(options: Namespace) -> int:
    """Delete them; the status is of the worst."""
    names, status = [], 0
    for name in dict.fromkeys(options.name):
        try:
            _check(name)
            names.append(name)
        except HoldfastError as error:
            status = max(status, complain(error, ["rm", name]))
    if names and not options.yes and not _agreed(names):
        tell("nothing was deleted")
        return 1
    for name in names:
        try:
            start.forget(name)
        except HoldfastError as error:
            status = max(status, complain(error))
        else:
            print(f"{name} is deleted")
    return status


def _check(name: str) -> None:
    """HoldfastError if there is no such session, or somebody runs it."""
    from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, which not even `rm --help` needs

    if not start.exists(name):
        raise start.no_such_session(name)
    holder = kept.holder(name)  # also one that we can't ring at: started with another XDG_RUNTIME_DIR
    if pick.is_running(name) or holder is not None:
        raise SessionExists(f"session {name!r} is running", f"holdfast stop {name}, then the same again")


def _agreed(names: list[str]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("rm asks before it deletes, and nobody can answer", as_typed(["rm", "-y", *names]))
    tell(text.table([_row(name) for name in names]))
    what = "it" if len(names) == 1 else f"these {len(names)}"
    print(
        f"delete {what} for good, with all that was run and printed? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        tell("")  # Ctrl-D leaves the cursor behind the question
    return answer.strip().lower() in ("y", "yes")


def _row(name: str) -> tuple[str, ...]:
    from holdfast.cli.logs import kept  # noqa: PLC0415 - as above

    found = kept.summary(name, glance=True)
    cells, last = found.get("cells"), start.last_use(name)
    return (
        name,
        "?" if cells is None else f"{cells} cell{'' if cells == 1 else 's'}",
        f"used {text.ago(time.time() - last)}" if last else "",
        sizes.short(kept.disk_bytes(name)),
        text.short_folder(found.get("cwd") or ""),
    )
