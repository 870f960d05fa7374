"""The Debug Adapter Protocol as bytes: a head that tells the length, then one JSON object. Pure.

Source: the protocol's overview, "Base Protocol": header fields in ASCII, each ended by CRLF, an empty line,
then `Content-Length` bytes of UTF-8. What commands mean is known to `supervisor/debugging`; what Jupyter adds
to the protocol is in `debugging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec

MAX_BYTES = 256 * 1024 * 1024
"""Of one message. The value of a variable may be long; a length beyond this is damage."""
MAX_HEAD = 4096
"""Bytes of a head: one or two fields of some 40."""

_END = b"\r\n\r\n"
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]*([^\r\n]*)")

Dap = dict[str, Any]
"""A message: request, response or event."""


def encode(message: Mapping[str, Any]) -> bytes:
    """The message's bytes, its head first. MalformedMessage if it can't be said in JSON."""
    body = codec.encode(message)
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Decoder:
    """Bytes to messages. Call `feed` with whatever arrived and iterate over what is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size: int | None = None  # of the body that is awaited; None while a head is

    def feed(self, data: bytes) -> Iterator[Dap]:
        """Messages that are complete with `data`; MalformedMessage for what is none."""
        self._buffer += data
        while True:
            if self._size is None:
                self._size = self._take_head()
            if self._size is None or len(self._buffer) < self._size:
                return
            body = bytes(self._buffer[: self._size])
            del self._buffer[: self._size]
            self._size = None
            yield codec.decode(body, Dap, "a debugger's message")

    def _take_head(self) -> int | None:
        """The length that a complete head tells."""
        end = self._buffer.find(_END, 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise MalformedMessage("a debugger's message has a head without end")
            return None
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(_END)]
        return _length(head)


def _length(head: bytes) -> int:
    lengths = set()
    for line in head.split(b"\r\n"):
        field = _FIELD.fullmatch(line)
        if field is None:
            raise MalformedMessage(f"a debugger's message has a head that is none: {line[:80]!r}")
        if field[1].lower() == b"content-length":
            lengths.add(field[2].strip())
    if len(lengths) != 1:
        raise MalformedMessage("a debugger's message does not tell its length")
    (length,) = lengths
    if not re.fullmatch(rb"[0-9]{1,12}", length) or int(length) > MAX_BYTES:
        raise MalformedMessage(f"a debugger's message of {length[:80].decode('latin-1')} bytes")
    return int(length)
