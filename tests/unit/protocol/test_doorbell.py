import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.doorbell import rung, said
from holdfast.errors import MalformedMessage, NoSuchSession
from holdfast.protocol import codec, doorbell, operations

json_objects = st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.booleans()))
line_like = st.lists(
    st.sampled_from([b'{"op":"info"}', b"\n", b"{", b"[]", b"\r", b"{}\n", b"\xff", b" "])
).map(b"".join)


def cut(data, places):
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(borders)]


@given(st.lists(json_objects), st.lists(st.integers(0)))
def test_objects_come_out_as_they_went_in_whole_or_in_pieces(objects, places):
    data = b"".join(map(doorbell.encode_line, objects))
    expected = [json.loads(doorbell.encode_line(each)) for each in objects]
    assert said(cut(data, places), 10**6) == (expected, True)


@given(st.binary() | line_like, st.lists(st.integers(0)))
def test_any_bytes_are_parsed_or_refused_alike_whole_or_in_pieces(data, places):
    assert said(cut(data, places), 64) == said([data], 64)
    rung(data)


def test_a_line_is_one_line_whatever_is_in_it():
    line = doorbell.encode_line({"what": "two\nlines\r\n", "remedy": "\u2028"})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_nothing_comes_before_its_line_ends():
    lines = doorbell.Lines()
    assert lines.feed(b'{"op":"in') == []
    assert lines.feed(b'fo"}') == []
    assert lines.feed(b'\n{"op"') == [{"op": "info"}]


@pytest.mark.parametrize(
    "bad", [b"\n", b"[]\n", b"1\n", b"{]\n", b'{"a":"\xff"}\n', b'{"a":' + b"[" * 100_000 + b"\n"]
)
def test_a_line_that_is_no_object_is_refused_for_good(bad):
    lines = doorbell.Lines()
    with pytest.raises(MalformedMessage):
        lines.feed(bad)
    with pytest.raises(MalformedMessage):
        lines.feed(b"{}\n")
    with pytest.raises(MalformedMessage):
        lines.close()


def test_objects_before_a_bad_line_are_not_lost():
    lines = doorbell.Lines()
    assert lines.feed(b'{"op":"info"}\n[]\n{"op":"stop"}\n') == [{"op": "info"}]
    with pytest.raises(MalformedMessage):
        lines.feed(b"")


def test_a_line_as_long_as_allowed_is_taken_and_a_byte_more_is_not():
    longest = b'{"a":"' + b"x" * 12 + b'"}'
    assert doorbell.Lines(len(longest)).feed(longest + b"\n") == [{"a": "x" * 12}]
    with pytest.raises(MalformedMessage, match=f"longer than {len(longest) - 1} bytes"):
        doorbell.Lines(len(longest) - 1).feed(longest + b"\n")


def test_a_line_without_end_is_refused_before_it_fills_the_memory():
    lines = doorbell.Lines(1000)
    lines.feed(b"x" * 1000)
    with pytest.raises(MalformedMessage):
        lines.feed(b"x")


def test_a_peer_that_hangs_up_in_mid_line_is_noticed():
    lines = doorbell.Lines()
    lines.feed(b'{}\n{"op"')
    with pytest.raises(MalformedMessage, match="breaks off"):
        lines.close()


def test_an_acceptance_has_what_the_operation_tells():
    empty = msgspec.Raw(b"{}")
    resumed = operations.Resumed(3, [operations.Published(empty, empty, empty, empty)])
    [reply] = doorbell.Lines().feed(doorbell.encode_line(doorbell.acceptance(resumed)))
    assert reply["ok"] is True
    assert msgspec.json.decode(codec.encode(resumed)).items() <= reply.items()
    assert doorbell.acceptance(operations.Done()) == {"ok": True}


def test_a_refusal_says_what_and_how_to_mend_it():
    assert doorbell.refusal(NoSuchSession("no session x", "holdfast ls")) == {
        "ok": False,
        "what": "no session x",
        "remedy": "holdfast ls",
    }
