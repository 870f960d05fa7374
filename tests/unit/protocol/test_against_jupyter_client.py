"""Both directions of the wire against the implementation that all Jupyter frontends build on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session

from holdfast import settings
from holdfast.errors import BadSignature
from holdfast.protocol import codec, content
from holdfast.protocol.messages import DELIMITER
from holdfast.protocol.signing import Signer

KEY = b"shared by both"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
objects = st.dictionaries(
    texts, values | st.lists(values, max_size=3) | st.dictionaries(texts, values, max_size=3)
)


def theirs(key=KEY, scheme="hmac-sha256"):
    return Session(key=key, signature_scheme=scheme, username="bea")


def sent_by(session, *args, **more):
    message = session.msg(*args, **more)
    return message, session.serialize(message, [b"you"])


@given(texts, objects, objects, objects)
def test_what_jupyter_client_sends_is_received(kind, content_, metadata, parent_content):
    session = theirs()
    parent = session.msg("parent_request", parent_content)
    message, frames = sent_by(session, kind, content_, parent=parent, metadata=metadata)
    received = codec.Receiver(Signer(KEY), settings.Wire()).receive([*frames, b"a buffer"])
    assert received.header.msg_type == kind
    assert received.header.msg_id == message["header"]["msg_id"]
    assert (received.header.session, received.header.username) == (session.session, "bea")
    assert session.unpack(received.content_raw) == content_
    assert codec.decode(received.content_raw, dict, "content") == content_
    assert codec.decode(received.metadata_raw, dict, "metadata") == metadata
    assert codec.decode(received.parent_raw, dict, "parent")["msg_id"] == parent["header"]["msg_id"]
    assert (received.idents, received.buffers) == ([b"you"], [b"a buffer"])


@given(texts, objects, objects)
def test_what_we_send_is_received_by_jupyter_client(kind, content_, metadata):
    session, outbox = theirs(), codec.Sender(Signer(KEY), "ours", "ana")
    request, frames = sent_by(session, "execute_request", {})
    parent = codec.Receiver(Signer(KEY), settings.Wire()).receive(frames).header_raw
    idents, rest = session.feed_identities(
        outbox.frames(kind, content_, parent=parent, metadata=metadata, buffers=[b"b"], idents=[b"you"])
    )
    received = session.deserialize(rest)
    assert idents == [b"you"]
    assert received["msg_type"] == kind
    assert received["header"]["session"] == "ours"
    assert received["header"]["date"].utcoffset() is not None
    assert received["parent_header"]["msg_id"] == request["header"]["msg_id"]
    assert (received["content"], received["metadata"]) == (content_, metadata)
    assert [bytes(buffer) for buffer in received["buffers"]] == [b"b"]


@pytest.mark.parametrize("scheme", ["hmac-sha256", "hmac-sha512", "hmac-md5", "hmac-blake2b"])
def test_both_sign_alike_in_every_scheme(scheme):
    session, signer = theirs(scheme=scheme), Signer(KEY, scheme)
    parts = [b"{}", b"{}", b"{}", b'{"a":1}']
    assert signer.sign(*parts) == session.sign(parts)


def test_without_a_key_neither_signs():
    session, signer = theirs(key=b""), Signer(b"")
    _, frames = sent_by(session, "kernel_info_request", {})
    codec.Receiver(signer, settings.Wire()).receive(frames)
    session.deserialize(session.feed_identities(codec.Sender(signer, "s", "u").frames("status", {}))[1])


def test_both_refuse_the_other_with_another_key():
    session = theirs(key=b"one key")
    _, frames = sent_by(session, "kernel_info_request", {})
    with pytest.raises(BadSignature):
        codec.Receiver(Signer(b"another"), settings.Wire()).receive(frames)
    ours = codec.Sender(Signer(b"another"), "s", "u").frames("status", {})
    with pytest.raises(ValueError, match="Invalid Signature"):
        session.deserialize(ours[ours.index(DELIMITER) + 1 :])


def test_a_thousand_messages_of_ours_are_never_taken_for_duplicates():
    session, outbox = theirs(), codec.Sender(Signer(KEY), "ours", "ana", now=lambda: "2024-05-01T00:00:00Z")
    for _ in range(1000):
        session.deserialize(outbox.frames("status", b'{"execution_state":"busy"}')[1:])


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("kernel_info_request", {}),
        (
            "execute_request",
            {
                "code": "1",
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": True,
                "stop_on_error": True,
            },
        ),
        ("complete_request", {"code": "a.", "cursor_pos": 2}),
        ("inspect_request", {"code": "a", "cursor_pos": 1, "detail_level": 0}),
        (
            "history_request",
            {"raw": True, "output": False, "hist_access_type": "range", "session": 0, "start": 0},
        ),
        ("is_complete_request", {"code": "if 1:"}),
        ("comm_info_request", {}),
        ("shutdown_request", {"restart": True}),
        ("input_reply", {"value": "x"}),
    ],
)
def test_requests_as_the_stock_client_makes_them_are_understood(kind, sent):
    _, frames = sent_by(theirs(), kind, sent)
    received = codec.Receiver(Signer(KEY), settings.Wire()).receive(frames)
    request = codec.decode(received.content_raw, content.REQUESTS[kind], kind)
    for name, value in sent.items():
        assert getattr(request, name) == value
