"""What is said on the link, as bytes: all comes as it was said, and what is no message is refused as such."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.link import one_of_each, said
from holdfast.errors import LinkError
from holdfast.link.frames import MAX_FRAME, Decoder, decode, encode
from holdfast.link.messages import Frame

SAID = list(one_of_each())


@pytest.mark.parametrize("message", SAID, ids=lambda message: type(message).__name__)
def test_each_message_comes_as_it_was_said(message: Frame) -> None:
    assert list(Decoder().feed(encode(message, 1))) == [message]


@given(st.lists(st.sampled_from(SAID), max_size=5), st.integers(0), st.binary(max_size=12))
def test_bytes_that_are_hurt_anywhere_are_messages_or_refused(
    messages: list[Frame], place: int, piece: bytes
) -> None:
    data = b"".join(encode(message, number) for number, message in enumerate(messages, 1))
    begin = place % (len(data) + 1)
    said(data[:begin] + piece + data[begin:])
    said(data[:begin] + piece + data[begin + len(piece) :])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x94\x15\x00\x00\xa1\xff",
        b"\x91" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\x91\xcd\xff\xff",
    ],
    ids=["nothing", "no type", "text that is none", "deep", "four billion", "unknown"],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(LinkError):
        decode(body)


def test_a_length_beyond_all_bounds_is_refused_at_once() -> None:
    with pytest.raises(LinkError, match="announced"):
        list(Decoder().feed((MAX_FRAME + 1).to_bytes(4) + bytes(8)))
