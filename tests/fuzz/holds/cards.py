"""The cards that clients leave: anybody may subscribe to anything."""

from __future__ import annotations

import time
from collections.abc import Iterator

from holdfast.protocol.notices import PRESENCE, Card, presence, presented


def holds(data: bytes) -> None:
    left(data)
    left(PRESENCE + data)


def seeds() -> Iterator[bytes]:
    for kind in ("console", "program", "jupyter"):
        yield presence(Card("5e55", kind, 1_800_000_000, "ana"))


def left(subscription: bytes) -> None:
    """It is nobody's, or somebody who came at a time that can be told, and says so again."""
    card = presented(subscription)
    if card is None:
        return
    assert subscription.startswith(PRESENCE)
    time.localtime(card.since)
    said = presence(card)
    if len(said) < len(subscription):  # else it may be cut: what was no text is longer now
        again = presented(said)
        assert again is not None
        assert (again.kind, again.since) == (card.kind, card.since)
