"""`holdfast redo [NAME] [crash]`: as `%redo` in its console, from anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli import pick
from holdfast.cli.usage import UsageError
from holdfast.client import start
from holdfast.visible import visible

CRASH = "crash"

EXAMPLES = (
    ("holdfast redo work", "undoes the last undo"),
    ("holdfast redo work crash", "to what was given up after one crash upon the other"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", type=pick.running, help="default: the session used last")
    parser.add_argument("what", nargs="*", metavar=CRASH, help="to what was given up after crash upon crash")


def run(options: Namespace) -> int:
    """Go to what was left."""
    name, what = pick.named_and_rest(options.name, options.what, CRASH.__eq__)
    if what not in ([], [CRASH]):
        raise UsageError(f"{' '.join(what)!r} is not {CRASH}", f"holdfast redo {name}")
    with start.ring(name) as bell:
        print(visible(bell.ask("redo", crash=bool(what))["text"]))
    return 0
