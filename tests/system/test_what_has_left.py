"""A process that is killed right after its I/O threads were idle takes no message along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import zmq

from kit.deadline import Deadline
from kit.kernel import scratch

TRIES = 20
"""Without the wait some nine of ten lose something here, on a machine that is busy."""

BURST = 60
"""Messages, of some four writes of libzmq's (8 KiB each)."""

SENDER = f"""
import os, signal, sys, zmq
from holdfast.access.iothreads import IoThreads
socket = zmq.Context().socket(zmq.XPUB)
socket.bind(sys.argv[1])
socket.recv()
for number in range({BURST}):
    socket.send(b"%d " % number + b"x" * 500)
assert IoThreads().wait_until_idle(10)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_sent_before_arrives_although_the_sender_is_killed() -> None:
    with scratch() as folder:
        for number in range(TRIES):
            assert received(folder / str(number)) == list(range(BURST))


def received(path: Path) -> list[int]:
    """The numbers that come from a sender that is killed."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.set_hwm(0)
        socket.subscribe(b"")
        closed = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        socket.connect(f"ipc://{path}")
        with subprocess.Popen([sys.executable, "-c", SENDER, f"ipc://{path}"]) as sender:
            sender.wait(Deadline(30).left_ms() / 1e3)
        assert closed.poll(Deadline(10).left_ms())  # all that came before is in the queue
        messages = []
        while socket.poll(0):
            messages.append(int(socket.recv().split()[0]))
        closed.close()
        socket.disable_monitor()
        return messages
