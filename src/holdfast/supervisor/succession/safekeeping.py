"""Nothing is sent to clients before it is written down, nothing is let go of by the wires before that.

So whatever a client has seen is in the journal, and what is not is still in link and ring: a supervisor that
is killed at any moment loses nothing, and its successor repeats nothing.

    the worker speaks     it is heard and published: gathered, for the journal and for the clients
    the round ends        1. what was gathered is committed, with the bookmark   2. it is sent
                          3. once it has left: up to where is noted in the ring, and which cells have their
                             reply is committed, too
                          4. link and ring let go of what lies before the bookmark
    a client is slow      the worker is not heard, and so has to wait, until there is room for what was said
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import zmq

from holdfast.access.iothreads import IoThreads
from holdfast.link.messages import Bell, Frame, NoStandby, Segment, StandbyTaken
from holdfast.link.ring import RingReader
from holdfast.supervisor.cells.comms import Comms
from holdfast.supervisor.clients.broadcast import Broadcast
from holdfast.supervisor.clients.output import Output
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import AnyWorker
from holdfast.supervisor.succession.bookmark import Bookmark

LISTENERS, COMMS = "listeners", "comms"
"""Keys of facts: which doors are open and how many listen at each; which comms are open."""

LEAVING_SECONDS = 0.005
"""So long what was sent may take to leave before something else is done meanwhile: libzmq's thread may have
to wait for a core. Then it is looked at again after as long."""

GATHERED_BYTES = 8 * 1024 * 1024
"""So much is gathered at most before it is written down and sent: a few plots, or a burst of text."""

RETRY_SECONDS = 0.01
"""Until it is tried again to send what a slow reader has no room for, or somebody is not there to get:
ZeroMQ tells neither when there is room nor who has come."""

_TELLS_NOTHING = (Segment, Bell, StandbyTaken, NoStandby)
"""No client hears of these: they may wait in the link for the next commit."""


class Safekeeping:
    """The end of each of the loop's rounds."""

    def __init__(
        self, lineage: AnyWorker, ledger: Ledger, broadcast: Broadcast, ring: RingReader, loop: Loop
    ) -> None:
        self._lineage = lineage
        self._ring = ring
        self._loop = loop
        self._threads = IoThreads()
        self._retry = Deadline(loop)
        self._used: set[zmq.Socket[bytes]] = set()  # in the middle of a round
        self._leaving = False  # something was sent of which nobody knows that it has left
        self._ledger = ledger
        self._broadcast = broadcast
        self._due = False  # something was heard that clients are about to be told of
        self._listeners: dict[str, int] = {}  # as the journal has them
        self._output: Output
        self._comms: Comms

    def begin(self, output: Output, comms: Comms) -> None:
        """From now on there is something to keep."""
        self._comms = comms
        self._output = output
        self._loop.before_waiting = self.round_ends
        self._ledger.before_commit = output.flush
        self._ledger.journal.bookmark = self._bookmark

    def heard(self, frame: Frame) -> None:
        """The worker has said something."""
        self._due = self._due or not isinstance(frame, _TELLS_NOTHING)

    def arrived(self) -> None:
        """A worker is there, and said so."""
        self._due = True

    def round_ends(self) -> Iterable[zmq.Socket[bytes]]:
        """Nothing is left to do in this round. Returns the sockets that were used."""
        lineage, ledger = self._lineage, self._ledger
        self._note_listeners()
        self._broadcast.meet_laggards()
        due = self._due or ledger.journal.pending or self._output.pressed or lineage.seat.crowded
        if due:
            if (comms := self._comms.news()) is not None:
                ledger.set(COMMS, comms)
            ledger.commit()
            self._due = False
        if self._broadcast.sendable:
            self._ring.note_sending(self._broadcast.epoch, self._broadcast.seq)
        used = {*self._broadcast.flush(), *self._used}
        self._used.clear()
        self._output.rest(self._broadcast.held)
        if used or self._leaving:
            self._leaving = not self._see_off()
        if due:
            self._output.made_safe()
            lineage.seat.take_off()
        return used

    def relieve(self) -> None:
        """Let what was gathered go, also in the middle of a round, if it is much."""
        if self._broadcast.waiting_bytes >= GATHERED_BYTES:
            self._used.update(self.round_ends())

    def _see_off(self) -> bool:
        """Note that what was sent has left. False if it has not yet: there is another round soon."""
        if not self._threads.wait_until_idle(LEAVING_SECONDS):
            self._loop.later(LEAVING_SECONDS, lambda: None)
            return False
        if self._broadcast.unsent:
            if self._broadcast.held or not self._broadcast.sendable:
                self._retry.set(RETRY_SECONDS, lambda: None)
            else:
                self._loop.later(0, lambda: None)
            return False
        self._ring.note_sent()
        if self._ledger.journal.left():
            self._ledger.commit()
        return True

    def _note_listeners(self) -> None:
        listeners = {str(door.file): door.listeners for door in self._broadcast.doors}
        if listeners != self._listeners:
            self._listeners = listeners
            self._ledger.set(LISTENERS, msgspec.json.encode(listeners).decode())

    def _bookmark(self) -> str:
        lineage = self._lineage
        alive = lineage.state in (State.ALIVE, State.DYING)
        link, number = lineage.seat.place
        place, parent, stream = self._output.place
        return Bookmark(link, number, place, parent, stream, lineage.worker_pid, alive).encoded()
