"""What a checkpoint holds, in words for users. Light."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from holdfast import sizes
from holdfast.checkpoint.manifest import Manifest
from holdfast.visible import in_line


class Lost(Protocol):
    """A variable that is not kept, or not back."""

    @property
    def name(self) -> str:
        """How the user calls it."""

    @property
    def reason(self) -> str:
        """In words."""

    @property
    def last_repr(self) -> str:
        """What it looked like; "" if that is not known."""


def described(manifest: Manifest) -> str:
    """One line: how many variables, how large, which ones are lost and why."""
    kept, lost = len(manifest.kept), manifest.lost
    words = f"{kept} variable{'s' if kept != 1 else ''}, {sizes.short(manifest.bytes_total)}"
    return f"{words}; not kept: {'; '.join(lost_in_words(lost))}" if lost else words


def lost_in_words(variables: Iterable[Lost]) -> list[str]:
    """Each as `name (why)`, with what it looked like if that is known."""
    return [_in_words(each) for each in variables]


def _in_words(lost: Lost) -> str:
    return f"{in_line(lost.name)} ({lost.reason}{f'; it was {lost.last_repr}' if lost.last_repr else ''})"
