"""`holdfast attach [NAME]`: a console on a session, which is started again if it has ended."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli import console, pick
from holdfast.cli.usage import tell
from holdfast.client import start


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", help="default: the session used last")


def run(options: Namespace) -> int:
    """Attach."""
    name = pick.named_or_newest(options.name)
    was_running = pick.is_running(name)
    bell = start.ensure(name)
    if not was_running:
        story = bell.ask("info").get("story")
        tell(f"{name}: {story}" if story else f"{name} is started again")
    return console.open_on(name, bell, created=False)
