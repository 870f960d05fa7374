"""One end of a link that the loop watches: what can't be sent now goes as soon as it can."""

from __future__ import annotations

import socket
from collections.abc import Callable

from holdfast.errors import LinkError
from holdfast.link.channel import Channel
from holdfast.link.messages import Frame
from holdfast.supervisor.loop import Loop


class Line:
    """Over `sock`, which this object owns; `on_readable` is called when something can be heard."""

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        on_readable: Callable[[], None],
        *,
        keeps: bool = False,
        rests: bool = False,
    ) -> None:
        """One that `keeps` leaves in the link what it hears, until that is taken off.

        Of one that `rests`, too, only what is new is told of: who hears it may leave some for later.
        """
        sock.setblocking(False)
        self._loop = loop
        self._channel = Channel(sock, keeps=keeps)
        loop.on_readable(sock.fileno(), on_readable, once=keeps or rests)

    @classmethod
    def pair(
        cls, loop: Loop, on_readable: Callable[[], None], *, keeps: bool = False
    ) -> tuple[Line, socket.socket]:
        """A new line, and the other end of it for whoever is to be there."""
        ours, theirs = socket.socketpair()
        return cls(loop, ours, on_readable, keeps=keeps), theirs

    def fileno(self) -> int:
        """Our end."""
        return self._channel.fileno()

    @property
    def ended(self) -> bool:
        """The other end is closed, or gone, or speaks nonsense."""
        return self._channel.ended

    @property
    def closed(self) -> bool:
        """We have hung up."""
        return self._channel.fileno() < 0

    def send(self, frame: Frame, *fds: int) -> None:
        """Say something; the descriptors may be closed afterwards. Nobody hears it if we have hung up."""
        if self.closed:
            return
        channel = self._channel
        channel.send(frame, *fds)
        if channel.pending and not channel.ended:
            self._loop.on_writable(channel.fileno(), self._flush)

    def heard(self) -> list[Frame]:
        """What has come."""
        return heard(self._channel)

    def numbered(self) -> list[tuple[int, Frame]]:
        """The same, each with its number on this line."""
        return _numbered(self._channel)

    @property
    def more(self) -> bool:
        """Whether more had come than was heard at once."""
        return self._channel.more

    @property
    def seen(self) -> int:
        """How many messages were heard and not taken off."""
        return self._channel.seen

    def take_off(self, number: int) -> None:
        """Messages up to this one need not be kept any more."""
        self._channel.take_off(number)

    def take_fd(self) -> int:
        """The next descriptor that came along; the caller owns it."""
        return self._channel.take_fd()

    def look_away(self) -> None:
        """Nothing more is wanted of the other end, which has ended: the loop would tell again and again."""
        self._loop.forget(self._channel.fileno())

    def close(self) -> None:
        """Hang up."""
        if not self.closed:
            self._loop.forget(self._channel.fileno())
            self._channel.close()

    def _flush(self) -> None:
        self._channel.flush()
        if not self._channel.pending or self._channel.ended:
            self._loop.on_writable(self._channel.fileno(), None)


def heard(channel: Channel) -> list[Frame]:
    """What has come on `channel`. Who speaks nonsense is no process of ours: its channel has ended."""
    return [message for _, message in _numbered(channel)]


def _numbered(channel: Channel) -> list[tuple[int, Frame]]:
    try:
        return channel.numbered()
    except LinkError:
        channel.ended = True
        return []
