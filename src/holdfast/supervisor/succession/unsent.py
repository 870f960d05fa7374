"""What the last supervisor had written down and not sent when it was killed: for who can't ask for it.

    written down │ about to be sent │ has left          (positions in the journal; the last two in the ring)
    ─────────────┼──────────────────┼─────────
        sent now │ nobody knows:    │ not again
                 │ said             │

Our own clients say up to where they have heard, and are told the rest: see `resumption`.
"""

from __future__ import annotations

from collections.abc import Callable

from holdfast.journal.journal import Journal
from holdfast.link.ring import RingReader
from holdfast.protocol import codec
from holdfast.supervisor.clients.broadcast import Broadcast, Parent
from holdfast.supervisor.succession.resumption import PAGE_BYTES

_UNSURE = (
    "holdfast: the supervisor was killed: the last that was printed before may be missing here. All of it:"
    " holdfast log {}\n"
)


class Unsent:
    """Of the session `name`."""

    def __init__(self, name: str, journal: Journal, broadcast: Broadcast, ring: RingReader) -> None:
        self._name = name
        self._journal = journal
        self._broadcast = broadcast
        self._ring = ring

    def send(self, parent_of: Callable[[int], Parent]) -> None:
        """To all but our own clients, before anything else. `parent_of`: the cell with that number."""
        journal, ring = self._journal, self._ring
        if ring.sent == (0, 0):  # nothing has ever left, that is known
            return
        unsure = next(iter(journal.published_after(*ring.sent, 1)), None)
        if unsure is not None and (unsure[1].epoch, unsure[1].seq) <= ring.sending:
            text = codec.encode({"name": "stderr", "text": _UNSURE.format(self._name)})
            self._broadcast.tell_guests("stream", text, parent_of(unsure[0]))
        place = ring.sending
        while page := journal.published_after(*place, PAGE_BYTES):
            for cell, record in page:
                place = record.epoch, record.seq
                self._broadcast.tell_guests(record.msg_type, record.content, parent_of(cell), place)
