"""JSON as its text, indented."""

from __future__ import annotations

import json

from holdfast.console import ansi
from holdfast.console.colours import highlighted


def text(value: object) -> str:
    """`value`, which came as JSON."""
    text = ansi.visible(json.dumps(value, indent=2, ensure_ascii=False))
    return highlighted(text, most=len(text)).rstrip("\n")
