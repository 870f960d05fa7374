"""Every setting by its name, `standby.keep`, and by its variable, HOLDFAST_STANDBY_KEEP. Pure."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import msgspec

from holdfast import likeness
from holdfast.config.places import PREFIX
from holdfast.settings import Settings


class Setting(NamedTuple):
    """One of them."""

    name: str
    type: Any
    default: Any

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it."""
        return PREFIX + self.name.replace(".", "_").upper()


@functools.cache
def known() -> dict[str, Setting]:
    """All of them by name, in the order of the tree."""
    found = []
    for field in msgspec.structs.fields(Settings):
        if _is_section(field.type):
            found += [
                Setting(f"{field.name}.{each.name}", each.type, each.default)
                for each in msgspec.structs.fields(field.type)
            ]
        else:
            found.append(Setting(field.name, field.type, field.default))
    return {setting.name: setting for setting in found}


@functools.cache
def sections() -> tuple[str, ...]:
    """Names of the tables that hold them."""
    return tuple(field.name for field in msgspec.structs.fields(Settings) if _is_section(field.type))


@functools.cache
def by_variable() -> dict[str, Setting]:
    """All of them by the name of their variable."""
    return {setting.variable: setting for setting in known().values()}


def nearest(wrong: str) -> str | None:
    """Which setting was meant by a wrong name; None if that can't be guessed."""
    word = wrong.replace("-", "_").lower()
    table, _, last = word.rpartition(".")
    same = [name for name in known() if name.rpartition(".")[2] == last]
    if len(same) == 1:  # the right one in the wrong table, or in none
        return same[0]
    if table not in sections():
        return likeness.nearest(word, known())
    own = {name.rpartition(".")[2]: name for name in known() if name.startswith(f"{table}.")}
    near = likeness.nearest(last, own)
    return own[near] if near else None


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
