"""`holdfast interrupt [NAME] [--force]`: as Ctrl-C in its console, from anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli import pick
from holdfast.cli.usage import tell
from holdfast.client import start

FORCE_SECONDS = 60.0
"""For killing a worker and bringing back the state of before the cell."""


EXAMPLES = (
    ("holdfast interrupt work", "as Ctrl-C"),
    ("holdfast interrupt work --force", "when nothing else stops it; the state before the cell is back"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", type=pick.running, help="default: the session used last")
    parser.add_argument(
        "--force", action="store_true", help="stop the Python process, and restore the state before the cell"
    )


def run(options: Namespace) -> int:
    """Interrupt what runs."""
    name = pick.named_or_newest(options.name)
    with start.ring(name) as bell:
        if not options.force and bell.ask("info")["state"] != "busy":
            tell(f"{name} runs nothing")
            return 0
        bell.ask("interrupt", force=options.force, timeout=FORCE_SECONDS)
    print(f"{name} interrupted")
    return 0
