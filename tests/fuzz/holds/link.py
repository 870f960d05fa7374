"""What a worker says, which may be dying, or whose user's code has written into the link."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from fuzz.holds.examples import one_of
from fuzz.holds.parts import cut
from holdfast.errors import LinkError
from holdfast.link import frames
from holdfast.link.frames import Decoder
from holdfast.link.messages import Frame

_HEAD = struct.Struct(">IQ")
_RAW = b"r"
"""The first byte of an input whose rest is one message's body: so the length in its head is right."""

_SHORT = 64
"""Bytes that are also fed one by one: of more, that takes most of the time."""


def holds(data: bytes) -> None:
    if data.startswith(_RAW):
        data = _HEAD.pack(len(data) - 1, 1) + data[1:]
    said(data)


def seeds() -> Iterator[bytes]:
    for message in one_of_each():
        yield _RAW + bytes(frames.body(frames.encode(message, 1)))
        yield bytes(frames.encode(message, 7))


def one_of_each() -> Iterator[Frame]:
    """A message of each kind, with something in each field."""
    for kind in sorted(_kinds(Frame), key=lambda kind: kind.__name__):
        if "tag" in dir(kind.__struct_config__) and kind.__struct_config__.tag is not None:
            yield one_of(kind)


def said(data: bytes) -> None:
    """However the bytes are cut, the same messages come out; what is none ends in LinkError."""
    whole = _heard([data])
    assert whole == _heard(cut(data))
    if len(data) < _SHORT:
        assert whole == _heard([data[place : place + 1] for place in range(len(data))])
    found, left, _ = whole
    assert sum(size for _, size, _ in found) + left == len(data)
    for number, _, again in found:
        assert _heard([again]) == ([(number, len(again), again)], 0, False)


def _heard(pieces: list[bytes]) -> tuple[list[tuple[int, int, bytes]], int, bool]:
    """Messages with number and size, as they are said again; bytes that are left; whether it was refused."""
    decoder = Decoder()
    found: list[tuple[int, int, bytes]] = []
    rest = iter(pieces)
    try:
        for piece in rest:
            for message in decoder.feed(piece):
                again = bytes(frames.encode(message, decoder.number))
                found.append((decoder.number, decoder.size, again))
    except LinkError:
        return found, decoder.pending + sum(map(len, rest)), True
    return found, decoder.pending, False


def _kinds(kind: type[Frame]) -> Iterator[type[Frame]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)
