import datetime as dt
import json
import math

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.holds import frames as any_frames
from holdfast import settings
from holdfast.errors import BadSignature, MalformedMessage, ProtocolError, ReplayedMessage
from holdfast.protocol import codec
from holdfast.protocol.messages import DELIMITER, PROTOCOL_VERSION, Header
from holdfast.protocol.signing import Signer

LIMITS = settings.Wire()
SIGNER = Signer(b"a key")

no_surrogates = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | no_surrogates,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(no_surrogates, inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(no_surrogates, json_values, max_size=5)
json_like = st.text(st.sampled_from('{}[]",:\\u0d8e1-.aNtrue\n é')).map(str.encode)


def signed(header, parent=b"{}", metadata=b"{}", content=b"{}", buffers=(), signer=SIGNER):
    parts = (header, parent, metadata, content)
    return [b"you", DELIMITER, signer.sign(*parts), *parts, *buffers]


def receiver(**bounds):
    return codec.Receiver(SIGNER, settings.Wire(**bounds))


def sender(session="session"):
    return codec.Sender(SIGNER, session, "ana")


HEADER = b'{"msg_id":"1","msg_type":"execute_request"}'


# --- JSON that comes in ---


@given(json_objects)
def test_any_object_of_json_is_read_as_the_standard_library_reads_it(value):
    for ascii_only in (True, False):
        raw = json.dumps(value, ensure_ascii=ascii_only).encode()
        assert codec.decode(raw, dict, "text") == value
        codec.check_object(raw, "text")


@given(st.binary() | json_like)
@example(b'{"\xff":1}')
@example(b'{"a":"\xed\xa0\x80"}')
@example(b'{"a":"\\ud800"}')
@example(b'{"a":"\\udc00"}')
@example(b"{}{}")
@example(b"")
def test_any_bytes_are_an_object_for_the_standard_library_too_or_refused(raw):
    any_frames.an_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e400}', b'{"a":-1e400}', b'{"a":' + b"1" * 5000 + b"}",
        b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":"\\udc00x"}', b'\xef\xbb\xbf{"a":1}', b"{'a':1}",
        '{"a":1}'.encode("utf-16"), b'{"a":"\x00"}', b'{"a":1,}', b'{"a":1', b"[]", b"1", b"null",
        b'"a"', b" ",
    ],
    ids=lambda raw: ascii(raw[:20]),
)  # fmt: skip
def test_json_against_the_rules_is_refused(raw):
    with pytest.raises(MalformedMessage, match=r"^request: "):
        codec.decode(raw, dict, "request")


def test_duplicate_keys_are_tolerated_and_the_last_one_counts():
    assert codec.decode(b'{"a":1,"a":2}', dict, "text") == {"a": 2}


def test_a_wrong_field_is_named():
    with pytest.raises(MalformedMessage, match=r"header: .*msg_id"):
        codec.decode(b'{"msg_id":1,"msg_type":"x"}', Header, "header")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_allowed_to_the_bound_and_not_a_level_deeper(opening, closing):
    def nested(levels):
        return b'{"a":' + opening * (levels - 1) + b"0" + closing * (levels - 1) + b"}"

    for bound in (2, 200):
        codec.check_object(nested(bound), "text", bound)
        assert codec.decode(nested(bound), dict, "text", bound)
        for deeper in (bound + 1, 2 * bound, 100_000):
            with pytest.raises(MalformedMessage):
                codec.check_object(nested(deeper), "text", bound)
            with pytest.raises(MalformedMessage):
                codec.decode(nested(deeper), dict, "text", bound)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_a_hundred_thousand_open_brackets_are_refused(opening):
    for type_ in (object, dict, Header, msgspec.Raw):
        with pytest.raises(MalformedMessage):
            codec.decode(opening * 100_000, type_, "text")


