"""Messages of the link as bytes: length and number (big-endian), then MessagePack. Pure.

The number counts what was said on this connection, from 1: who takes over a connection that somebody else has
read before knows by it where he stopped.

Bytes are accepted whole or in pieces; what the table does not know is a LinkError. The worker may be dying
when it speaks, so nothing it sends is trusted beyond this.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from holdfast.errors import LinkError
from holdfast.link.messages import Frame, type_of_everything

MAX_FRAME = 1 << 30
"""Bytes. A display of a gigabyte is a mistake; a length beyond it is damage."""

_HEAD = struct.Struct(">IQ")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(type_of_everything)


def encode(message: Frame, number: int) -> bytearray:
    """The message's bytes, its head first."""
    buffer = bytearray(_HEAD.size)
    try:
        _encoder.encode_into(message, buffer, _HEAD.size)
    except UnicodeEncodeError:
        _encoder.encode_into(_without_surrogates(_in_parts(message)), buffer, _HEAD.size)
    size = len(buffer) - _HEAD.size
    if size > MAX_FRAME:
        raise LinkError(f"a message of {size} bytes is too large for the link")
    _HEAD.pack_into(buffer, 0, size, number)
    return buffer


def body(data: bytearray) -> memoryview:
    """What `encode` has made, without its head: it travels outside of the socket."""
    return memoryview(data)[_HEAD.size :]


def decode(data: bytes | memoryview) -> Frame:
    """The message whose `body` this is; LinkError for what the table does not know."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"the link carried something unknown: {error}") from error


def _in_parts(message: Frame) -> object:
    return msgspec.to_builtins(message, builtin_types=(bytes, bytearray, memoryview))


def _without_surrogates(part: object) -> object:
    """With lone surrogates written out: names of files and words of the user's may have them."""
    if isinstance(part, str):
        return part.encode("utf-8", "backslashreplace").decode()
    if isinstance(part, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_without_surrogates(each) for each in part]
    return part


class Decoder:
    """Bytes to messages. Call `feed` with whatever arrived and iterate over what is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()  # bytes of messages that are not complete yet
        self.number = 0
        """Of the message that came last."""
        self.size = 0
        """Bytes that this message took."""

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Messages that are complete with `data`; LinkError for what the table does not know."""
        buffer = self._buffer
        buffer += data
        begin = 0
        try:
            while len(buffer) - begin >= _HEAD.size:
                size, number = _HEAD.unpack_from(buffer, begin)
                if size > MAX_FRAME:
                    raise LinkError(f"the link announced a message of {size} bytes")
                end = begin + _HEAD.size + size
                if len(buffer) < end:
                    break
                with memoryview(buffer) as view, view[begin + _HEAD.size : end] as part:
                    message = decode(part)
                self.number, self.size = number, end - begin
                begin = end
                yield message
        finally:
            del buffer[:begin]
