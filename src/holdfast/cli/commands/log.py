"""`holdfast log [NAME] [-n N] [-f] [--from WHO] [--export FILE]`: what was run, by whom, and what came."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from holdfast.cli import pick
from holdfast.cli.foreign import Foreign
from holdfast.cli.logs import transcript
from holdfast.cli.logs.cells import Cell, log_of, newest
from holdfast.cli.usage import UsageError, as_typed, has_colours, tell
from holdfast.errors import HoldfastError
from holdfast.likeness import nearest

DEFAULT_CELLS = 20

ALL = "all"
"""In place of a number of cells."""

EXAMPLES = (
    ("holdfast log work -n 3", "the last three cells, with their output"),
    ("holdfast log -f", "as it happens, in the session used last"),
    ("holdfast log work --export work.ipynb", "all of it as a notebook"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", type=pick.session, help="default: the session used last")
    parser.add_argument(
        "-n", type=_count, metavar="N", help=f"so many cells, or `{ALL}` (default {DEFAULT_CELLS})"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument("--from", metavar="WHO", dest="who", help="only what this client ran")
    parser.add_argument("--json", action="store_true", help="as a list of objects; with -f one a line")
    parser.add_argument(
        "--export", metavar="FILE", type=Path, help="write all of it to FILE.ipynb, FILE.py or FILE.md"
    )
    parser.add_argument("--overwrite", action="store_true", help="... also if FILE is there already")


def run(options: Namespace) -> int:
    """Show them, oldest first."""
    name = pick.named_or_newest(options.name)
    if options.export is not None:
        return _export(name, options)
    last = DEFAULT_CELLS if options.n is None else None if options.n == ALL else int(options.n)
    if options.follow:
        from holdfast.cli.logs import follow  # noqa: PLC0415 - ZeroMQ, which nothing else here needs

        return follow.follow(name, last, options.who, as_json=options.json)
    cells = _cells(name, last, options.who)
    if options.json:
        print(json.dumps(cells, indent=1))
        return 0
    if not cells:
        tell(f"nothing was run in {name}")
    colours, shown = has_colours(sys.stdout), Foreign(sys.stdout)
    for cell in cells:
        shown.write(transcript.show(cell, colours=colours))
        shown.settle()
    return 0


def _export(name: str, options: Namespace) -> int:
    from holdfast.cli.logs import export  # noqa: PLC0415 - only if it is asked for

    if options.follow or options.json:
        raise UsageError("--export writes a file: it goes with neither -f nor --json")
    write = export.writer(options.export)
    if os.path.lexists(options.export) and not options.overwrite:
        raise HoldfastError(f"{options.export} is there already", "another name, or --overwrite")
    last = None if options.n in (None, ALL) else int(options.n)
    cells = [cell for cell in _cells(name, last, options.who) if cell["started"]]
    write(name, cells)
    tell(f"wrote {len(cells)} cell{'' if len(cells) == 1 else 's'} of {name} to {options.export}")
    return 0


def _cells(name: str, last: int | None, who: str | None) -> list[Cell]:
    with log_of(name) as ask:
        found = newest(ask, last, who).cells
        if who is not None and not found:
            raise _nobody(name, who, {cell["client"] for cell in newest(ask, None).cells} - {""})
    return found


def _nobody(name: str, who: str, others: set[str]) -> HoldfastError:
    near = nearest(who, others) or next(iter(sorted(others)), None)
    remedy = None if near is None else as_typed(["log", name, "--from", near])
    there = f", only {', '.join(sorted(others))}" if others else ""
    return HoldfastError(f"{who!r} has run nothing in {name}{there}", remedy)


def _count(word: str) -> str:
    if word == ALL or (word.isdecimal() and int(word) > 0):
        return word
    raise ArgumentTypeError(f"{word!r} is not a number of cells")
