"""Up to where what the worker says is written down: stored with it, and read by who takes over. Pure."""

from __future__ import annotations

import msgspec

from holdfast.journal.journal import BOOKMARK, Journal


class Bookmark(msgspec.Struct, frozen=True, array_like=True):
    """What lies before it has been committed, what comes after it is still in the link and in the ring."""

    link: int = 0
    """Number of the link; 0: none yet."""
    number: int = 0
    """Of the last message on that link."""
    place: int = 0
    """In the ring of text."""
    parent: int = 0
    """Whose text follows."""
    stream: str = "stdout"
    pid: int | None = None
    """The worker's."""
    alive: bool = False
    """It had said that it is there."""

    def encoded(self) -> str:
        """As the journal keeps it."""
        return _encoder.encode(self).decode()


_encoder = msgspec.json.Encoder()


def of(journal: Journal) -> Bookmark:
    """The one that was stored last."""
    stored = journal.get(BOOKMARK)
    return msgspec.json.decode(stored, type=Bookmark) if stored else Bookmark()
