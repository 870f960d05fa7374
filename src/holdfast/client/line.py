"""The asynchronous client's end of the connection: its sockets, waited for by asyncio, and its pulse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from holdfast.client.exchange import Channel
from holdfast.client.pulse import Pulse
from holdfast.client.sockets import Sockets
from holdfast.protocol.connection import ConnectionInfo


class Line:
    """One connection, open until it is closed."""

    def __init__(
        self, connection: ConnectionInfo, identity: str, card: bytes, on_readable: Callable[[], None]
    ) -> None:
        """`on_readable` is called when there may be something to `read`, or the peer is `gone`."""
        self._loop = asyncio.get_running_loop()
        self._on_readable = on_readable
        self._sockets = Sockets(connection, identity.encode(), card)
        self._pulse: Pulse | None = None
        for descriptor in self._sockets.descriptors():
            self._loop.add_reader(descriptor, on_readable)
        self._loop.call_soon(on_readable)

    def send(self, channel: Channel, frames: list[bytes]) -> None:
        """Hand over one message; NoAnswer if the peer takes nothing any more."""
        self._sockets.send(channel, frames)
        self._loop.call_soon(self._on_readable)  # see `sockets`: a send may swallow the wake-up of a read

    def read(self) -> Iterator[tuple[Channel, list[bytes]]]:
        """What has arrived, output first; may be left earlier."""
        return self._sockets.read()

    def gone(self) -> bool:
        """Whether the peer has closed the connection since the last time this was asked."""
        return self._sockets.gone()

    def feel_pulse(self, on_silence: Callable[[float | None], None]) -> None:
        """Ask from now on whether the peer is alive (see `Pulse`)."""
        if self._pulse is None:
            self._pulse = Pulse(self._sockets.heartbeat(), on_silence)

    def stop_pulse(self) -> bool:
        """Ask no more; whether that was done."""
        pulse, self._pulse = self._pulse, None
        if pulse is not None:
            pulse.close()
        return pulse is not None

    def close(self) -> None:
        """Close everything."""
        self.stop_pulse()
        for descriptor in self._sockets.descriptors():
            self._loop.remove_reader(descriptor)
        self._sockets.close()
