"""The command line's end of a doorbell; the supervisor's end is played by a thread."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from holdfast.client.doorbell import DoorbellClient
from holdfast.errors import NoAnswer, SessionError
from kit.kernel import scratch

SECONDS = 20.0


@contextmanager
def rung(play: Callable[[socket.socket], None]) -> Iterator[DoorbellClient]:
    """A client whose other end does `play`, then hangs up."""
    with scratch() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "doorbell"))
        server.listen()
        server.settimeout(SECONDS)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(SECONDS)
                play(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        with DoorbellClient.connect(folder / "doorbell", "work") as bell:
            yield bell
        thread.join()


def say(connection: socket.socket, *objects: object) -> None:
    connection.sendall(b"".join(json.dumps(each).encode() + b"\n" for each in objects))


def test_an_answer_is_what_was_asked_for() -> None:
    def play(connection: socket.socket) -> None:
        request = json.loads(connection.recv(1000))
        say(connection, {"ok": True, "name": request["op"], "got": request["last"]})

    with rung(play) as bell:
        assert bell.ask("log", last=3) == {"name": "log", "got": 3}


def test_an_answer_may_come_in_any_pieces() -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(1000)
        for byte in json.dumps({"ok": True, "text": "ü" * 50}, ensure_ascii=False).encode() + b"\n":
            connection.sendall(bytes([byte]))

    with rung(play) as bell:
        assert bell.ask("log") == {"text": "ü" * 50}


def test_a_refusal_is_an_error_in_the_supervisors_words() -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(1000)
        say(connection, {"ok": False, "what": "can't", "remedy": "don't"})

    with rung(play) as bell, pytest.raises(SessionError, match="can't") as caught:
        bell.ask("stop")
    assert caught.value.remedy == "don't"


def test_events_that_come_before_the_answer_are_not_lost() -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(1000)
        say(connection, {"event": "one"}, {"ok": True}, {"event": "two"})

    with rung(play) as bell:
        assert bell.ask("info") == {}
        assert bell.receive() == [{"event": "one"}, {"event": "two"}]
        assert bell.receive() is None


@pytest.mark.parametrize("last_words", [b"", b'{"ok": tr'])
def test_a_supervisor_that_hangs_up_is_told(last_words: bytes) -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(last_words)

    with rung(play) as bell, pytest.raises(NoAnswer, match="the supervisor of 'work' hung up"):
        bell.ask("info")


def test_a_supervisor_that_hangs_is_not_waited_for_for_ever() -> None:
    done = threading.Event()

    def play(connection: socket.socket) -> None:
        done.wait(SECONDS)

    with rung(play) as bell:
        with pytest.raises(NoAnswer, match="does not answer"):
            bell.ask("info", timeout=0.05)
        done.set()


def test_nonsense_is_told() -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"ring ring\n")

    with rung(play) as bell, pytest.raises(NoAnswer, match="can't be understood"):
        bell.ask("info")


def test_a_doorbell_of_another_user_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "doorbell"))
        server.listen()
        somebody = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: somebody)
        with pytest.raises(NoAnswer, match="belongs to a process of user"):
            DoorbellClient.connect(folder / "doorbell", "work")


def test_several_things_asked_at_once_are_answered_in_their_order_though_events_come_between() -> None:
    def play(connection: socket.socket) -> None:
        lines = b""
        while lines.count(b"\n") < 2:
            lines += connection.recv(1000)
        first, second = map(json.loads, lines.splitlines())
        say(connection, {"ok": True, "name": first["op"]}, {"event": "closed"})
        say(connection, {"ok": True, "name": second["op"], "got": second["cells"]})

    with rung(play) as bell:
        assert bell.ask_all(("info", {}), ("recent", {"cells": 3})) == [
            {"name": "info"},
            {"name": "recent", "got": 3},
        ]
        assert bell.receive() == [{"event": "closed"}]


@pytest.mark.parametrize("line", [b"3", b'"ok"', b"[]", b"{", b"[" * 200_000, b"\xff"])
def test_an_answer_that_is_none_is_said_to_be_that(line: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs, DoorbellClient(ours, "work") as bell:
        theirs.sendall(line + b"\n")
        with pytest.raises(NoAnswer, match="answers what can't be understood"):
            bell.ask("info", timeout=5)


def test_an_answer_without_an_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.client.doorbell.MOST_BYTES", 100_000)
    ours, theirs = socket.socketpair()
    with theirs, DoorbellClient(ours, "work") as bell:
        theirs.sendall(b"x" * 150_000)
        with pytest.raises(NoAnswer, match="answers without an end"):
            bell.ask("info", timeout=5)
