"""A door: five ZeroMQ sockets, a key, and what comes through them, verified. Nothing here acts on a message.

Source: messaging.rst of jupyter_client (sockets), its kernels.rst (connection files), zmq_setsockopt(3).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import zmq

from holdfast import settings
from holdfast.access.departures import Departures
from holdfast.access.remote import CARDS, Remote
from holdfast.access.sockets import Sockets
from holdfast.access.unended import Unended
from holdfast.errors import ConnectionFileError, ProtocolError
from holdfast.protocol import connection
from holdfast.protocol.codec import Receiver, Sender
from holdfast.protocol.connection import Channel
from holdfast.protocol.messages import Message
from holdfast.protocol.notices import Card, presented
from holdfast.protocol.signing import Signer

KERNEL_USERNAME = "kernel"
"""The `username` of our headers, as ipykernel's."""

AT_ONCE, AT_ONCE_BYTES = 64, 8 * settings.MEBIBYTE
"""Messages of a channel that are read before others have their turn: some milliseconds of work, at most."""


class Door:
    """An open door. `file` is the connection file it was opened from."""

    def __init__(
        self,
        file: Path,
        context: zmq.Context[zmq.Socket[bytes]],
        session: str,
        limits: settings.Wire,
        remote: Remote | None = None,
    ) -> None:
        """Bind all five sockets. ConnectionFileError if the file or an endpoint is not usable.

        `remote`: it is the one over TCP, and what is to be known of those who come in there.
        """
        self.file = file
        self.refused = 0  # messages that were turned away
        self.last_refusal: str | None = None
        self.subscribers = 0  # clients that listen now
        self.cards: list[Card] = []  # of those that said who they are
        self.gone = 0  # clients without a card that have left
        self.on_presence: Callable[[], None] = _nothing
        """Called when somebody has come to listen, or has left."""
        self.laggard = False
        """Somebody has come to listen who may be one that was cut off for reading too slowly."""
        self.on_rest: Callable[[zmq.Socket[bytes]], None] = _leave_it  # called when more waits than was read
        self._ever_joined = False  # somebody has listened since the door is open
        self._looked = False  # for that, since the last flush
        asked = connection.read(file)
        self._limits = limits
        self._signer = Signer(asked.key.encode(), asked.signature_scheme)
        self.renew(session)
        self.remote = remote
        self.unended = Unended(limits)
        """Over TCP: what each connection brings there, and which messages came by it."""
        self.ours = remote is not None
        """Those who come in there are our own clients, who know more than Jupyter's messages."""
        self._opened = Sockets(file, asked, context, limits, remote.listen if remote else None)
        self._sockets = self._opened.by_channel
        self._departures = Departures(self._opened, limits)
        self.listening = self._opened.listening  # at TCP ports: libzmq accepts who comes there
        self.info = self._opened.info
        if self.info != asked:
            connection.write(file, self.info)

    def renew(self, session: str) -> None:
        """From now on we are `session` in every header; what was sent as another can't come back either."""
        self._receiver = Receiver(self._signer, self._limits, session)
        self._sender = Sender(self._signer, session, KERNEL_USERNAME)

    def expect_back(self, listeners: int, seconds: float) -> None:
        """Keep what is said until so many clients, who knew another supervisor, listen; at most so long."""
        self._departures.awaited.expect(listeners, seconds)
        self._ever_joined = listeners > 0

    def keep_answers(self, seconds: float) -> None:
        """For so long, keep answers for clients that are not there: their connections were closed."""
        self._departures.awaited.expect(0, seconds)

    @property
    def awaits_return(self) -> bool:
        """Whether somebody who listened to another supervisor is still on the way back, and in time."""
        return self._departures.awaited.are_on_the_way(self.subscribers)

    def wait_no_longer(self) -> None:
        """Send what was kept. Who has an answer then may count on it that he has all that came before."""
        self._departures.wait_no_longer()

    @property
    def unsent(self) -> bool:
        """Whether something waits that was said."""
        return self._departures.waiting

    @property
    def sendable(self) -> bool:
        """Whether something waits that can be sent now, if there is room."""
        return self._departures.ready

    @property
    def held(self) -> bool:
        """Whether somebody reads too slowly for more to be said."""
        return self._departures.held

    @property
    def waiting_bytes(self) -> int:
        """Of what was published and is not sent."""
        return self._departures.waiting_bytes

    @property
    def listeners(self) -> int:
        """Those who listen now; with those who are on their way back, while there are any."""
        return max(self.subscribers, self._departures.awaited.count)

    def matches(self, file: Path) -> bool:
        """Whether `file` names exactly this door, so that it need not be opened again."""
        try:
            return file == self.file and connection.read(file) == self.info
        except ConnectionFileError:
            return False

    def mend(self) -> None:
        """Listen again where a socket's file is gone: jupyter_client removes them when it restarts a kernel.

        Who is connected stays so. ConnectionFileError if it can't be.
        """
        self._opened.mend()

    @property
    def paths(self) -> list[str]:
        """Of its unix sockets."""
        return [address for address in self._opened.addresses.values() if isinstance(address, str)]

    def sources(self) -> Iterable[tuple[Channel, zmq.Socket[bytes]]]:
        """What to watch for arrivals."""
        return self._sockets.items()

    def arrivals(self, channel: Channel) -> list[Message]:
        """Some messages that wait on `channel`; what is not a proper message is counted and left out."""
        messages: list[Message] = []
        for frames, key in self._waiting(channel):
            try:
                message = self._receiver.receive(frames)
                messages.append(message if self.remote is None else self.remote.signed(message, key))
            except ProtocolError as error:
                self.refused += 1
                self.last_refusal = error.what
        return messages

    def echo_heartbeats(self) -> None:
        """Send every heartbeat back as it came."""
        with contextlib.suppress(zmq.Again):
            for frames, _ in self._waiting("hb"):
                self._sockets["hb"].send_multipart(frames, zmq.NOBLOCK)

    def greet(self) -> None:
        """Take in who has come to listen, or left, and greet who has come (messaging spec, iopub_welcome)."""
        news = False
        for (frame, *_), key in self._waiting("iopub"):
            news = True
            if (card := presented(frame[1:])) is not None:
                self._note_card(frame[1:], card, key, there=frame[:1] == b"\x01")
            elif frame[:1] == b"\x01":
                self.subscribers += 1
                self._welcome(frame[1:])
            elif frame[:1] == b"\x00":  # anybody may say so: it is for show, and never below none
                self.subscribers = max(0, self.subscribers - 1)
                self.gone += 1
        if news:
            self.on_presence()

    def send(
        self, channel: Channel, msg_type: str, content: object, *, to: Message, msg_id: str | None = None
    ) -> None:
        """Answer the message `to`. Without a `msg_id` it gets one."""
        frames = self._sender.frames(msg_type, content, parent=to.header_raw, idents=to.idents, msg_id=msg_id)
        self._departures.answer(channel, frames)

    def reply(
        self, channel: Channel, msg_type: str, content: object, metadata: object, *, to: Message
    ) -> None:
        """Answer the message `to`, with metadata. What it had asked its client is no longer of interest."""
        self._departures.forget_questions(to.header_raw)
        frames = self._sender.frames(
            msg_type, content, parent=to.header_raw, metadata=metadata, idents=to.idents
        )
        self._departures.answer(channel, frames)

    def publish(
        self,
        topic: bytes,
        msg_type: str,
        content: bytes,
        parent: bytes,
        metadata: bytes,
        buffers: Iterable[bytes] = (),
    ) -> None:
        """Send to every subscriber of this door."""
        if not self._listened_to():
            return
        frames = self._sender.frames(
            msg_type, content, parent=parent, metadata=metadata, buffers=buffers, idents=(topic,)
        )
        self._departures.publish(frames)

    def flush(self) -> set[zmq.Socket[bytes]]:
        """Send what was said since the last flush, in one go: each lone message costs a thread switch.

        Answers come last: who has one, and kills us, has what was put out before.

        Returns the sockets that were used: what has come in on them is to be looked for.
        """
        self._looked = False
        if not self._departures.gather():
            return set()
        if self._has_news():
            self.greet()  # a welcome is the first thing that a client hears
        return self._departures.leave()

    def _welcome(self, subscription: bytes) -> None:
        content = {"subscription": subscription.decode(errors="replace")}
        self._departures.greet(self._sender.frames("iopub_welcome", content, idents=(subscription,)))
        if self._departures.cut:
            self._departures.cut -= 1
            self.laggard = True

    def _note_card(self, subscription: bytes, card: Card, key: str, *, there: bool) -> None:
        if self.remote is not None and there:
            card = self.remote.named(subscription, card, key)
        elif self.remote is not None:
            card = self.remote.taken_back(subscription, card)
        if there and len(self.cards) < CARDS:
            self.cards.append(card)
        elif not there and card in self.cards:
            self.cards.remove(card)
            self.gone -= 1

    def close(self) -> None:
        """Close the sockets; unix sockets' files go with them."""
        if self._sockets:
            self.flush()
            self._departures.close()
        self._opened.close()

    def _listened_to(self) -> bool:
        """Whether anybody has ever listened, or has just begun to: nobody's door costs nothing."""
        if not self._ever_joined and not self._looked:
            self._looked = True
            self._ever_joined = self.subscribers > 0 or self._has_news()
        return self._ever_joined

    def _waiting(self, channel: Channel) -> Iterator[tuple[list[bytes], str]]:
        """With whose key it came, too."""
        return _some(self._sockets[channel], self.on_rest, self.unended if self.remote else None)

    def _has_news(self) -> bool:
        """Whether somebody has come to listen, or left, and was not yet taken in."""
        return bool(int(self._sockets["iopub"].getsockopt(zmq.EVENTS)) & zmq.POLLIN)


