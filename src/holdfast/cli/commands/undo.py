"""`holdfast undo [NAME] [N | restart | disk [N]]`: as `%undo` in its console, from anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from holdfast.cli import pick
from holdfast.cli.usage import UsageError
from holdfast.client import start
from holdfast.visible import visible

EXAMPLES = (
    ("holdfast undo", "the last cell of the session used last"),
    ("holdfast undo work 3", "the last three cells of `work`"),
    ("holdfast undo work restart", "what a restart has thrown away is back"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", type=pick.running, help="default: the session used last")
    parser.add_argument(
        "what",
        nargs="*",
        metavar="N | restart | disk [N]",
        help="how many cells (1); `restart`: what a restart has thrown away; `disk`: to an older checkpoint",
    )


def run(options: Namespace) -> int:
    """Go back."""
    name, what = pick.named_and_rest(options.name, options.what, _is_what)
    asked = _asked(name, what)
    with start.ring(name) as bell:
        print(visible(bell.ask("undo", **asked)["text"]))
    return 0


def _is_what(word: str) -> bool:
    return word in ("restart", "disk") or word.isdecimal()


def _asked(name: str, what: list[str]) -> dict[str, int | bool]:
    if what == ["restart"]:
        return {"restart": True}
    disk = what[:1] == ["disk"]
    number = what[disk:] or ["1"]
    if len(number) > 1 or not number[0].isdecimal() or not int(number[0]):
        raise UsageError(f"{' '.join(what)!r} is no number of cells", f"holdfast undo {name} 2")
    return {"cells": int(number[0]), "disk": disk}
