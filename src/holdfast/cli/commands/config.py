"""`holdfast config [NAME]`: every setting, its value, where that comes from, and what it is for."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from argparse import ArgumentParser, Namespace
from typing import Any

from holdfast.cli import pick, setting, text
from holdfast.cli.usage import UsageError, complain, tell
from holdfast.client import start
from holdfast.config import inforce, layers, names, project, words
from holdfast.config.given import Given
from holdfast.config.layers import Found
from holdfast.config.places import FILE, PYPROJECT, user_file
from holdfast.errors import SessionNotRunning, SettingsError
from holdfast.likeness import nearest

HEAD = ("NAME", "VALUE", "FROM", "WHAT FOR")
DEFAULT = "default"


EXAMPLES = (
    ("holdfast config standby", "a group of them"),
    ("holdfast config standby.keep", "all there is to say of one"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "name", nargs="?", type=setting.named, help="one setting, or a group of them (default: all)"
    )
    parser.add_argument("--changed", action="store_true", help="only those that are not at their default")
    parser.add_argument(
        "--session", metavar="NAME", type=pick.running, help="what a running session was started with"
    )
    parser.add_argument("--json", action="store_true", help="as a list of objects")
    parser.add_argument("--path", action="store_true", help="print the path of your own file alone")
    setting.add_to(parser)


def run(options: Namespace) -> int:
    """Tell. The status is 1 if anything is wrong in the settings of this folder."""
    if options.path:
        print(user_file())
        return 0
    chosen = _chosen(options.name)
    found = _in_force(options.session) if options.session else layers.look(None, start.given)
    status = max(map(complain, found.problems), default=0)
    told = [_told(each, found) for each in chosen]
    if options.changed:
        told = [each for each in told if each["from"] != DEFAULT]
    if options.json:
        print(json.dumps(told, indent=1))
    elif not told:
        tell("all at their defaults")
    elif options.name in names.known():
        print("\n".join(_whole(told[0], found)))
    else:
        print(text.table([HEAD, *map(_row, told)]) if not sys.stdout.isatty() else _fitting(told))
        _tell_files(found)
    return status


def _chosen(name: str | None) -> list[names.Setting]:
    known = names.known()
    if name is None:
        return list(known.values())
    if name in known:
        return [known[name]]
    below = [each for each in known.values() if each.name.startswith(f"{name}.")]
    if below:
        return below
    group = None if "." in name else nearest(name, names.sections())
    near = group or names.nearest(name)
    raise UsageError(f"no setting {name!r}", f"holdfast config {near or ''}".rstrip())


def _in_force(session: str) -> Found:
    if not start.exists(session):
        raise start.no_such_session(session)
    if not pick.is_running(session):
        raise SessionNotRunning(f"session {session!r} is not running", f"holdfast attach {session}")
    found = inforce.kept(session)
    if found is None:
        raise SettingsError(f"what {session!r} was started with is not known", f"holdfast info {session}")
    return found


def _told(each: names.Setting, found: Found) -> dict[str, Any]:
    given = _all_given(each.name, found)
    return {
        "name": each.name,
        "value": given[-1].value if given else each.default,
        "from": given[-1].layer if given else DEFAULT,
        "place": given[-1].place if given else None,
        "default": each.default,
        "variable": each.variable,
        "type": words.wanted(each.type),
        "project": project.may_set(each.name),
        "for": words.purposes().get(each.name, ""),
    }


def _all_given(name: str, found: Found) -> list[Given]:
    return [each for each in found.given if each.name == name]


def _row(told: dict[str, Any]) -> tuple[str, str, str, str]:
    return told["name"], words.shown(told["value"]), _origin(told), words.first_sentence(told["for"])


def _origin(told: dict[str, Any]) -> str:
    """In a word: the files' whole paths are told below the table."""
    origin: str = told["from"]
    if origin == "flag":
        return setting.FLAG
    return origin if origin == DEFAULT else os.path.basename(told["place"])


def _fitting(told: list[dict[str, Any]]) -> str:
    """The table, cut at the terminal's edge: one line each."""
    columns = shutil.get_terminal_size().columns
    return text.cut(text.table([HEAD, *map(_row, told)]), columns)


def _whole(told: dict[str, Any], found: Found) -> list[str]:
    """All there is to say of one setting."""
    name, given = told["name"], _all_given(told["name"], found)
    lines = [f"{name} = {words.shown(told['value'])}", ""]
    lines += [*textwrap.wrap(told["for"], width=min(shutil.get_terminal_size().columns, 100)), ""]
    places = [(f"{words.shown(each.value)}", text.short_folder(each.place)) for each in reversed(given)]
    rows = [
        ("value", f"{told['type']}"),
        *(
            ("from" if not number else "over", f"{value}, {place}")
            for number, (value, place) in enumerate([*places, (words.shown(told["default"]), DEFAULT)])
        ),
    ]
    section, _, key = name.rpartition(".")
    line = f"{key} = …" if not section else f"[{section}] {key} = …"
    rows.append(("set it in", f"{text.short_folder(str(user_file()))}: {line}"))
    if told["project"]:
        rows.append(("", f"{FILE}, or [tool.holdfast.{section}] in {PYPROJECT}"))
    rows += [("", f"{told['variable']}=…"), ("", f"holdfast {setting.FLAG} {name}=…")]
    return [*lines, text.table(rows)]


def _tell_files(found: Found) -> None:
    """Where one would look next, apart from the table."""
    mine = user_file()
    tell(f"your file: {text.short_folder(str(mine))}{'' if mine.exists() else ' (none yet)'}")
    if found.project is not None:
        tell(f"the project's file: {text.short_folder(str(found.project))}")
    for path in found.passed_by:
        tell(f"not read, it belongs to another user: {text.short_folder(str(path))}")
