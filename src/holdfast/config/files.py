"""A TOML file of settings: read with care, since it may be a stranger's, and told by line. No search here."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.config import given, names
from holdfast.config.given import Given, Layer
from holdfast.errors import SettingsError

MAX_FILE = 1024 * 1024
"""Bytes. The longest pyproject.toml of a large project has a tenth of it."""

MAX_WRONG = 20
"""Mistakes told of, of one file; one that is no settings at all has a mistake on each line."""

MOST_DOTS = 500
"""In a line. The parser takes time by the square of a key's parts, and the file may be a stranger's. A list
of two hundred packages with their versions fits."""

_KEYED = re.compile(r"""\s*+\[?\s*+(?P<keys>[\w"'-]++(?:\s*+\.\s*+[\w"'-]++)*+)\s*+(?P<end>[]=])""")
"""`[table]` or `key = …`, dotted or not."""

_ABSENT = (FileNotFoundError, NotADirectoryError)


class Content(NamedTuple):
    """What is in a file, and whose it is."""

    path: Path
    bytes: bytes
    owner: int


def content(path: Path) -> Content | None:
    """What is in the file `path`; None if there is none. SettingsError if it can't be read."""
    try:
        # Not blocking: a pipe under that name would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a file"
                raise SettingsError(f"{path} is {what}", f"move {path} elsewhere")
            with open(descriptor, "rb", closefd=False) as file:
                found = file.read(MAX_FILE + 1)
        finally:
            os.close(descriptor)
    except _ABSENT:
        return None
    except OSError as error:
        raise SettingsError(f"can't read {path}: {error.strerror}", f"ls -l {path}") from error
    if len(found) > MAX_FILE:
        raise SettingsError(f"{path} is too long for settings", f"ls -l {path}")
    return Content(path, found, status.st_uid)


def table(file: Content, *within: str) -> dict[str, Any] | None:
    """The table `within` of a file, or all of it; None if there is none. SettingsError if it is broken."""
    import tomllib  # noqa: PLC0415 - most starts have no settings file and need no parser

    for number, written in enumerate(file.bytes.split(b"\n"), 1):
        if written.count(b".") > MOST_DOTS:
            raise SettingsError(
                f"{file.path}: line {number} has too many dots", f"mend or remove {file.path}"
            )
    try:
        found: Any = tomllib.loads(file.bytes.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = file.bytes.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{file.path}: line {line} is not UTF-8", f"mend or remove {file.path}"
        ) from error
    except (ValueError, RecursionError) as error:  # what is no TOML, and nesting or digits without end
        raise SettingsError(f"{file.path}: {error}", f"mend or remove {file.path}") from error
    for key in within:
        found = found.get(key) if isinstance(found, dict) else None
    if found is not None and not isinstance(found, dict):
        raise SettingsError(f"{file.path}: {'.'.join(within)} is not a table", f"mend {file.path}")
    return found


def settings_in(
    file: Content, tree: dict[str, Any], layer: Layer, within: tuple[str, ...] = ()
) -> Iterator[Given | SettingsError]:
    """Each setting in `tree`, the table `within` of the file; it ends when too much is wrong."""
    lines = _lines(file.bytes.decode("utf-8-sig"))
    wrong = 0
    for keys, value in _leaves(tree):
        path = (*within, *keys)
        line = next((lines[part] for part in _longest_first(path) if part in lines), None)
        place = f"{file.path}:{line}" if line else f"{file.path}"
        said = given.read(".".join(keys), value, layer, place)
        yield said
        wrong += isinstance(said, SettingsError)
        if wrong >= MAX_WRONG:
            return


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """The tree is two levels deep: settings, and tables of settings."""
    for key, value in tree.items():
        if isinstance(value, dict) and value and key not in names.known():
            yield from (((key, below), each) for below, each in value.items())
        elif value != {} or key not in names.sections():
            yield (key,), value


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key and each table, as far as can be seen without parsing."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if match := _KEYED.match(line):
            keys = tuple(part.strip(" \t\"'") for part in match["keys"].split("."))
            if match["end"] == "]":
                table, keys = keys, ()
            found.setdefault((*table, *keys), number)
    return found


def _longest_first(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The path of a key, then of its tables: in `standby = { keep = 3 }` only the table is to be seen."""
    return (path[:length] for length in range(len(path), 0, -1))
