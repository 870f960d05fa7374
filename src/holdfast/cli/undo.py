"""`holdfast undo NAME [N | restart | disk [N]]`: as `%undo` in its console, from anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli.usage import UsageError
from holdfast.client import start


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", help="the session")
    parser.add_argument(
        "what",
        nargs="*",
        metavar="N | restart | disk [N]",
        help="how many cells (1); `restart`: what a restart has thrown away; `disk`: to an older checkpoint",
    )


def run(options: Namespace) -> int:
    """Go back."""
    asked = _asked(options.what)
    with start.ring(options.name) as bell:
        print(bell.ask("undo", **asked)["text"])
    return 0


def _asked(what: list[str]) -> dict[str, int | bool]:
    if what == ["restart"]:
        return {"restart": True}
    disk = what[:1] == ["disk"]
    number = what[disk:] or ["1"]
    if len(number) > 1 or not number[0].isdecimal() or not int(number[0]):
        raise UsageError(f"{' '.join(what)!r} is no number of cells", "holdfast undo NAME 2")
    return {"cells": int(number[0]), "disk": disk}