def test_brackets_in_strings_are_no_nesting():
    for text in ("[" * 1000, '"[' * 1000, '\\"[' * 1000, "\\[" * 1000, '\\\\"{' * 1000, '["' * 1000 + "\\"):
        raw = json.dumps({"code": text, text: [[text], text]}).encode()
        codec.check_object(raw, "text", max_depth=3)
        with pytest.raises(MalformedMessage, match="deeper than 2"):
            codec.check_object(raw, "text", max_depth=2)


def test_many_shallow_lists_are_not_deep():
    raw = json.dumps({"rows": [[number, [number]] for number in range(10_000)]}).encode()
    codec.check_object(raw, "text", max_depth=4)


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


bracketed = st.recursive(
    st.text(st.sampled_from('[{]}"\\a')),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[{"\\')), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(st.lists(bracketed), st.integers(1, 8), st.integers(1, 40))
def test_depth_is_measured_exactly_wherever_the_text_is_cut(values, bound, piece):
    document = {"values": values}
    raw = json.dumps(document).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "_PIECE", piece)
        try:
            codec.check_object(raw, "text", bound)
        except MalformedMessage:
            assert depth(document) > bound
        else:
            assert depth(document) <= bound


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (b"1e999", math.inf),
        (b"-1e999", -math.inf),
        (b"1" * 5000, math.inf),
        (b"-" + b"1" * 5000, -math.inf),
        (b"1" * 4000, int("1" * 4000)),
        (b"1e-999", 0),
    ],
    ids=["large", "small", "long", "long and negative", "just not too long", "next to nothing"],
)
def test_whatever_number_was_accepted_a_value_is_made_of_it(number, value):
    raw = b'{"a":[%b]}' % number
    codec.check_object(raw, "text")
    assert codec.value_of(raw) == {"a": [value]}


# --- JSON that goes out ---


@given(json_values)
def test_what_is_encoded_is_read_back(value):
    assert json.loads(codec.encode(value)) == value


@given(st.dictionaries(st.text(), st.lists(st.text()) | st.text()))
@example({"file": "caf\udce9.txt", "\ud800": ["\udc00"]})
def test_any_text_can_be_sent_even_broken_one(value):
    sent = json.loads(codec.encode(value).decode())
    assert sent == {readable(key): readable_all(item) for key, item in value.items()}


def readable(text):
    return text.encode("utf-8", "backslashreplace").decode()


def readable_all(value):
    return readable(value) if isinstance(value, str) else [readable(item) for item in value]


def test_json_that_is_ready_goes_along_with_broken_text():
    ready = msgspec.Raw(b'{"a" : 1}')
    assert codec.encode({"ready": ready}) == b'{"ready":{"a" : 1}}'
    assert codec.encode({"ready": ready, "text": "\udcff"}) == b'{"ready":{"a":1},"text":"\\\\udcff"}'


def test_not_a_number_goes_out_as_null():
    assert codec.encode([math.nan, math.inf, -math.inf]) == b"[null,null,null]"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "json_text"),
    [
        (np.float64(0.5), b"0.5"),
        (np.int64(7), b"7"),
        (np.arange(3), b"[0,1,2]"),
        (range(3), b"[0,1,2]"),
        (Text("x"), b'"x"'),
        ({1: 2}.keys(), b"[1]"),
        (b"bytes", b'"Ynl0ZXM="'),
        (dt.datetime(2024, 5, 1, tzinfo=dt.UTC), b'"2024-05-01T00:00:00Z"'),
    ],
)
def test_what_user_code_puts_into_results_is_said_in_json(value, json_text):
    assert codec.encode(value) == json_text


@pytest.mark.parametrize(
    "value",
    [object(), {None: 1}, 10**5000, {"surrogate": "\ud800", "x": object()}],
    ids=["object", "None as key", "huge", "two faults"],
)
def test_what_json_has_no_word_for_is_refused(value):
    with pytest.raises(MalformedMessage, match="can't be said in JSON"):
        codec.encode(value)


