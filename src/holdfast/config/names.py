"""Every setting by its name, `standby.keep`, and by its variable, HOLDFAST_STANDBY_KEEP. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from holdfast.settings import Settings

PREFIX = "HOLDFAST_"

LIKENESS = 0.6
"""Of two names, as difflib measures it: one of them may be a slip of a finger for the other."""


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
def settings() -> dict[str, Setting]:
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
    return {setting.variable: setting for setting in settings().values()}


def nearest(wrong: str, names: Iterable[str] | None = None, likeness: float = LIKENESS) -> str | None:
    """Which name (of all settings) was meant by a wrong one; None if that can't be guessed."""
    import difflib  # noqa: PLC0415 - only for a mistake

    known = list(settings() if names is None else names)
    word = wrong.replace("-", "_")
    last = [name for name in known if name.rpartition(".")[2] == word.rpartition(".")[2]]
    if len(last) == 1 and names is None:  # the right name in the wrong table, or in none
        return last[0]
    same_case = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), same_case, n=1, cutoff=likeness)
    return same_case[near[0]] if near else None


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
