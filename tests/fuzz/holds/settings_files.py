"""Files of settings, the user's and a project's, which may come from a stranger; variables and flags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fuzz.holds.parts import home, is_told_well, joined, parts_of
from holdfast import paths
from holdfast.config import files, inforce, layers, names, project, variables
from holdfast.config.given import Given
from holdfast.errors import SettingsError
from holdfast.paths import private_folder
from holdfast.settings import Settings

PLACE = "settings.toml"

_LEFT = b"[{"
"""How a list begins that a supervisor has left for the next; no TOML begins so."""


def holds(data: bytes) -> None:
    if data.startswith(_LEFT):
        left_by_another(data)
        return
    toml, *words = parts_of(data)
    a_file(toml)
    for word in words:
        a_flag(word.decode(errors="surrogateescape"))


def seeds() -> Iterator[bytes]:
    yield b"[standby]\nkeep = 3\nbudget = '30%'\n[life]\nstop_seconds = 4.5\n"
    yield b"standby.keep = 1_000\ndurability = 'power'\ncheckpoint = { enabled = false }\nnonsense = 1\n"
    yield b"[tool.holdfast]\n[standby]\nkep = 1\nkeep = -1\n"
    given = [Given("standby.keep", 3, "user", f"{PLACE}:2"), Given("durability", "power", "flag", "--set")]
    yield msgspec.json.encode(given)
    yield joined(b"", b"standby.keep=3", b"standby.budget=50%", b"nonsense", b"life.stop_seconds=inf")
    for name, setting in names.known().items():
        value = msgspec.json.encode(setting.default).decode()
        yield joined(f"{name} = {value}".encode(), f"{name}={value}".encode())


def a_file(content: bytes) -> None:
    """Each mistake is told with its place; what is right counts, and nothing fails."""
    file = files.Content(Path(PLACE), content, 0)
    try:
        tree = files.table(file)
    except SettingsError as error:
        _told(error)
        return
    said = list(files.settings_in(file, tree or {}, "user"))
    found = layers.Found(said)
    assert isinstance(found.tree(), Settings)
    for each in said:
        if isinstance(each, Given):
            assert each.source == PLACE
            _allowed(each)
        else:
            _told(each)
    assert sum(isinstance(each, SettingsError) for each in said) <= files.MAX_WRONG


def left_by_another(content: bytes) -> None:
    """What a supervisor has left for the next one counts as far as it is right."""
    with home():
        path = paths.session_settings("work")
        private_folder(path.parent)
        path.write_bytes(content)
        path.chmod(0o600)
        found = inforce.kept("work")
    assert found is None or isinstance(found.tree(), Settings)


def a_flag(text: str) -> None:
    """A flag, and a variable with the same in it, give a setting or tell what is wrong."""
    name, _, value = text.partition("=")
    environment = {f"HOLDFAST_{name.replace('.', '_').upper()}": value}
    said = [*variables.in_flags([text]), *variables.in_environment(environment)]
    assert isinstance(layers.Found(said).tree(), Settings)
    assert all(each.remedy for each in said if isinstance(each, SettingsError))


def _allowed(given: Given) -> None:
    """What is read is what a session's supervisor reads again; a project may set what is said so, no more."""
    again = msgspec.json.decode(msgspec.json.encode([given]), type=list[Given])
    assert [each.value for each in again] == [given.value]
    assert project.may_set(given.name) in (True, False)


def _told(error: SettingsError) -> None:
    assert all(map(is_told_well, error.what.split("\n"))), error.what
    assert error.remedy
    assert is_told_well(error.remedy), error.remedy
