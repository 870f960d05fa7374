"""`holdfast keys [authorize LINE | ls | remove NAME | host]`: your own key, and whose may come in."""

from __future__ import annotations

import getpass
import shlex
import socket
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from holdfast import z85
from holdfast.cli import text
from holdfast.cli.usage import UsageError, complain, tell
from holdfast.errors import KeysError
from holdfast.keys import authorized, kept
from holdfast.keys.authorized import Person

EXAMPLES = (
    ("holdfast keys", "your key, in a line for who is to let you in"),
    ("holdfast keys authorize 'curve:… ana role=run'", "let ana in; - reads the line from a pipe"),
    ("holdfast keys remove ana", "whoever is in with her keys is out within a second"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's own commands."""
    commands = parser.add_subparsers(dest="action", metavar="authorize|ls|remove|host")
    authorize = commands.add_parser("authorize", help="let a key in", allow_abbrev=False)
    authorize.add_argument(
        "line",
        nargs="+",
        help="what `holdfast keys` shows there; role=watch|run|own, from=ADDRESS, until=DATE may follow",
    )
    commands.add_parser("ls", help="list who may come in", allow_abbrev=False)
    remove = commands.add_parser("remove", help="let somebody in no more", allow_abbrev=False)
    remove.add_argument("name", help="as in the list")
    commands.add_parser("host", help="show the key by which others know this host", allow_abbrev=False)


def run(options: Namespace) -> int:
    """Do it."""
    actions = {None: _show, "authorize": _authorize, "ls": _list, "remove": _remove, "host": _host}
    return actions[options.action](options)


def _show(_: Namespace) -> int:
    line = f"{z85.shown(kept.pair_or_new(kept.ID).public)} {getpass.getuser()}@{socket.gethostname()}"
    print(line)
    if sys.stdout.isatty():
        tell(f"to let you in, there: holdfast keys authorize {shlex.quote(f'{line} role=run')}")
    return 0


def _host(_: Namespace) -> int:
    print(z85.shown(kept.pair_or_new(kept.HOST).public))
    return 0


def _authorize(options: Namespace) -> int:
    line = " ".join(options.line).strip()
    if line == "-":
        line = sys.stdin.read(authorized.MAX_LINE + 1).strip()
    try:
        person = authorized.person_of(line)
    except ValueError as error:
        raise UsageError(f"this is no line of a key: {error}", "holdfast keys authorize --help") from error

    def added(before: str) -> str:
        twin = authorized.parse(before).of(person.key)
        if twin is not None:
            raise KeysError(
                f"this key is {twin.name}'s already, in line {twin.line} of {kept.authorized_file()}",
                f"holdfast keys remove {twin.name}, then the same again",
            )
        return before + ("\n" if before and not before.endswith("\n") else "") + f"{line}\n"

    kept.change_authorized(added)
    tell(f"{person.name} may {_ABOUT[person.role]}" + _limits(person))
    return 0


def _list(_: Namespace) -> int:
    found = kept.people()
    now = datetime.now(UTC)
    rows = [
        (person.name, person.role, _limits(person).strip(" ,"), z85.shown(person.key))
        if person.until is None or person.until > now
        else (person.name, "expired", _limits(person).strip(" ,"), z85.shown(person.key))
        for person in found.people
    ]
    if rows:
        print(text.table(rows))
    elif not found.wrong:
        tell("nobody may come in over TCP. to let somebody in: holdfast keys authorize LINE")
    for wrong in found.wrong:
        complain(KeysError(f"{kept.authorized_file()}, line {wrong.line} lets nobody in: {wrong.what}"))
    return 1 if found.wrong else 0


def _remove(options: Namespace) -> int:
    removed = 0

    def without(before: str) -> str:
        nonlocal removed
        rest, removed = authorized.without(before, options.name)
        if not removed:
            raise KeysError(f"no key of {options.name!r} may come in", "holdfast keys ls")
        return rest

    kept.change_authorized(without)
    tell(f"{options.name} may come in no more" + (f" ({removed} keys)" if removed > 1 else ""))
    return 0


_ABOUT = {
    "watch": "watch",
    "run": "watch and run cells",
    "own": "watch, run cells, undo them and stop the session",
}


def _limits(person: Person) -> str:
    """From where, and how long, to stand behind what somebody may."""
    where = ", from " + ", ".join(map(str, person.sources)) if person.sources else ""
    return where + (f", until {person.until:%Y-%m-%d %H:%M} UTC" if person.until else "")
