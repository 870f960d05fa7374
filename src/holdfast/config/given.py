"""One setting as one place gives it, or what is wrong with it. Pure: who calls has read file or variable."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Literal

import msgspec

from holdfast.config import names
from holdfast.errors import SettingsError

Layer = Literal["user", "project", "variable", "flag"]
LAYERS: tuple[Layer, ...] = ("user", "project", "variable", "flag")
"""A later one has the last word."""


class Given(msgspec.Struct, frozen=True):
    """A value that fits, and where it stands."""

    name: str
    value: Any
    layer: Layer
    place: str
    """For people: file and line, variable, or flag."""

    @property
    def source(self) -> str:
        """The place without its line."""
        path, _, line = self.place.rpartition(":")
        return path if line.isdecimal() else self.place


def read(name: str, value: object, layer: Layer, place: str) -> Given | SettingsError:
    """What a file says of the setting `name`."""
    return _judged(name, (value,), layer, place, strict=True)


def read_text(name: str, text: str, layer: Layer, place: str) -> Given | SettingsError:
    """What a variable or a flag says, which have text only: `3`, `true`, `50%`."""
    try:
        readings: tuple[object, ...] = text, int(text)  # `1_000`, or a number where text would do, too
    except ValueError:
        readings = (text,)
    return _judged(name, readings, layer, place, strict=False)


def unknown(name: str, place: str) -> SettingsError:
    """There is no setting `name`; the nearest one is offered."""
    from holdfast.config import words  # noqa: PLC0415 - only for a mistake

    if name in names.sections():
        return SettingsError(f"{place}: {name} is a table of settings", f"holdfast config {name}")
    near = names.nearest(name)
    meant = f"; did you mean {near}?" if near else ""
    what = f"{place}: no setting {words.plain(name)!r}{meant}"
    table = name.rpartition(".")[0]
    look_at = near or (table if table in names.sections() else "")
    return SettingsError(what, f"holdfast config {look_at}".rstrip())


def _judged(
    name: str, readings: tuple[object, ...], layer: Layer, place: str, *, strict: bool
) -> Given | SettingsError:
    """The first of some readings of one value that fits."""
    setting = names.known().get(name)
    if setting is None:
        return unknown(name, place)
    for value in readings:
        with contextlib.suppress(msgspec.ValidationError, OverflowError, UnicodeEncodeError):
            fits = msgspec.convert(value, setting.type, strict=strict)
            if not isinstance(fits, float) or math.isfinite(fits):
                return Given(name, fits, layer, place)
    from holdfast.config import words  # noqa: PLC0415 - only for a mistake

    value = readings[0]
    what = f"{place}: {setting.name} must be {words.wanted(setting.type)}, not {words.shown(value)}"
    return SettingsError(what, f"holdfast config {setting.name}")