def test_an_object_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(MalformedMessage):
        codec.encode(loop)
    with pytest.raises(MalformedMessage):
        codec.encode(["\ud800", loop])


# --- messages ---


@given(
    json_objects,
    json_objects,
    st.lists(st.binary()),
    st.lists(st.binary(min_size=1).filter(DELIMITER.__ne__)),
)
def test_what_is_sent_is_received(content, metadata, buffers, idents):
    buffers, idents = buffers[:20], idents[:20]
    parent = codec.encode({"msg_id": "parent", "msg_type": "execute_request"})
    frames = sender().frames(
        "stream",
        content,
        parent=parent,
        metadata=metadata,
        buffers=buffers,
        idents=idents,
        msg_id="7",
        date="now",
    )
    message = receiver().receive(frames)
    assert message.header == Header("7", "stream", "session", "ana", "now", PROTOCOL_VERSION)
    assert json.loads(message.header_raw)["msg_id"] == "7"
    assert (message.parent_raw, message.idents, message.buffers) == (parent, idents, buffers)
    assert json.loads(message.content_raw) == content
    assert json.loads(message.metadata_raw) == metadata


def test_ready_bytes_are_sent_as_they_are():
    frames = sender().frames("stream", b'{"text" : "1"}', metadata=b"{ }")
    assert frames[-2:] == [b"{ }", b'{"text" : "1"}']


def test_no_two_messages_are_alike_not_even_of_two_processes_of_one_session():
    one, other = sender(), sender()
    frames = [each.frames("status", b"{}", date="now") for each in (one, other) for _ in range(100)]
    assert len({message[1] for message in frames}) == 200
    assert len({json.loads(message[2])["msg_id"] for message in frames}) == 200


def test_a_message_is_dated_in_utc():
    header = codec.decode(sender().frames("status", b"{}")[2], Header, "header")
    date = dt.datetime.fromisoformat(header.date)
    assert date.utcoffset() == dt.timedelta(0)
    assert abs(dt.datetime.now(dt.UTC) - date) < dt.timedelta(minutes=5)


def test_the_clock_can_be_given():
    dated = codec.Sender(SIGNER, "session", "ana", now=lambda: "1970-01-01T00:00:00Z")
    assert b"1970-01-01T00:00:00Z" in dated.frames("status", b"{}")[2]


def test_fields_that_old_clients_leave_out_and_new_ones_add_are_tolerated():
    message = receiver().receive(signed(b'{"msg_id":"1","msg_type":"x","subshell_id":"s","colour":"red"}'))
    assert message.header == Header("1", "x", subshell_id="s")


HOSTILE_HEADERS = [
    b"", b"{}", b"[]", b"null", b'{"msg_id":"1"}', b'{"msg_type":"x"}', b'{"msg_id":1,"msg_type":"x"}',
    b'{"msg_id":"1","msg_type":null}', b'{"msg_id":"1","msg_type":"x"', b'{"msg_id":"1","msg_type":"x"}}',
    b'{"msg_id":"1","msg_type":"\xff"}', b'{"msg_id":"\\ud800","msg_type":"x"}',
    b'{"msg_id":"1","msg_type":"x","a":' + b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("header", HOSTILE_HEADERS, ids=lambda raw: ascii(raw[:40]))
def test_a_signed_message_with_a_wrong_header_is_refused(header):
    with pytest.raises(MalformedMessage, match=r"^header: "):
        receiver().receive(signed(header))


@pytest.mark.parametrize("part", ["parent", "metadata", "content"])
@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"{}{}", b"1", b'{"a":"\xff"}', b'{"a":' + b"[" * 100_000])
def test_every_part_must_be_one_whole_object(part, raw):
    with pytest.raises(MalformedMessage, match=f"^{part}"):
        receiver().receive(signed(HEADER, **{part: raw}))


