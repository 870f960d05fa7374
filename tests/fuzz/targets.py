"""Which targets there are, and their inputs as text."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
NO_TARGETS = {"__init__", "examples", "parts"}
NAMES = sorted(path.stem for path in (HERE / "holds").glob("*.py") if path.stem not in NO_TARGETS)


def load(name: str) -> ModuleType:
    """What must hold: `holds(data)` and `seeds()`."""
    return importlib.import_module(f"fuzz.holds.{name}")


def inputs(name: str) -> Iterator[bytes]:
    """What a target begins with: its seeds, and what was found once."""
    yield from load(name).seeds()
    yield from found_once(name)


def found_once(name: str) -> Iterator[bytes]:
    """Inputs that were kept: a line each in a file of the corpus; `#` begins a remark."""
    file = HERE / "corpus" / f"{name}.txt"
    for line in file.read_text().split("\n") if file.exists() else []:
        if line and not line.startswith("#"):
            yield bytes_of(line)


def shown(data: bytes) -> str:
    """An input as one line of text, as Python writes bytes."""
    text = repr(data)[2:-1]
    return f"\\x{data[0]:02x}{text[1:]}" if text.startswith("#") else text


def bytes_of(line: str) -> bytes:
    """The input that a line shows."""
    return line.encode("latin-1").decode("unicode_escape").encode("latin-1")
