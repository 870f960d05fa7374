"""`holdfast stop NAME… | --all`: end processes, keep the state."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli import pick
from holdfast.cli.usage import UsageError, complain, tell
from holdfast.client import start
from holdfast.errors import HoldfastError, SessionNotRunning

EXAMPLES = (
    ("holdfast stop work", "`holdfast attach work` brings it back"),
    ("holdfast stop --all", "before the machine goes down, say"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="*", type=pick.running, help="sessions to end")
    parser.add_argument("--all", action="store_true", help="end all that run")


def run(options: Namespace) -> int:
    """Stop them all; the status is of the worst."""
    if bool(options.name) == options.all:
        raise UsageError("stop needs names of sessions, or --all", "holdfast ls")
    names = [name for name in start.known() if pick.is_running(name)] if options.all else options.name
    if not names:
        tell("no session is running")
    return max(map(_stop, names), default=0)


def _stop(name: str) -> int:
    try:
        with start.ring(name) as bell:
            start.stop(name, bell)
    except SessionNotRunning:
        print(f"{name} had ended already. bring back: holdfast attach {name}")
    except HoldfastError as error:
        return complain(error, ["stop", name])
    else:
        from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, when there is nothing else to do

        if trouble := kept.not_written(name):
            return complain(trouble)
        print(f"{name} ended; its state is kept. bring back: holdfast attach {name}")
    return 0
