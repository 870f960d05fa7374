"""What a worker says, which may be dying, or whose user's code has written into the link."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from fuzz.holds.parts import cut
from holdfast.errors import LinkError
from holdfast.link import frames
from holdfast.link.frames import Decoder
from holdfast.link.messages import Frame

_HEAD = struct.Struct(">IQ")
_RAW = b"r"
"""The first byte of an input whose rest is one message's body: so the length in its head is right."""


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
            yield kind(**{field.name: _something(field.type) for field in msgspec.structs.fields(kind)})


def said(data: bytes) -> None:
    """However the bytes are cut, the same messages come out; what is none ends in LinkError."""
    whole, pieces = _heard([data]), _heard(cut(data))
    assert whole == pieces
    assert whole == _heard([data[place : place + 1] for place in range(len(data))])
    found, left, _ = whole
    assert sum(size for _, size, _ in found) + left == len(data)
    for number, _, message in found:
        assert _heard([bytes(frames.encode(message, number))])[0][0][2] == message


def _heard(pieces: list[bytes]) -> tuple[list[tuple[int, int, Frame]], int, bool]:
    """Messages with number and size, bytes that are left, and whether it ended in a refusal."""
    decoder = Decoder()
    found: list[tuple[int, int, Frame]] = []
    rest = iter(pieces)
    try:
        for piece in rest:
            found.extend((decoder.number, decoder.size, message) for message in decoder.feed(piece))
    except LinkError:
        return found, decoder.pending + sum(map(len, rest)), True
    return found, decoder.pending, False


def _kinds(kind: type[Frame]) -> Iterator[type[Frame]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


def _something(kind: Any) -> object:
    """A value of a field's type."""
    info = msgspec.inspect.type_info(kind)
    return _of(info)


def _of(info: msgspec.inspect.Type) -> object:
    if type(info) in _PLAIN:
        return _PLAIN[type(info)]
    match info:
        case msgspec.inspect.ListType(item_type=item):
            return [_of(item)]
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            return {_of(key): _of(value)}
        case msgspec.inspect.StructType(cls=cls):
            return cls(**{field.name: _something(field.type) for field in msgspec.structs.fields(cls)})
        case msgspec.inspect.UnionType(types=types):
            return _of(types[0])
    raise NotImplementedError(f"a field of type {info}")


_PLAIN: dict[type, object] = {
    msgspec.inspect.BoolType: True,
    msgspec.inspect.IntType: 3,
    msgspec.inspect.FloatType: 0.5,
    msgspec.inspect.StrType: "text",
    msgspec.inspect.BytesType: b"{}",
    msgspec.inspect.NoneType: None,
}
