"""`holdfast log [NAME] [-n N]`: what was run, by whom, and what came of it."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

from holdfast.cli import pick, text
from holdfast.cli.usage import tell
from holdfast.client import start
from holdfast.errors import SessionNotRunning

DEFAULT_CELLS = 20

NOTES = {
    "aborted": "not run: a cell before it failed",
    "crashed": "the Python process died in it",
    "interrupted": "interrupted",
    "running": "running",
    "waiting": "waiting",
    "cut off": "the session ended in it",
}
"""What is said of a cell that came to no end of its own."""


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", help="default: the session used last")
    parser.add_argument("-n", type=_count, default=DEFAULT_CELLS, help="so many cells (%(default)s)")


def run(options: Namespace) -> int:
    """Show them, oldest first."""
    name = pick.named_or_newest(options.name)
    try:
        with start.ring(name) as bell:
            cells = bell.ask("log", last=options.n)["cells"]
    except SessionNotRunning:
        from holdfast.cli import kept  # noqa: PLC0415 - SQLite, only if the session has ended

        cells = kept.cells(name, options.n)
    if not cells:
        tell(f"nothing was run in {name}")
    colour = sys.stdout.isatty()
    for cell in cells:
        shown = show(cell)
        print(shown if colour else text.plain(shown))
    return 0


def show(cell: dict[str, Any]) -> str:
    """One cell (CellEntry of protocol/operations.py) as lines: a head, the code, what came, a note."""
    lines = [_head(cell), *_prompted(cell)]
    lines += [found for output in cell["outputs"] if (found := _output(output).rstrip("\n"))]
    if cell["status"] in NOTES:
        lines.append(f"({NOTES[cell['status']]})")
    return "\n".join([*lines, ""])


def _head(cell: dict[str, Any]) -> str:
    started, ended = cell.get("started"), cell.get("ended")
    words = [cell.get("client") or "somebody"]
    if started:
        words.append(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started)))
    if started and ended:
        words.append(f"{ended - started:.1f} s")
    return f"# {', '.join(words)}"


def _prompted(cell: dict[str, Any]) -> list[str]:
    prompt = f"In [{cell['count'] if cell.get('count') is not None else ' '}]: "
    first, *more = cell["code"].split("\n")
    return [prompt + first, *("...: ".rjust(len(prompt)) + line for line in more)]


def _output(output: dict[str, Any]) -> str:
    """The text of one message of iopub; of what has none, which kinds of data it had."""
    kind, content = output["msg_type"], output["content"]
    if kind == "stream":
        return str(content.get("text", ""))
    if kind == "error":
        return "\n".join(content.get("traceback") or [f"{content.get('ename')}: {content.get('evalue')}"])
    if kind in ("execute_result", "display_data", "update_display_data"):
        data = content.get("data", {})
        prefix = f"Out[{content['execution_count']}]: " if kind == "execute_result" else ""
        return prefix + str(data.get("text/plain", f"<{', '.join(data)}>"))
    if kind == "omitted":
        return f"({text.size(content['bytes'])} of output were not kept)"
    return ""


def _count(word: str) -> int:
    if word.isdecimal() and int(word) > 0:
        return int(word)
    raise ArgumentTypeError(f"{word!r} is not a number of cells")