def test_borders_of_signed_parts_cannot_be_moved():
    frames = signed(HEADER, content=b'{"code":"1"}')
    for shift in range(1, len(frames[6])):
        shifted = [*frames[:5], frames[5] + frames[6][:shift], frames[6][shift:]]
        SIGNER.verify(*shifted[2:])  # the signature itself doesn't notice
        with pytest.raises(MalformedMessage):
            receiver().receive(shifted)


def test_nesting_is_bounded_by_the_settings():
    frames = signed(HEADER, content=b'{"a":[[]]}')
    receiver(max_depth=3).receive(frames)
    with pytest.raises(MalformedMessage, match="content: nested deeper than 2"):
        receiver(max_depth=2).receive(frames)
    with pytest.raises(MalformedMessage, match="header: nested deeper than 2"):
        receiver(max_depth=2).receive(signed(HEADER[:-1] + b',"a":[[]]}'))


def test_a_message_that_comes_twice_is_refused():
    inbox, frames = receiver(), signed(HEADER)
    inbox.receive(frames)
    with pytest.raises(ReplayedMessage):
        inbox.receive(frames)


def test_a_refused_message_is_refused_again():
    inbox, frames = receiver(), signed(HEADER, content=b"[]")
    for _ in range(2):
        with pytest.raises(ProtocolError):
            inbox.receive(frames)


def test_forged_messages_do_not_drive_out_what_is_remembered():
    inbox, genuine = receiver(replay_window=3), signed(HEADER)
    inbox.receive(genuine)
    for number in range(100):
        with pytest.raises(BadSignature):
            inbox.receive([*genuine[:2], b"%064x" % number, *genuine[3:]])
    with pytest.raises(ReplayedMessage):
        inbox.receive(genuine)


def test_the_oldest_message_is_forgotten_first():
    inbox, outbox = receiver(replay_window=3), sender()
    messages = [outbox.frames("status", b"{}") for _ in range(4)]
    for frames in messages:
        inbox.receive(frames)
    for frames in messages[1:]:
        with pytest.raises(ReplayedMessage):
            inbox.receive(frames)
    inbox.receive(messages[0])


def test_without_a_key_the_same_message_may_come_twice():
    unsigned = Signer(b"")
    inbox = codec.Receiver(unsigned, LIMITS)
    frames = signed(HEADER, signer=unsigned)
    inbox.receive(frames)
    inbox.receive(frames)


def test_our_own_messages_are_not_taken_back():
    inbox = codec.Receiver(SIGNER, LIMITS, own_session="ours")
    inbox.receive(sender("theirs").frames("comm_msg", b"{}"))
    with pytest.raises(ReplayedMessage, match="our own"):
        inbox.receive(sender("ours").frames("comm_msg", b"{}"))


@given(
    st.lists(
        st.binary(max_size=80) | st.sampled_from([DELIMITER, HEADER, b"{}", b"0" * 64, b""]), max_size=70
    )
)
def test_any_unsigned_frames_are_refused(parts):
    any_frames.unsigned(parts)


@given(st.lists(st.binary() | json_like | st.sampled_from([HEADER, b"{}"]), min_size=4, max_size=7))
def test_any_signed_frames_are_received_or_refused(parts):
    any_frames.signed(parts)


@given(st.data())
def test_a_cut_or_changed_message_is_refused_wherever_it_is_hurt(data):
    frames = sender().frames("execute_request", b'{"code":"1"}', idents=[b"you"])
    where = data.draw(st.integers(1, 6))
    place = data.draw(st.integers(0, len(frames[where]) - 1))
    hurt = data.draw(st.sampled_from(["cut", "changed", "dropped"]))
    if hurt == "dropped":
        del frames[where]
    elif hurt == "cut":
        frames[where] = frames[where][:place]
    else:
        frames[where] = frames[where][:place] + bytes([frames[where][place] ^ 1]) + frames[where][place + 1 :]
    with pytest.raises(ProtocolError):
        receiver().receive(frames)
