"""Settings in the environment, HOLDFAST_STANDBY_KEEP=3, and on the command line, --set standby.keep=3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from holdfast import likeness
from holdfast.config import given, names
from holdfast.config.given import Given
from holdfast.config.places import NO_SETTINGS, PREFIX
from holdfast.errors import SettingsError

FLAG = "--set"

SHORT = {"HOLDFAST_ON_CRASH": "standby.on_crash"}
"""Another name of a setting's variable, which has the last word of the two."""

MEANT = 0.85
"""So much like the variable of a setting that it is one with a slip of a finger; else it is of others."""


def in_environment(environment: Mapping[str, str]) -> Iterator[Given | SettingsError]:
    """Each setting in the variables; an empty one gives nothing."""
    ours = [name for name in environment if name.startswith(PREFIX) and environment[name]]
    for variable in sorted(set(ours) - NO_SETTINGS, key=lambda name: (name in SHORT, name)):
        setting = names.by_variable().get(variable)
        name = SHORT.get(variable) or (setting and setting.name)
        if name:
            yield given.read_text(name, environment[variable], "variable", variable)
        else:
            yield from _slip(variable)


def in_flags(flags: Iterable[str]) -> Iterator[Given | SettingsError]:
    """Each setting in what stood behind `--set`, of which later ones count."""
    for flag in flags:
        name, equals, text = flag.partition("=")
        place = f"{FLAG} {flag}"
        if equals:
            yield given.read_text(name.strip(), text.strip(), "flag", place)
        else:
            yield SettingsError(f"{place}: there is no '=' in it", f"{FLAG} standby.keep=3")


def _slip(variable: str) -> Iterator[SettingsError]:
    """What is wrong if a setting's is meant: it may be that of a program we know nothing of."""
    of_a_section = any(variable.startswith(f"{PREFIX}{each.upper()}_") for each in names.sections())
    near = likeness.nearest(variable, names.by_variable(), likeness.LIKENESS if of_a_section else MEANT)
    if near or of_a_section:
        meant = f"; did you mean {near}?" if near else ""
        yield SettingsError(f"{variable} sets nothing{meant}", f"unset {variable}   (or: holdfast config)")
