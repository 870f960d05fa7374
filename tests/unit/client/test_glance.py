"""What a session says at once: read as the supervisor writes it, or not at all."""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from holdfast.client import glance
from holdfast.client.doorbell import DoorbellClient
from holdfast.client.past import recent
from holdfast.protocol import operations
from holdfast.protocol.doorbell import encode_line


def looked(*told: object) -> glance.Glance | None:
    """What is made of a session's answers."""
    ours, theirs = socket.socketpair()
    with theirs, DoorbellClient(ours, "work") as bell:
        for each in told:
            theirs.sendall(encode_line({"ok": True} | msgspec.json.decode(msgspec.json.encode(each))))
        return glance.look(bell, 10)


INFO = operations.Info(
    name="work",
    state="busy",
    pid=1,
    python="3.11.7",
    execution_count=4,
    cells=3,
    running=operations.Running(4, "ana", 17.0, "abcd"),
    started=1.0,
    cwd="/",
    restore_point="",
    connection_file="run/notes/connection.json",
    epoch=2,
)


def cell(code: str, **more: Any) -> operations.RecentCell:
    header = msgspec.Raw(b'{"msg_id":"m1","msg_type":"execute_request","username":"ana","session":"abcd"}')
    return operations.RecentCell(header=header, client="ana", code=code, count=4, ended=False, **more)


def test_it_says_what_the_first_prompt_needs() -> None:
    output = operations.RecentOutput("stream", msgspec.Raw(b"{}"))
    last = operations.Recent(2, 9, [cell("1", messages=[output])])
    company = operations.Clients([operations.Attached("ana", "jupyter", "abcd")])
    told = looked(last, company, INFO)

    assert told is not None
    assert told.here.running == (4, "ana", 17.0, "abcd")
    assert (told.here.execution_count, told.here.asks, told.clients) == (
        4,
        False,
        [("ana", "abcd", "jupyter")],
    )
    assert (told.recent.position, told.recent.begun) == ((2, 9), "m1")
    assert told.recent.cells[0].messages == [("stream", {})]


def test_what_makes_no_sense_says_nothing() -> None:
    assert looked({}, {}, {}) is None
    assert looked({"cells": [3]}, {}, {}) is None


def test_a_session_that_says_nothing_is_not_waited_for_long() -> None:
    assert looked() is None


def test_before_the_first_cell_none_has_begun() -> None:
    assert recent({"cells": [], "epoch": 1, "seq": 0}).begun == ""
