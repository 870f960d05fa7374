"""`holdfast run`: a program in a session that lives, or a file of cells in a session of its own.

    holdfast run [-s NAME] FILE [ARGUMENT…] | -c CODE | -m MODULE | -    in the session's namespace
    holdfast run [-s NAME] NOTEBOOK.ipynb | CELLS.py                     cell by cell: `cellruns/`

Which of the two a file is: `is_cell_file`. This module knows the options of both.
"""

from __future__ import annotations

import argparse
import re
from argparse import ArgumentParser, Namespace

from holdfast.cli import pick
from holdfast.cli.usage import UsageError

_CELL = re.compile(rb"^#[ \t]*%%+(?:\s|\Z)", re.MULTILINE)
"""As `cellfiles/percent.py` has it, which is not loaded for each program; a comment `# %%time` is none."""

_FLAGS = {"parameters": "-p", "parameters_file": "-f"}

_KINDS = """
A file with cells (a notebook, or a .py with lines `# %%`) runs cell by cell, in a session named after it.
Any other program runs in the namespace of a session that lives; on its own it runs by `holdfast FILE`.
"""

EXAMPLES = (
    ("holdfast run -s work clean.py --dry", "a program, in the session work"),
    ("holdfast run -c 'df.describe()'", "code, in the session used last; its result is shown"),
    ("holdfast run --timeout 60 --json -m mymodule", "for programs: one object, at most a minute"),
    ("holdfast run analysis.py", "its cells, in the session analysis"),
    ("holdfast run --resume analysis.py", "from the first cell that is new or changed"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options. What follows the program belongs to the program."""
    parser.description = f"{parser.description}\n{_KINDS}"
    parser.add_argument("file", nargs="?", metavar="FILE", help="a program, or a file of cells; - is stdin")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="its arguments")
    for flag, what in (("-c", "CODE"), ("-m", "MODULE")):
        parser.add_argument(
            flag, nargs=argparse.REMAINDER, metavar=what, dest=what.lower(), help="as python's"
        )
    _common(parser)
    _for_cells(parser)


def run(options: Namespace) -> int:
    """Run it."""
    if options.code is None and options.module is None and options.file is None:
        raise UsageError("run needs a program", "holdfast run FILE.py   (or -c CODE, -m MODULE, -)")
    if options.file is not None and options.code is None and options.module is None:
        from holdfast.cli.programs.program import check_readable  # noqa: PLC0415 - heavy

        check_readable(options.file)
        if is_cell_file(options.file):
            return _cells(options)
    for flag in ("resume", "fresh", "output", "parameters", "parameters_file"):
        if getattr(options, flag):
            what = options.file or "code"
            raise UsageError(
                f"{_FLAGS.get(flag, f'--{flag}')} is for files of cells, and {what} is none",
                "a line `# %%` above each cell makes a .py file one",
            )
    from holdfast.cli.programs import inside  # noqa: PLC0415 - heavy

    return inside.run(options)


def is_cell_file(path: str) -> bool:
    """Whether a file is one of cells: a notebook, or Python with a line `# %%`."""
    if path.endswith(".ipynb"):
        return True
    if not path.endswith(".py"):
        return False
    with open(path, "rb") as file:
        return _CELL.search(file.read()) is not None


def _cells(options: Namespace) -> int:
    """A file of cells takes no arguments: what follows it are options, too."""
    if options.arguments:
        from holdfast.cli.parser import Parser  # noqa: PLC0415 - it knows all commands

        more = Parser(prog="holdfast run", add_help=False)
        _common(more)
        _for_cells(more)
        _, unknown = more.parse_known_args(options.arguments, options)
        if unknown:
            raise UsageError(
                f"{unknown[0]!r}: a file of cells takes parameters, not arguments",
                f"holdfast run -p NAME VALUE {options.file}",
            )
        options.arguments = []
    if options.resume and options.fresh:  # one before the file, one behind it
        raise UsageError("--fresh: not allowed with argument --resume", "holdfast run --help")
    from holdfast.cli.cellruns import run as cellrun  # noqa: PLC0415 - heavy

    return cellrun.run(options)


def _common(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-s",
        "--session",
        metavar="NAME",
        type=pick.session,
        help="default: the session used last; of cells: named as the file",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help="interrupt it after S seconds, and exit with 124; of cells: each",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="with --timeout: if no interrupt ends it, stop the interpreter; the state before is back",
    )
    parser.add_argument("--json", action="store_true", help="what became of it, as one object")


def _for_cells(parser: ArgumentParser) -> None:
    cells = parser.add_argument_group("for a file of cells")
    which = cells.add_mutually_exclusive_group()
    which.add_argument("--resume", action="store_true", help="go on from the first cell that has not run")
    which.add_argument("--fresh", action="store_true", help="begin with an empty namespace")
    cells.add_argument("--output", metavar="FILE", help="write the notebook with its outputs there")
    cells.add_argument(
        "-p",
        "--parameter",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter; may be given more than once",
    )
    cells.add_argument("-f", "--parameters-file", metavar="FILE", help="parameters from a file")


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds")
    return seconds
