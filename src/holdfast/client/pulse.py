"""Whether the kernel is still there, though the connection stands: its heartbeat, asked every few seconds.

A process that is stopped, or swapped out, or in a machine that sleeps, closes no socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import zmq

EVERY_SECONDS = 3.0
"""Between two beats: a supervisor with twenty consoles wakes seven times a second for it."""

SILENT_SECONDS = 5.0
"""A supervisor echoes within a millisecond; on a machine that is out of breath within a second or two."""


class Pulse:
    """Of one connection. `on_silence` is told None when it falls silent, and for how long when it is back."""

    def __init__(self, socket: zmq.Socket[bytes], on_silence: Callable[[float | None], None]) -> None:
        """`socket`: a DEALER, connected to the heartbeat; ours from now on."""
        self._socket = socket
        self._on_silence = on_silence
        self.silent_since: float | None = None
        """On the loop's clock, while it is silent."""
        self._loop = asyncio.get_running_loop()
        self._echo = asyncio.Event()
        self._loop.add_reader(int(socket.getsockopt(zmq.FD)), self._read)
        self._watching = self._loop.create_task(self._watch())

    def close(self) -> None:
        """Stop asking."""
        self._watching.cancel()
        self._loop.remove_reader(int(self._socket.getsockopt(zmq.FD)))
        self._socket.close(linger=0)

    async def _watch(self) -> None:
        while True:
            asked = self._loop.time()
            self._ask()
            if not await self._echoed(SILENT_SECONDS):
                self.silent_since = asked
                self._on_silence(None)
                await self._echo.wait()
                self.silent_since = None
                self._on_silence(self._loop.time() - asked)
            due = asyncio.Event()
            self._loop.call_later(EVERY_SECONDS, due.set)
            await due.wait()

    def _ask(self) -> None:
        self._echo.clear()
        try:
            self._socket.send(b"beat", zmq.NOBLOCK)
        except zmq.Again:  # nobody takes it: that it is silent is found out in any case
            return
        self._loop.call_soon(self._read)  # see `sockets`: a send may swallow the wake-up of a read

    async def _echoed(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._echo.wait()
        except TimeoutError:
            self._read()  # we may have been stopped ourselves
        return self._echo.is_set()

    def _read(self) -> None:
        if self._socket.closed:
            return
        try:
            while True:
                self._socket.recv(zmq.NOBLOCK)
                self._echo.set()
        except zmq.Again:
            return
