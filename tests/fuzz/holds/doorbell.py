"""Lines on the doorbell: requests of commands and launchers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from fuzz.holds.frames import asked
from fuzz.holds.parts import cut
from holdfast.errors import MalformedMessage
from holdfast.protocol import codec, operations
from holdfast.protocol.doorbell import Lines, encode_line

LIMIT = 512
SHORT = 64
"""Bytes that are also fed one by one."""


def holds(data: bytes) -> None:
    for request in rung(data):
        if isinstance(name := request.get("op"), str) and name in operations.OPERATIONS:
            asked(name, codec.encode(request))


def seeds() -> Iterator[bytes]:
    for name in operations.OPERATIONS:
        yield json.dumps({"op": name}).encode() + b"\n"
    yield b'{"op":"log","last":3,"before":9,"after":1}\n{"op":"interrupt","force":true}\n'
    yield b'{"op":"open_door","file":"/a","hold":true}\n{"op":"resume","after":[1,2]}\n{"op":"answer"'


def rung(data: bytes) -> list[dict[str, Any]]:
    """However the bytes are cut, the same requests come out, and then a refusal or not."""
    objects, ended_well = said([data], LIMIT)
    assert (objects, ended_well) == said(cut(data), LIMIT)
    if len(data) < SHORT:
        assert (objects, ended_well) == said([data[place : place + 1] for place in range(len(data))], LIMIT)
    for each in objects:
        assert Lines().feed(encode_line(each)) == [each]
    return objects


def said(pieces: Iterable[bytes], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """What comes out of the pieces: objects, and whether all was well to the end."""
    lines, objects = Lines(limit), []
    try:
        for piece in pieces:
            objects += lines.feed(piece)
        lines.close()
    except MalformedMessage:
        return objects, False
    return objects, True
