"""How one input is several things: cut at a byte that text does not have. No target."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

BORDER = b"\x1e"
"""ASCII's record separator: in a corpus file it can be seen, and no format of ours needs it raw."""


def joined(*parts: bytes) -> bytes:
    """One input."""
    return BORDER.join(parts)


def parts_of(data: bytes) -> list[bytes]:
    """What was joined."""
    return data.split(BORDER)


def cut(data: bytes) -> list[bytes]:
    """The same bytes as they may come through a socket: cut where they say themselves."""
    places = sorted(byte * len(data) // 256 for byte in data[:3])
    borders = [0, *places, len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(borders)]


def is_told_well(words: str) -> bool:
    """Whether what a user is told can't do anything to a terminal."""
    return words.isprintable()


@contextlib.contextmanager
def home() -> Iterator[Path]:
    """A folder of ours alone, in memory if there is such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="hf") as folder:
        before = os.environ.get("HOLDFAST_HOME")
        os.environ["HOLDFAST_HOME"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["HOLDFAST_HOME"]
            else:
                os.environ["HOLDFAST_HOME"] = before
