"""Messages of the link as bytes: four bytes of length (big-endian), then MessagePack. Pure.

Bytes are accepted whole or in pieces; what the table does not know is a LinkError. The worker may be dying
when it speaks, so nothing it sends is trusted beyond this.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from holdfast.errors import LinkError
from holdfast.link.messages import Frame, type_of_everything

MAX_FRAME = 1 << 30
"""Bytes. A display of a gigabyte is a mistake; a length beyond it is damage."""

_HEAD = 4
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(type_of_everything)


def encode(message: Frame) -> bytearray:
    """The message's bytes, its length first."""
    buffer = bytearray(_HEAD)
    _encoder.encode_into(message, buffer, _HEAD)
    size = len(buffer) - _HEAD
    if size > MAX_FRAME:
        raise LinkError(f"a message of {size} bytes is too large for the link")
    buffer[:_HEAD] = size.to_bytes(_HEAD, "big")
    return buffer


class Decoder:
    """Bytes to messages. Call `feed` with whatever arrived and iterate over what is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()  # bytes of messages that are not complete yet

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Messages that are complete with `data`; LinkError for what the table does not know."""
        buffer = self._buffer
        buffer += data
        begin = 0
        try:
            while len(buffer) - begin >= _HEAD:
                size = int.from_bytes(buffer[begin : begin + _HEAD], "big")
                if size > MAX_FRAME:
                    raise LinkError(f"the link announced a message of {size} bytes")
                end = begin + _HEAD + size
                if len(buffer) < end:
                    break
                with memoryview(buffer) as view:
                    message = _decode(view[begin + _HEAD : end])
                begin = end
                yield message
        finally:
            del buffer[:begin]


def _decode(body: memoryview) -> Frame:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise LinkError(f"the link carried something unknown: {error}") from error
    finally:
        body.release()
