"""JSON as its text, indented."""

from __future__ import annotations

import json

from holdfast.console.colours import highlighted
from holdfast.visible import visible


def text(value: object) -> str:
    """`value`, which came as JSON."""
    text = visible(json.dumps(value, indent=2, ensure_ascii=False))
    return highlighted(text, most=len(text)).rstrip("\n")
