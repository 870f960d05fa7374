"""How much may wait: so many requests, and so many bytes. What comes when it is full is refused. Pure."""

from __future__ import annotations

from holdfast.errors import HoldfastError
from holdfast.protocol.messages import Message
from holdfast.settings import MEBIBYTE, Wire

_REMEDY = "wait, or interrupt"


class Room:
    """For what waits for one thing. A request that is alone has room, however large it is."""

    def __init__(self, bounds: Wire) -> None:
        self._most, self._bytes = bounds.queue_cells, bounds.queue_bytes
        self._sizes: dict[int, int] = {}  # of what waits, by what it is
        self._full = 0

    def check(self, message: Message) -> None:
        """HoldfastError if there is none for that."""
        count = len(self._sizes)
        if count >= self._most:
            raise HoldfastError(f"{count} requests wait already", _REMEDY)
        if count and self._full + message.size > self._bytes:
            full, most = self._full // MEBIBYTE, self._bytes // MEBIBYTE
            raise HoldfastError(f"requests of {full} MiB wait already, at most {most} MiB may", _REMEDY)

    def enter(self, message: Message) -> None:
        """It waits from now on."""
        self._full += message.size - self._sizes.get(id(message), 0)
        self._sizes[id(message)] = message.size

    def leave(self, message: Message) -> None:
        """It waits no longer."""
        self._full -= self._sizes.pop(id(message), 0)
