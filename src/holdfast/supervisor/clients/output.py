"""Text on its way from the worker to the clients: read in order, grouped, published.

Python's text lies in the ring, C code's and subprocesses' text comes through pipes. What is read is kept in
the order it was read: the ring first, because a program whose text is in a pipe was started by the text's
author, who had printed before. Text is published at once when it is rare, in groups when it is dense.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import sys
import termios
import time
from collections.abc import Callable
from typing import Final

from holdfast.link.messages import Segment
from holdfast.link.ring import RingReader
from holdfast.settings import Output as OutputSettings
from holdfast.supervisor.loop import Loop, Timer

_FIRST_MS: Final = 0.5
"""Milliseconds to wait for the rest of a line: print() writes its end separately."""
_REST_MS: Final = 5.0
"""So long once more, if that is not there yet: the writer has lost its core between the two."""
_PIPE_READ = 65536
_utf8 = codecs.getincrementaldecoder("utf-8")

Publish = Callable[[int, str, str], None]
"""Called with the parent's number, the stream's name and the text."""


class Output:
    """All text of the worker."""

    def __init__(
        self,
        loop: Loop,
        ring: RingReader,
        room_fd: int,
        pipes: dict[int, str],
        settings: OutputSettings,
        publish: Publish,
    ) -> None:
        self.foreground = 0  # number of the job that text of pipes belongs to
        self._loop = loop
        self._ring = ring
        self._room_fd = room_fd
        self._settings = settings
        self._publish = publish
        self._listen: Callable[[], None] | None = None  # hears all that the worker has said
        self._resting = False
        self._segment = (0, "stdout")  # parent and stream of the ring's text now
        self._ring_decoder = _utf8(errors="replace")
        self._pipes = {fd: (name, _utf8(errors="replace")) for fd, name in pipes.items()}
        self._key = (0, "stdout")  # parent and stream of what waits
        self._waiting: list[str] = []  # read, not yet published
        self._size = 0  # characters that wait
        self._published = 0.0  # when text went out last
        self._timer: Timer | None = None
        self._waited = False  # once more, for the rest of a line
        ring.sleep()

    def listen_with(self, listen: Callable[[], None]) -> None:
        """Begin: what is there goes out before any answer. Not before clients are there that were elsewhere.

        `listen` hears what the worker has said over the link: no text may overtake a message.
        """
        self._listen = listen
        if not self._resting:
            self._watch_pipes()
        self.look()
        self.flush()

    def rest(self, yes: bool) -> None:
        """Hear nothing more, or again: the worker has to wait then, once ring, pipes and link are full."""
        if yes == self._resting:
            return
        self._resting = yes
        if self._listen is None:  # nothing is heard yet
            return
        if yes:
            for fd in self._pipes:
                self._loop.forget(fd)
        else:
            self._watch_pipes()
            self._loop.later(0, self._on_pipe)

    def has_enough(self) -> bool:
        """Whether nothing more is heard before clients have read what was said."""
        return self._resting

    def look(self) -> bool:
        """Take in everything the worker has said and written until now, in its order; True if text was there.

        What is in the ring when we look was written after messages that are in the link by now: first those.
        """
        if self._listen is None or self.has_enough():
            return False
        upto = self._ring.head()
        before = self._ring.position
        self._listen()
        if self.has_enough():  # and may not have heard all that was said before this text
            return False
        self.read_ring(upto)
        if self._ring.head() > upto:  # written while we listened: its bell may be among what was heard
            self._arm()
        return self._ring.position > before

    def begin_segment(self, segment: Segment) -> None:
        """From the segment's place on, the ring's text is somebody else's."""
        self.read_ring(segment.at)
        self._segment = (segment.parent, segment.stream)

    def read_ring(self, upto: int) -> None:
        """Take text out of the ring, up to where a message stood or a look began."""
        while data := self._ring.take(upto):
            self._add(*self._segment, self._ring_decoder.decode(data))

    def read_pipes(self) -> None:
        """Take all there is out of the pipes: they are never at their end, others hold them too."""
        for fd, (name, decoder) in self._pipes.items():
            while data := self._take(fd):
                self._add(self.foreground, name, decoder.decode(data))

    def settle(self, at: int | None = None) -> None:
        """Everything that was written before position `at` goes out now; None: the worker is silent."""
        self.read_ring(self._ring.head() if at is None else at)
        self.read_pipes()
        for name, decoder in self._pipes.values():
            self._add(self.foreground, name, decoder.decode(b"", final=True))  # half a character stays half
        self.flush()

    def aim_interrupt(self, turn: int) -> None:
        """The next SIGINT is for this job (the ring is the memory that both sides see)."""
        self._ring.aim_interrupt(turn)

    @property
    def fork_under_way(self) -> int:
        """Number of the fork that the worker is in the middle of; 0: none."""
        return self._ring.fork_under_way

    def has_begun(self, turn: int) -> bool:
        """Whether a worker has begun to work on this job; also if that can't be known."""
        begun = self._ring.begun()
        return begun is None or turn <= begun

    def over(self, turn: int) -> None:
        """The worker, which had this job, is dead or about to be: its text goes out, nothing is continued."""
        self.settle()
        self._ring.mend(turn)
        self._ring_decoder.reset()
        self._segment = (self.foreground, "stdout")
        self._ring.sleep()

    def flush(self) -> None:
        """Publish what waits."""
        if not self._waiting:
            return
        text = "".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._published = time.monotonic()
        most = self._settings.message_bytes
        for begin in range(0, len(text), most):
            self._publish(*self._key, text[begin : begin + most])

    @property
    def pressed(self) -> bool:
        """Whether the worker can't print on before what was read is safe."""
        return self._ring.pressed

    @property
    def place(self) -> tuple[int, int, str]:
        """Up to where text was published, if none waits; parent and stream of what follows."""
        return self._ring.position - len(self._ring_decoder.getstate()[0]), *self._segment

    def made_safe(self) -> None:
        """What was published is written down: the worker may write over it."""
        if self._ring.unsafe or self._ring.pressed:
            self._ring.free(self.place[0])
            if self._ring.room_wanted():
                os.eventfd_write(self._room_fd, 1)
        self._ring.piped_safe()

    def take_over(self, place: int, parent: int, stream: str) -> int:
        """Go on where another reader of the same wires was; bytes of pipes that may be lost with it."""
        self._segment = self._key = (parent, stream)
        self._ring.go_to(place)
        self._ring.room_wanted()
        os.eventfd_write(self._room_fd, 1)
        return self._ring.piped_lost()

    def _take(self, fd: int) -> bytes:
        """Take text out of a pipe. It is nowhere else then: should we be killed, it is known how much."""
        there = min(_there(fd), _PIPE_READ)
        if not there:
            return b""
        self._ring.piped(there)
        return os.read(fd, there)

    def _watch_pipes(self) -> None:
        for fd in self._pipes:
            self._loop.on_readable(fd, self._on_pipe)

    def _on_pipe(self) -> None:
        self.look()
        self.read_pipes()

    def _add(self, parent: int, stream: str, text: str) -> None:
        if not text:
            return
        if (parent, stream) != self._key:
            self.flush()
            self._key = (parent, stream)
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= self._settings.message_bytes:
            self.flush()
        self._arm()  # also with nothing left to publish: it is then that the next bell is wished for

    def _arm(self) -> None:
        if self._timer is None:
            quiet = time.monotonic() - self._published > self._settings.group_ms / 1e3
            self._timer = self._loop.later(
                (_FIRST_MS if quiet else self._settings.group_ms) / 1e3, self._on_time
            )

    def _on_time(self) -> None:
        self._timer = None
        busy = self.look()
        self._waited = not self._waited and bool(self._waiting) and not self._waiting[-1].endswith("\n")
        if self._waited:
            self._timer = self._timer or self._loop.later(_REST_MS / 1e3, self._on_time)
            return
        self.flush()
        if busy:
            self._arm()  # more is likely: look again soon, and spare the worker the bell
            return
        self._ring.sleep()
        if self.look():  # came between the look and the wish for a bell
            self._arm()


def _there(pipe: int) -> int:
    """How many bytes can be read (FIONREAD, pipe(7))."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