def open_own(prefix: Path, file: Path) -> None:
    """Write the connection file of a session's own door: unix sockets beside it, a new key."""
    connection.write(file, connection.new_ipc(prefix))


def serve(
    door: Door,
    watch: Callable[[zmq.Socket[bytes], Callable[[], None]], None],
    arrived: Callable[[Door, Channel], None],
) -> None:
    """Have `arrived` called for each of the door's channels that has something to read."""
    for channel, socket in door.sources():
        watch(socket, lambda channel=channel: arrived(door, channel))  # type: ignore[misc]


def _some(
    socket: zmq.Socket[bytes], on_rest: Callable[[zmq.Socket[bytes]], None], unended: Unended | None
) -> Iterator[tuple[list[bytes], str]]:
    """What waits at a socket. Of very much a part, as others are to be heard, too: `on_rest` is told."""
    size = 0
    for _ in range(AT_ONCE):
        try:
            frames, key = _received(socket, unended)
        except zmq.Again:
            return
        size += sum(map(len, frames))
        yield frames, key
        if size > AT_ONCE_BYTES:
            break
    on_rest(socket)


def _received(socket: zmq.Socket[bytes], unended: Unended | None) -> tuple[list[bytes], str]:
    """The frames of a message, and whose key it came with (zmq_msg_gets(3)). zmq.Again if there is none.

    `unended`: it is told by which connection. Without it nobody there has a key.
    """
    if unended is None:
        return socket.recv_multipart(zmq.NOBLOCK), ""
    frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
    key = ""
    with contextlib.suppress(zmq.ZMQError):  # the end of a subscription: nobody has sent that
        key = str(frames[-1].get("User-Id"))
        unended.heard(int(frames[-1].get(zmq.SRCFD)))
    return [frame.bytes for frame in frames], key


def _nothing() -> None:
    """Nobody wants to know."""


def _leave_it(_: zmq.Socket[bytes]) -> None:
    """Nobody reads any more."""
