"""`holdfast redo NAME [crash]`: as `%redo` in its console, from anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.client import start


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", help="the session")
    parser.add_argument(
        "what", nargs="?", choices=["crash"], help="`crash`: what was given up after crash upon crash"
    )


def run(options: Namespace) -> int:
    """Go to what was left."""
    with start.ring(options.name) as bell:
        print(bell.ask("redo", crash=options.what == "crash")["text"])
    return 0
