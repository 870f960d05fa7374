"""What is said on the supervisor's doorbell, a unix socket: one JSON object a line. Sans-I/O.

request   {"op": "info", …}                 an operation of `operations`, with its arguments
reply     {"ok": true, …}                   or {"ok": false, "what": "…", "remedy": "…" | null}
event     {"event": "door_closed", …}       unasked
"""

from __future__ import annotations

from typing import Any

import msgspec

from holdfast.errors import HoldfastError, MalformedMessage
from holdfast.protocol import codec

MAX_LINE = 1024 * 1024
"""Bytes. A log of many cells fits; a peer that never ends its line does not fill the memory."""


def encode_line(obj: object) -> bytes:
    """`obj` as one line with its end. JSON has no raw newline in it, so the line is the frame."""
    return codec.encode(obj) + b"\n"


def acceptance(reply: msgspec.Struct) -> dict[str, object]:
    """The reply that something was done, with what `reply` tells."""
    return {"ok": True, **msgspec.structs.asdict(reply)}


def refusal(error: HoldfastError) -> dict[str, object]:
    """The reply that says why something was not done."""
    return {"ok": False, "what": error.what, "remedy": error.remedy}


class Lines:
    """Bytes in, in pieces of any size; objects out. What is cut where makes no difference."""

    __slots__ = ("_buffer", "_limit", "_refused", "_scanned")

    def __init__(self, limit: int = MAX_LINE) -> None:
        """`limit`: bytes of a line, without its end."""
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 0  # no newline before this place: long lines are not searched again and again
        self._refused: MalformedMessage | None = None

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The objects that `data` completes. MalformedMessage, now and ever after, at a line that is none.

        Objects before such a line are returned first; the next `feed` or `close` refuses it.
        """
        if self._refused:
            raise self._refused
        self._buffer += data
        objects: list[dict[str, Any]] = []
        try:
            while (line := self._next_line()) is not None:
                objects.append(codec.decode(line, dict[str, Any], "line"))
        except MalformedMessage as error:
            self._refused = error
            self._buffer.clear()
            if not objects:
                raise
        return objects

    def close(self) -> None:
        """The peer has finished. MalformedMessage if a line was refused, or breaks off in its middle."""
        if self._refused:
            raise self._refused
        if self._buffer:
            raise MalformedMessage(f"the last line breaks off after {len(self._buffer)} bytes")

    def _next_line(self) -> bytes | None:
        """Take the first line out of the buffer; None if it hasn't ended yet."""
        end = self._buffer.find(b"\n", self._scanned)
        if (end if end >= 0 else len(self._buffer)) > self._limit:
            raise MalformedMessage(f"a line longer than {self._limit} bytes")
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._scanned = 0
        return line
