"""A door: five ZeroMQ sockets, a key, and what comes through them, verified. Nothing here acts on a message.

Source: messaging.rst of jupyter_client (sockets), its kernels.rst (connection files), zmq_setsockopt(3).
"""

from __future__ import annotations

import contextlib
import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import zmq
from zmq.backend import Socket as _Backend

from holdfast import settings
from holdfast.access.awaited import Awaited
from holdfast.access.remote import CARDS, Remote
from holdfast.access.sockets import Sockets
from holdfast.errors import ConnectionFileError, ProtocolError
from holdfast.protocol import connection
from holdfast.protocol.codec import Receiver, Sender
from holdfast.protocol.connection import Channel
from holdfast.protocol.messages import Message
from holdfast.protocol.notices import Card, presented
from holdfast.protocol.signing import Signer

KERNEL_USERNAME = "kernel"
"""The `username` of our headers, as ipykernel's."""

_zmq_send = _Backend.send
_NOBLOCK, _NOBLOCK_MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)
_COPIED_BYTES = 65_536
"""Frames below are copied into ZeroMQ's own memory, which is quicker than sharing ours."""
_AT_ONCE, _AT_ONCE_BYTES = 64, 8 * settings.MEBIBYTE
"""Messages of a channel that are read before others have their turn: some milliseconds of work, at most."""
_EARLY_MESSAGES = 256
"""Kept until the client that is asked is there: each of its sockets connects by itself, and one that ran a
cell may have no stdin yet. A question that is lost is a cell that waits for ever. The same for replies, while
clients of a supervisor that was killed come back."""


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
        self._published: list[list[bytes]] = []  # not yet sent
        self._answers: deque[tuple[Channel, list[bytes]]] = deque()  # not yet sent
        self._early: deque[tuple[Channel, list[bytes]]] = deque(maxlen=_EARLY_MESSAGES)  # nobody is there yet
        self._awaited = Awaited()  # who listened to another supervisor
        self._delayed = False  # much was kept: answers wait for another flush, when all of that has left
        self.subscribers = 0  # clients that listen now
        self.cards: list[Card] = []  # of those that said who they are
        self.on_presence: Callable[[], None] = _nothing
        """Called when somebody has come to listen, or has left."""
        self.on_rest: Callable[[zmq.Socket[bytes]], None] = _leave_it  # called when more waits than was read
        self._ever_joined = False  # somebody has listened since the door is open
        self._looked = False  # for that, since the last flush
        asked = connection.read(file)
        self._limits = limits
        self._signer = Signer(asked.key.encode(), asked.signature_scheme)
        self.renew(session)
        self.remote = remote
        self.ours = remote is not None
        """Those who come in there are our own clients, who know more than Jupyter's messages."""
        self._opened = Sockets(file, asked, context, limits, remote.listen if remote else None)
        self._sockets = self._opened.by_channel
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
        self._awaited.expect(listeners, seconds)
        self._ever_joined = listeners > 0

    @property
    def awaits_return(self) -> bool:
        """Whether somebody who listened to another supervisor is still on the way back, and in time."""
        return self._awaited.are_on_the_way(self.subscribers)

    def wait_no_longer(self) -> None:
        """Send what was kept. Who has an answer then may count on it that he has all that came before."""
        self._awaited.no_longer()
        self._delayed = True

    @property
    def unsent(self) -> bool:
        """Whether something waits that was said."""
        return bool(self._published or self._answers) or (bool(self._early) and self._awaited.may_still_come)

    @property
    def sendable(self) -> bool:
        """Whether something waits that can be sent now."""
        return bool(self._published or self._answers) and not self._awaited.count

    @property
    def listeners(self) -> int:
        """Those who listen now; with those who are on their way back, while there are any."""
        return max(self.subscribers, self._awaited.count)

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

    def reopen(self) -> None:
        """Close all connections, of the door over TCP, and listen on: who may still come in comes again."""
        self._opened.again()
        self.subscribers = 0
        self.cards.clear()
        if self.remote is not None:
            self.remote.forget_cards()

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
        socket = self._sockets["iopub"]
        news = False
        for (frame, *_), key in self._waiting("iopub"):
            news = True
            if (card := presented(frame[1:])) is not None:
                self._note_card(frame[1:], card, key, there=frame[:1] == b"\x01")
            elif frame[:1] == b"\x01":
                self.subscribers += 1
                content = {"subscription": frame[1:].decode(errors="replace")}
                with contextlib.suppress(zmq.Again):
                    _send_all(socket, self._sender.frames("iopub_welcome", content, idents=(frame[1:],)))
            elif frame[:1] == b"\x00":  # anybody may say so: it is for show, and never below none
                self.subscribers = max(0, self.subscribers - 1)
        if news:
            self.on_presence()

    def send(
        self, channel: Channel, msg_type: str, content: object, *, to: Message, msg_id: str | None = None
    ) -> None:
        """Answer the message `to`. Without a `msg_id` it gets one."""
        frames = self._sender.frames(msg_type, content, parent=to.header_raw, idents=to.idents, msg_id=msg_id)
        self._answers.append((channel, frames))

    def reply(
        self, channel: Channel, msg_type: str, content: object, metadata: object, *, to: Message
    ) -> None:
        """Answer the message `to`, with metadata. What it had asked its client is no longer of interest."""
        for asked in [each for each in self._early if to.header_raw in each[1]]:
            self._early.remove(asked)
        frames = self._sender.frames(
            msg_type, content, parent=to.header_raw, metadata=metadata, idents=to.idents
        )
        self._answers.append((channel, frames))

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
        self._published.append(frames)

    def flush(self) -> set[zmq.Socket[bytes]]:
        """Send what was said since the last flush, in one go: each lone message costs a thread switch.

        Answers come last: who has one, and kills us, has what was put out before.

        Returns the sockets that were used: what has come in on them is to be looked for.
        """
        self._looked = False
        if self._early:
            self._answers.extendleft(reversed(self._early))
            self._early.clear()
        if not self._published and not self._answers:
            return set()
        iopub = self._sockets["iopub"]
        used = {iopub}
        if self._has_news():
            self.greet()  # a welcome is the first thing that a client hears
        if self._awaited.count:
            return used
        for frames in self._published:
            with contextlib.suppress(zmq.ZMQError):  # nobody takes it
                _send_all(iopub, frames)
        self._published.clear()
        if self._delayed:
            self._delayed = False
        else:
            used |= self._send_answers()
        return used

    def _send_answers(self) -> set[zmq.Socket[bytes]]:
        used = set()
        while self._answers:
            channel, frames = self._answers.popleft()
            socket = self._sockets[channel]
            used.add(socket)
            try:
                _send_all(socket, frames)
            except zmq.ZMQError as error:  # a client that is gone, never reads, or is not yet there
                late = channel == "stdin" or self._awaited.may_still_come
                if late and error.errno == errno.EHOSTUNREACH:
                    self._early.append((channel, frames))
        return used

    def _note_card(self, subscription: bytes, card: Card, key: str, *, there: bool) -> None:
        if self.remote is not None and there:
            card = self.remote.named(subscription, card, key)
        elif self.remote is not None:
            card = self.remote.taken_back(subscription, card)
        if there and len(self.cards) < CARDS:
            self.cards.append(card)
        elif not there and card in self.cards:
            self.cards.remove(card)

    def close(self) -> None:
        """Close the sockets; unix sockets' files go with them."""
        if self._sockets:
            self.flush()
        self._opened.close()

    def _listened_to(self) -> bool:
        """Whether anybody has ever listened, or has just begun to: nobody's door costs nothing."""
        if not self._ever_joined and not self._looked:
            self._looked = True
            self._ever_joined = self.subscribers > 0 or self._has_news()
        return self._ever_joined

    def _waiting(self, channel: Channel) -> Iterator[tuple[list[bytes], str]]:
        """With whose key it came, too."""
        return _some(self._sockets[channel], self.on_rest, with_key=self.remote is not None)

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
    socket: zmq.Socket[bytes], on_rest: Callable[[zmq.Socket[bytes]], None], *, with_key: bool
) -> Iterator[tuple[list[bytes], str]]:
    """What waits at a socket. Of very much a part, as others are to be heard, too: `on_rest` is told."""
    size = 0
    for _ in range(_AT_ONCE):
        try:
            frames, key = _received(socket, with_key=with_key)
        except zmq.Again:
            return
        size += sum(map(len, frames))
        yield frames, key
        if size > _AT_ONCE_BYTES:
            break
    on_rest(socket)


def _received(socket: zmq.Socket[bytes], *, with_key: bool) -> tuple[list[bytes], str]:
    """The frames of a message, and whose key it came with (zmq_msg_gets(3)). zmq.Again if there is none."""
    if not with_key:
        return socket.recv_multipart(zmq.NOBLOCK), ""
    frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
    try:
        key = str(frames[-1].get("User-Id"))
    except zmq.ZMQError:  # the end of a subscription: nobody has sent that
        key = ""
    return [frame.bytes for frame in frames], key


def _send_all(socket: zmq.Socket[bytes], frames: list[bytes]) -> None:
    """Send a message's frames: `send_multipart` without what it spends on each (6 of 8 microseconds)."""
    last = len(frames) - 1
    for number, frame in enumerate(frames):
        flags = _NOBLOCK if number == last else _NOBLOCK_MORE
        _zmq_send(socket, frame, flags, copy=len(frame) < _COPIED_BYTES)  # type: ignore[call-overload]


def _nothing() -> None:
    """Nobody wants to know."""


def _leave_it(_: zmq.Socket[bytes]) -> None:
    """Nobody reads any more."""
