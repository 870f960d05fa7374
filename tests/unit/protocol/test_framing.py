import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import settings
from holdfast.errors import MalformedMessage
from holdfast.protocol import framing
from holdfast.protocol.messages import DELIMITER

LIMITS = settings.Wire()
PARTS = [b"signature", b"header", b"parent", b"metadata", b"content"]


def test_parts_come_out_in_their_places():
    envelope = framing.split([b"you", b"me", DELIMITER, *PARTS, b"buffer", b""], LIMITS)
    assert envelope.idents == [b"you", b"me"]
    assert envelope[1:6] == tuple(PARTS)
    assert envelope.buffers == [b"buffer", b""]


def test_a_message_needs_neither_identities_nor_buffers():
    envelope = framing.split((DELIMITER, *PARTS), LIMITS)
    assert (envelope.idents, envelope.buffers) == ([], [])


def test_only_the_first_delimiter_counts():
    envelope = framing.split([DELIMITER, *PARTS, DELIMITER], LIMITS)
    assert envelope.buffers == [DELIMITER]


@pytest.mark.parametrize("kept", range(5))
def test_a_message_that_breaks_off_is_refused(kept):
    with pytest.raises(MalformedMessage, match=f"{kept} frames after the delimiter"):
        framing.split([b"you", DELIMITER, *PARTS[:kept]], LIMITS)


@pytest.mark.parametrize("frames", [[], PARTS, [DELIMITER + b" ", *PARTS], [DELIMITER[:-1], *PARTS]])
def test_a_message_without_delimiter_is_refused(frames):
    with pytest.raises(MalformedMessage, match="delimiter"):
        framing.split(frames, LIMITS)


def test_the_largest_message_is_taken_and_one_byte_more_is_not():
    limits = settings.Wire(max_bytes=len(DELIMITER) + 4 + 10)
    parts = [b"", b"1", b"2", b"3", b"4"]
    framing.split([DELIMITER, *parts, b"x" * 10], limits)
    with pytest.raises(MalformedMessage, match="bytes"):
        framing.split([DELIMITER, *parts, b"x" * 11], limits)


def test_as_many_frames_as_allowed_are_taken_and_one_more_is_not():
    limits = settings.Wire(max_frames=8)
    framing.split([DELIMITER, *PARTS, b"", b""], limits)
    with pytest.raises(MalformedMessage, match="9 frames"):
        framing.split([DELIMITER, *PARTS, b"", b"", b""], limits)


@given(st.lists(st.binary(max_size=20) | st.just(DELIMITER), max_size=80))
def test_any_frames_are_split_without_loss_or_refused(frames):
    try:
        envelope = framing.split(frames, LIMITS)
    except MalformedMessage:
        return
    assert [*envelope.idents, DELIMITER, *envelope[1:6], *envelope.buffers] == frames
