"""What a client says of its terminal with a cell: how wide it is, and which colours it has.

It travels in the metadata of the `execute_request`, under `holdfast`; other kernels pass over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

Colours = Literal["none", "16", "256", "truecolor"]

Extent = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""In characters. More than any screen has, and no number that a library would stumble over."""


class Terminal(msgspec.Struct, frozen=True):
    """The terminal on which a cell's output will be read."""

    columns: Extent
    lines: Extent
    colours: Colours = "16"


def metadata(terminal: Terminal) -> dict[str, Any]:
    """The metadata of a request whose output goes to `terminal`."""
    return {"holdfast": {"terminal": msgspec.to_builtins(terminal)}}


def told_in(metadata: Mapping[str, Any]) -> Terminal | None:
    """The terminal that a request's metadata tell of; None if they tell of none, or nonsense."""
    ours = metadata.get("holdfast")
    if not isinstance(ours, Mapping) or "terminal" not in ours:
        return None
    try:
        return msgspec.convert(ours["terminal"], Terminal)
    except msgspec.ValidationError:
        return None
