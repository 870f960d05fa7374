"""The asynchronous client's end of the connection: its sockets, waited for by asyncio, and its pulse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from holdfast.client.exchange import Channel
from holdfast.client.pulse import Pulse
from holdfast.client.sockets import Sockets
from holdfast.errors import NoAnswer
from holdfast.protocol.connection import ConnectionInfo


class Line:
    """One connection, open until it is closed."""

    def __init__(
        self, connection: ConnectionInfo, identity: bytes, card: bytes, on_readable: Callable[[], None]
    ) -> None:
        """`on_readable` is called when there may be something to `read`, or the peer is `gone`."""
        self._loop = asyncio.get_running_loop()
        self._on_readable = on_readable
        self._sockets = Sockets(connection, identity, card)
        self._pulse: Pulse | None = None
        self.dropped = False
        """It was closed before its time: nothing can be sent until there is another one."""
        self.silent_since: float | None = None
        """On the loop's clock: since then nothing had come when the pulse was stopped."""
        for descriptor in self._sockets.descriptors():
            self._loop.add_reader(descriptor, on_readable)
        self._loop.call_soon(on_readable)

    def send(self, channel: Channel, frames: list[bytes], *, may_wait: bool) -> bool:
        """Hand over one message; NoAnswer if the peer takes nothing any more.

        `may_wait`: a cell, which is sent by the next line if it is not now, as one that has never arrived.
        """
        if self.dropped and may_wait:
            return False
        if self.dropped:
            raise NoAnswer("there is no connection to the session just now")
        self._sockets.send(channel, frames)
        self._loop.call_soon(self._on_readable)  # see `sockets`: a send may swallow the wake-up of a read
        return True

    def read(self) -> Iterator[tuple[Channel, list[bytes]]]:
        """What has arrived, output first; may be left earlier."""
        return iter(()) if self.dropped else self._sockets.read()

    def gone(self) -> bool:
        """Whether the peer has closed the connection since the last time this was asked."""
        return not self.dropped and self._sockets.gone()

    def feel_pulse(self, on_silence: Callable[[float | None], None]) -> None:
        """Ask from now on whether the peer is alive (see `Pulse`)."""
        if self._pulse is None:
            self._pulse = Pulse(self._sockets.heartbeat(), on_silence)

    def stop_pulse(self) -> bool:
        """Ask no more; whether that was done."""
        pulse, self._pulse = self._pulse, None
        if pulse is not None:
            self.silent_since = pulse.silent_since
            pulse.close()
        return pulse is not None

    def drop(self) -> None:
        """It leads nowhere: close everything.

        ZeroMQ would connect it anew by itself, and an interrupt that was meant for a cell of before the cut
        would come to the one that runs after it.
        """
        self.close(at_once=True)
        self.dropped = True

    def close(self, *, at_once: bool = False) -> None:
        """Close everything; what was sent last may still leave, or not even that."""
        self.stop_pulse()
        if self.dropped:
            return
        for descriptor in self._sockets.descriptors():
            self._loop.remove_reader(descriptor)
        self._sockets.close(at_once=at_once)
