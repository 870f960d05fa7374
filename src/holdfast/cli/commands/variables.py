"""`holdfast variables [NAME] [--json]`: what is in a session's namespace, also while a cell runs."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from holdfast.cli import pick, text
from holdfast.client import start

ANSWER_SECONDS = 30.0
"""The session looks twice before it gives up, and has bounds of its own (settings, `meanwhile`)."""


EXAMPLES = (("holdfast variables work --json", "for a program: names, types, shapes, sizes, reprs"),)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", type=pick.session, help="default: the session used last")
    parser.add_argument("--json", action="store_true", help="as one object")


def run(options: Namespace) -> int:
    """List them."""
    with start.ring(pick.named_or_newest(options.name)) as bell:
        found = bell.ask("variables", timeout=ANSWER_SECONDS)
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    print(_place(found))
    if found["variables"]:
        table = text.table([_row(each) for each in found["variables"]])
        print(text.cut(table, os.get_terminal_size().columns) if sys.stdout.isatty() else table)
    if found["more"]:
        print(f"and {found['more']} more")
    return 0


def _place(found: dict[str, Any]) -> str:
    """As of when."""
    state = f"as of In[{found['as_of']}]" if found["as_of"] is not None else "as of the start"
    running = f"; In[{found['running']}] runs" if found["running"] is not None else ""
    what = "variables" if found["variables"] else "no variables"
    return f"{what} {state}{running}"


def _row(variable: dict[str, Any]) -> tuple[str, str, str, str]:
    shape, size = variable["shape"], variable["size"]
    extent = " x ".join(map(str, shape)) if shape else str(size) if size is not None else ""
    name, kind, words = (text.plain(variable[each]) for each in ("name", "type", "text"))
    return name, kind, extent, words
