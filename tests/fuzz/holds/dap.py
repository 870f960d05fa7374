"""What a debugger's adapter says: a head, then as much JSON as it tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fuzz.holds.parts import cut
from holdfast.errors import MalformedMessage
from holdfast.protocol.dap import Dap, Decoder, encode


def holds(data: bytes) -> None:
    said(data)


def seeds() -> Iterator[bytes]:
    yield encode({"seq": 1, "type": "request", "command": "attach", "arguments": {"é": [1]}})
    yield b"content-length : 2\r\nX-More: 1\r\n\r\n{}Content-Length: 2\r\n\r\n{}"


def said(data: bytes) -> None:
    """However the bytes are cut, the same messages come out, and what is none is refused as malformed."""
    messages, refused = _heard([data])
    assert _heard(cut(data)) == (messages, refused)
    for each in messages:
        assert _heard([encode(each)]) == ([each], False)


def _heard(pieces: Iterable[bytes]) -> tuple[list[Dap], bool]:
    decoder, messages = Decoder(), []
    try:
        for piece in pieces:
            messages.extend(decoder.feed(piece))
    except MalformedMessage:
        return messages, True
    return messages, False
