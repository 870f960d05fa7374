"""Which of the names that there are was meant by a mistyped one. Pure, and light until there is a mistake."""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable

LIKENESS = 0.6
"""Of two names, as difflib measures it: one of them may be a slip of a finger for the other."""


def nearest(word: str, known: Iterable[str], likeness: float = LIKENESS) -> str | None:
    """The one that looks most like `word`, if one does."""
    import difflib  # noqa: PLC0415 - only for a mistake

    near = difflib.get_close_matches(word, known, n=1, cutoff=likeness)
    return near[0] if near else None
