"""People without a key who push data into a door over TCP: `kit.strangers PORT COUNT FRAME FROM AGAIN`.

A process of its own: it begins at each line on standard input, stops at the next, and says so. Half of its
connections announce a frame as large as one may be, half a far larger one.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + b"\0" * 32
PIECE = b"x" * 65_536
AT_ONCE = 64
"""Pieces between two looks at standard input."""


class Strangers:
    """Such a process, for a `with` block. `again`: who is hung up on comes again."""

    def __init__(
        self, base: int, count: int, frame: int, address: str = "127.0.0.1", *, again: bool = False
    ) -> None:
        arguments = [str(each) for each in (base, count, frame, address, int(again))]
        self._process = subprocess.Popen(
            ["nice", "-n", "19", sys.executable, "-m", "kit.strangers", *arguments],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def turn(self) -> int:
        """Begin if they pause, and pause if they have begun; connections that they have begun so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class _Crowd:
    def __init__(self, base: int, count: int, frame: int, address: str, again: int) -> None:
        self._base, self._count, self._again = base, count, again
        self._address = address
        self._sizes = (frame - 64, 64 * frame)
        self._poll = select.poll()
        self._open: dict[int, socket.socket] = {}
        self.made = 0

    def come(self) -> None:
        """All that are not there."""
        while len(self._open) < self._count:
            sock = socket.socket()
            sock.bind((self._address, 0))
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self._base + self.made % 5))
            self._open[sock.fileno()] = sock
            self._poll.register(sock, select.POLLOUT)
            with contextlib.suppress(OSError):
                sock.send(GREETING + b"\x06" + self._sizes[self.made // 5 % 2].to_bytes(8))
            self.made += 1

    def push(self) -> None:
        """Some pieces, wherever they are taken."""
        for descriptor, _ in self._poll.poll(20)[:AT_ONCE]:
            try:
                self._open[descriptor].send(PIECE)
            except BlockingIOError:
                continue
            except OSError:
                self._leave(descriptor)
        if self._again:
            self.come()

    def leave(self) -> None:
        """All go."""
        for descriptor in list(self._open):
            self._leave(descriptor)

    def _leave(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._open.pop(descriptor).close()


def _main(base: int, count: int, frame: int, address: str, again: int) -> None:
    crowd = _Crowd(base, count, frame, address, again)
    told = sys.stdin.buffer.raw  # nothing of it may wait in a buffer
    pushing = False
    while True:
        if select.select([told], [], [], 0 if pushing else None)[0]:
            if not told.read(1):
                return
            pushing = not pushing
            if pushing:
                crowd.come()
            else:
                crowd.leave()
            print(crowd.made, flush=True)
        if pushing:
            crowd.push()


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:4]), sys.argv[4], int(sys.argv[5]))
