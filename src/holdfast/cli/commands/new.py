"""`holdfast new [NAME] [-d] [--cwd DIR]`: start a session by name."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from holdfast.cli import console, listen, setting
from holdfast.cli.usage import UsageError
from holdfast.client import start

EXAMPLES = (
    ("holdfast new work", "a console on a session that goes on when you leave"),
    ("holdfast new work -d --cwd ~/etl", "only the session, from a script"),
    ("holdfast new work --listen tcp://10.0.0.3", "others join it with their keys (holdfast keys)"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", help="its name (default: after the folder)")
    parser.add_argument("-d", "--detached", action="store_true", help="no console; print the name alone")
    parser.add_argument("--cwd", metavar="DIR", default=".", help="where its Python starts (default: here)")
    listen.add_to(parser)
    setting.add_to(parser)


def run(options: Namespace) -> int:
    """Start it."""
    folder = os.path.abspath(options.cwd)
    listen.take(options)
    if not os.path.isdir(folder):
        raise UsageError(f"{options.cwd} is not a folder")
    if not options.detached:
        console.check_terminal("holdfast new -d" + (f" {options.name}" if options.name else ""))
        console.load()
    if options.name is None:
        name, bell = console.start_new(folder)
    else:
        name, bell = options.name, start.create(options.name, cwd=folder)
    listen.tell_how(options, name, bell)
    if not options.detached:
        return console.open_on(name, bell, created=True)
    bell.close()
    print(name)
    return 0
