"""Descriptors that tell of something urgent, as the kernel's pressure triggers do: here TCP's urgent byte."""

from __future__ import annotations

import socket

from holdfast.supervisor.loop import Loop

DEADLINE = 10.0


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return one, server.accept()[0]


def test_what_is_urgent_is_told_and_what_is_only_readable_is_not() -> None:
    one, other = pair()
    with one, other:
        loop = Loop()
        told: list[bytes] = []

        def hear() -> None:
            told.append(other.recv(1, socket.MSG_OOB))
            loop.stop()

        loop.on_urgent(other.fileno(), hear)
        one.send(b"plain")
        loop.later(0.0, lambda: one.send(b"!", socket.MSG_OOB))
        loop.later(DEADLINE, loop.stop)
        loop.run()
        loop.forget(other.fileno())
        assert told == [b"!"]
