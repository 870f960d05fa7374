"""JSON as its text, indented."""

from __future__ import annotations

import json

from holdfast.console import ansi
from holdfast.console.colours import highlighted


def text(value: object) -> str:
    """`value`, which came as JSON."""
    return highlighted(ansi.visible(json.dumps(value, indent=2, ensure_ascii=False))).rstrip("\n")
