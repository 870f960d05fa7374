"""What a door has to say, until it is said: kept in its order, for clients who are late, or slow.

published      waits for those who are on their way back from another supervisor, and for who reads too slowly
               until there is room again. Meanwhile the worker is not heard, and so has to wait, too.
answers        come after what was published before: who has one, and kills us, has all that
too slow       for longer than `subscriber_seconds`: cut off (see `laggards`)

Nothing here is read or understood.
"""

from __future__ import annotations

import contextlib
import errno
from collections import deque

import zmq
from zmq.backend import Socket as _Backend

from holdfast import settings
from holdfast.access.awaited import Awaited
from holdfast.access.laggards import Unread
from holdfast.access.sockets import Sockets
from holdfast.protocol.connection import Channel

_zmq_send = _Backend.send
_NOBLOCK, _NOBLOCK_MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)
_COPIED_BYTES = 65_536
"""Frames below are copied into ZeroMQ's own memory, which is quicker than sharing ours."""
_EARLY_MESSAGES = 256
"""Kept until the client that is asked is there: each of its sockets connects by itself, and one that ran a
cell may have no stdin yet. A question that is lost is a cell that waits for ever. The same for replies, while
clients of a supervisor that was killed come back."""


class Departures:
    """Of one door."""

    def __init__(self, opened: Sockets, limits: settings.Wire) -> None:
        self._sockets = opened.by_channel
        self._published: deque[list[bytes]] = deque()  # not yet sent
        self.waiting_bytes = 0
        """Of those."""
        self._answers: deque[tuple[Channel, list[bytes]]] = deque()  # not yet sent
        self._early: deque[tuple[Channel, list[bytes]]] = deque(maxlen=_EARLY_MESSAGES)  # nobody is there yet
        self._delayed = False  # much was kept: answers wait for another flush, when all of that has left
        self.awaited = Awaited()
        self.held = False
        """Somebody reads too slowly for more to be said."""
        self.cut = 0
        """Readers who were cut off and have not come back."""
        self._unread = {channel: Unread(limits, address) for channel, address in opened.addresses.items()}

    def publish(self, frames: list[bytes]) -> None:
        """For every subscriber."""
        self.waiting_bytes += sum(map(len, frames))
        self._published.append(frames)

    def answer(self, channel: Channel, frames: list[bytes]) -> None:
        """For the one whose identity it begins with."""
        self._answers.append((channel, frames))

    def forget_questions(self, header: bytes) -> None:
        """What the request with that header had asked its client is no longer of interest."""
        for asked in [each for each in self._early if header in each[1]]:
            self._early.remove(asked)

    @property
    def waiting(self) -> bool:
        """Whether something waits, for whatever it be."""
        return bool(self._published or self._answers) or (bool(self._early) and self.awaited.may_still_come)

    @property
    def ready(self) -> bool:
        """Whether something waits that is about to be sent, if there is room."""
        return bool(self._published or self._answers) and not self.awaited.count

    def wait_no_longer(self) -> None:
        """Send what was kept. Who has an answer then may count on it that he has all that came before."""
        self.awaited.no_longer()
        self._delayed = True

    def gather(self) -> bool:
        """Take up what nobody was there for; whether there is anything to send."""
        if self._early:
            self._answers.extendleft(reversed(self._early))
            self._early.clear()
        return bool(self._published or self._answers)

    def leave(self) -> set[zmq.Socket[bytes]]:
        """Send what can be. Returns the sockets that were used."""
        used = {self._sockets["iopub"]}
        if self.awaited.count:
            return used
        self._send_published()
        if self.held:
            return used | self._send_answers("control")  # an interrupt must not wait for who sleeps
        if self._delayed:
            self._delayed = False
            return used
        return used | self._send_answers()

    def greet(self, frames: list[bytes]) -> None:
        """Send at once, past all that waits."""
        send_all(self._sockets["iopub"], frames)

    def close(self) -> None:
        """The end: nobody is waited for."""
        while self._published:
            self._send_next()
        self._send_answers()
        for unread in self._unread.values():
            unread.forget()

    def _send_published(self) -> None:
        unread = self._unread["iopub"]
        if unread.too_much:
            self.cut += unread.look()
        while self._published and not unread.too_much:
            self._send_next()
        self.held = bool(self._published)

    def _send_next(self) -> None:
        frames = self._published.popleft()
        size = sum(map(len, frames))
        self.waiting_bytes -= size
        with contextlib.suppress(zmq.ZMQError):  # nobody takes it
            send_all(self._sockets["iopub"], frames)
            self._unread["iopub"].add(size)

    def _send_answers(self, only: Channel | None = None) -> set[zmq.Socket[bytes]]:
        used = set()
        kept: list[tuple[Channel, list[bytes]]] = []
        while self._answers:
            channel, frames = self._answers.popleft()
            if only not in (None, channel):
                kept.append((channel, frames))
                continue
            socket = self._sockets[channel]
            used.add(socket)
            try:
                send_all(socket, frames)
            except zmq.ZMQError as error:  # a client that is gone, never reads, or is not yet there
                late = channel == "stdin" or self.awaited.may_still_come
                if late and error.errno == errno.EHOSTUNREACH:
                    self._early.append((channel, frames))
            else:
                self._note_answer(self._unread[channel], frames)
        self._answers.extend(kept)
        return used

    @staticmethod
    def _note_answer(unread: Unread, frames: list[bytes]) -> None:
        unread.add(sum(map(len, frames)))
        if unread.too_much:  # for answers nobody is made to wait
            unread.look()


def send_all(socket: zmq.Socket[bytes], frames: list[bytes]) -> None:
    """Send a message's frames: `send_multipart` without what it spends on each (6 of 8 microseconds)."""
    last = len(frames) - 1
    for number, frame in enumerate(frames):
        flags = _NOBLOCK if number == last else _NOBLOCK_MORE
        _zmq_send(socket, frame, flags, copy=len(frame) < _COPIED_BYTES)  # type: ignore[call-overload]
