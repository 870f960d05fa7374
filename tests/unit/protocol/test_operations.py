import json

import msgspec
import pytest

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec, operations


@pytest.mark.parametrize("name", sorted(operations.OPERATIONS))
def test_the_control_channel_asks_by_a_type_of_its_own_unless_it_may_not(name):
    expected = None if operations.OPERATIONS[name].doorbell_only else name
    assert operations.asked(operations.request_type(name)) == expected
    assert operations.asked(operations.reply_type(name)) is None


@pytest.mark.parametrize(
    "kind", ["", "info", "info_request", "holdfast_info", "holdfast__request", "holdfast_x_request"]
)
def test_other_message_types_ask_for_none_of_our_operations(kind):
    assert operations.asked(kind) is None


def test_opening_a_door_is_left_to_processes_of_the_same_user():
    assert operations.asked("holdfast_open_door_request") is None
    door = operations.arguments("open_door", {"op": "open_door", "file": "/a", "hold": True})
    assert door == operations.OpenDoor("/a", hold=True)


def test_arguments_have_defaults_and_tolerate_what_is_not_known():
    assert operations.arguments("log", {"op": "log", "colour": "red"}) == operations.LogRequest(None)
    assert operations.arguments("interrupt", {}) == operations.Interrupt(force=False)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("sing", {}),
        ("", {}),
        ("log", {"last": "3"}),
        ("log", {"last": -1}),
        ("resume", {}),
        ("resume", {"after": 2**64}),
        ("open_door", {"file": 1}),
        ("interrupt", {"force": "yes"}),
    ],
)
def test_wrong_arguments_are_refused(name, given):
    with pytest.raises(MalformedMessage):
        operations.arguments(name, given)


def test_an_answer_is_understood_by_who_asked():
    log = operations.Log(
        [
            operations.CellEntry(
                id=1, code="1", client="ana", status="ok", outputs=[operations.OutputEntry("stream", {})]
            )
        ]
    )
    assert operations.answer("log", json.loads(codec.encode(log))) == log
    with pytest.raises(MalformedMessage, match="log: "):
        operations.answer("log", {"cells": 1})


def test_a_published_message_is_passed_on_as_it_is():
    empty, text = msgspec.Raw(b"{}"), msgspec.Raw(b'{"text" : 1}')
    raw = codec.encode(operations.Resumed(3, 1, [operations.Published(empty, empty, empty, text)]))
    assert bytes(operations.answer("resume", raw).messages[0].content) == b'{"text" : 1}'
    assert bytes(operations.answer("resume", json.loads(raw)).messages[0].content) == b'{"text":1}'
