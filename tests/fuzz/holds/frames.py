"""Messages of clients: frames in, a verified message out, or a refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import msgspec

from fuzz.holds.examples import one_of
from fuzz.holds.parts import joined, parts_of
from holdfast import settings
from holdfast.errors import MalformedMessage, ProtocolError, ReplayedMessage
from holdfast.protocol import codec, operations
from holdfast.protocol.messages import DELIMITER
from holdfast.protocol.signing import Signer

SIGNER = Signer(b"a key")
LIMITS = settings.Wire(max_bytes=64 * 1024)
HEADER = b'{"msg_id":"1","msg_type":"execute_request"}'

_SIGN = b"s"
"""The first part of an input of which the rest is to be signed."""


def holds(data: bytes) -> None:
    kind, *parts = parts_of(data)
    if kind == _SIGN:
        signed(parts)
    else:
        unsigned(parts)
        an_object(data)


def seeds() -> Iterator[bytes]:
    content = b'{"code":"1","silent":false,"store_history":true,"user_expressions":{},"allow_stdin":true}'
    yield joined(_SIGN, HEADER, b"{}", b"{}", content)
    yield joined(
        _SIGN, HEADER[:-1] + b',"session":"\\u00e9","extra":[[1.5e3]]}', HEADER, b"{}", b"{}", b"buffer"
    )
    for name, operation in operations.OPERATIONS.items():
        for kind, shape in (
            (operations.request_type(name), operation.request),
            (operations.reply_type(name), operation.reply),
        ):
            header = HEADER.replace(b"execute_request", kind.encode())
            yield joined(_SIGN, header, HEADER, b"{}", codec.encode(one_of(shape)))
    yield joined(b"u", b"you", DELIMITER, b"0" * 64, HEADER, b"{}", b"{}", b"{}")


def unsigned(frames: Sequence[bytes]) -> None:
    """Without the key nothing comes in, and what comes after is not hurt by it."""
    inbox = codec.Receiver(SIGNER, LIMITS)
    try:
        inbox.receive(frames)
    except ProtocolError:
        _still_takes_a_good_one(inbox)
    else:
        raise AssertionError("it came in without a signature")


def signed(parts: Sequence[bytes]) -> None:
    """With the key it comes in as it was sent, or is refused as malformed."""
    four = [*parts[:4], *[b"{}"] * (4 - len(parts[:4]))]
    frames = [b"you", DELIMITER, SIGNER.sign(*four), *four, *parts[4:]]
    inbox = codec.Receiver(SIGNER, LIMITS)
    try:
        message = inbox.receive(frames)
    except MalformedMessage:
        _still_takes_a_good_one(inbox)
        return
    assert [message.header_raw, message.parent_raw, message.metadata_raw, message.content_raw] == four
    assert list(message.buffers) == list(parts[4:])
    assert all(isinstance(codec.value_of(part), dict) for part in four)
    try:
        inbox.receive(frames)
    except ReplayedMessage:
        pass
    else:
        raise AssertionError("it came in twice")
    for name in operations.OPERATIONS:
        if message.header.msg_type == operations.request_type(name):
            asked(name, message.content_raw)
        if message.header.msg_type == operations.reply_type(name):
            answered(name, message.content_raw)


def an_object(raw: bytes) -> None:
    """Bytes are an object for us only if they are one for the standard library."""
    try:
        codec.check_object(raw, "text")
    except MalformedMessage as refusal:
        assert refusal.what.startswith("text: ")
    else:
        assert isinstance(json.loads(raw.decode()), dict)


def asked(name: str, given: bytes) -> None:
    """What an operation is asked with is understood, and said again alike, or refused."""
    try:
        request = operations.arguments(name, given)
    except MalformedMessage:
        return
    assert operations.arguments(name, msgspec.json.encode(request)) == request


def answered(name: str, given: bytes) -> None:
    """The same of what it is answered with, which a stranger's supervisor may have said."""
    try:
        reply = operations.answer(name, given)
    except MalformedMessage:
        return
    assert operations.answer(name, codec.encode(reply)) == reply


def _still_takes_a_good_one(inbox: codec.Receiver) -> None:
    good = (HEADER, b"{}", b"{}", b"{}")
    inbox.receive([DELIMITER, SIGNER.sign(*good), *good])
