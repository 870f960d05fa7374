"""`holdfast undo NAME [N | restart]`: as `%undo` in its console, from anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli.usage import UsageError
from holdfast.client import start


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", help="the session")
    parser.add_argument(
        "cells", nargs="?", default="1", help="how many cells (1); `restart`: what a restart has thrown away"
    )


def run(options: Namespace) -> int:
    """Go back."""
    asked = _asked(options.cells)
    with start.ring(options.name) as bell:
        print(bell.ask("undo", **asked)["text"])
    return 0


def _asked(cells: str) -> dict[str, int | bool]:
    if cells == "restart":
        return {"restart": True}
    if not cells.isdecimal() or not int(cells):
        raise UsageError(f"{cells!r} is no number of cells", "holdfast undo NAME 2")
    return {"cells": int(cells)}
