"""Messages to clients: each is numbered, journalled if it is output, and signed for every door.

The header's session is one for the life of the namespace, whoever of our processes speaks.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import zmq

from holdfast.access.doors import Door
from holdfast.errors import JournalError
from holdfast.protocol import codec
from holdfast.supervisor.ledger import Ledger

OUTPUTS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
)
"""Messages that are part of a cell's output, and so of the journal."""

_TOO_SLOW = (
    "holdfast: a client read too slowly and was disconnected: some of what was printed may be missing here."
    " All of it: holdfast log {}\n"
)

_TOPICS = {"update_display_data": b"display_data", "clear_output": b"display_data"}


class Parent(msgspec.Struct, frozen=True):
    """The request that a message belongs to: its header as it came, and its cell in the journal, if any."""

    header: bytes
    cell: int | None = None


NOBODY = Parent(b"{}")


class Broadcast:
    """Every message that is published goes through here."""

    def __init__(self, ledger: Ledger, epoch: int, name: str) -> None:
        self.doors: list[Door] = []
        self.epoch = epoch  # of this supervisor's run
        self.seq = 0  # of the last message published in this epoch
        self._latest = ("starting", NOBODY)  # status, and whose
        self.unheard: set[int | None] | None = None  # cells with output since nobody listens; see `absence`
        self._ledger = ledger
        ledger.on_trouble = self.trouble
        self._name = name
        self._prefix = f"kernel.{name}.".encode()

    def publish(
        self,
        msg_type: str,
        content: object,
        parent: Parent,
        metadata: bytes = b"{}",
        buffers: Iterable[bytes] = (),
    ) -> None:
        """Send one iopub message to every client. Bytes are taken as ready JSON."""
        self.seq += 1
        raw = content if isinstance(content, bytes) else codec.encode(content)
        if msg_type in OUTPUTS:
            self._ledger.output(parent.cell, self.seq, msg_type, raw)
            if self.unheard is not None:
                self.unheard.add(parent.cell)
        stamped = self._stamped(metadata)
        topic = self._topic(msg_type, raw)
        for door in self.doors:
            door.publish(topic, msg_type, raw, parent.header, stamped, buffers)

    def notice(self, msg_type: str, content: object, parent: Parent) -> None:
        """Tell our own clients, who come in by our own doors (protocol/notices.py)."""
        topic, raw = self._prefix + msg_type.encode(), codec.encode(content)
        for door in self.doors:
            if door.ours:
                door.publish(topic, msg_type, raw, parent.header, b"{}")

    def flush(self) -> Iterable[zmq.Socket[bytes]]:
        """Send everything that was said, to everybody. Returns the sockets that were used."""
        return [socket for door in self.doors for socket in door.flush()]

    @property
    def unsent(self) -> bool:
        """Whether something waits that was said: its client is on the way back."""
        return any(door.unsent for door in self.doors)

    @property
    def sendable(self) -> bool:
        """Whether some of it need not wait any longer."""
        return any(door.sendable for door in self.doors)

    @property
    def held(self) -> bool:
        """Whether somebody reads too slowly for more to be said."""
        return any(door.held for door in self.doors)

    @property
    def waiting_bytes(self) -> int:
        """Of what was published and not sent, at the door where that is most."""
        return max((door.waiting_bytes for door in self.doors), default=0)

    def tell_guests(
        self, msg_type: str, content: bytes, parent: Parent, place: tuple[int, int] | None = None
    ) -> None:
        """Send only to those who can't ask for what they have missed. It is not written down.

        `place`: where it was, by which our own clients, who may be among them, know that they have it.
        """
        mark = codec.encode({"holdfast": {"epoch": place[0], "seq": place[1]}}) if place else b"{}"
        for door in self.doors:
            if not door.ours:
                door.publish(self._topic(msg_type, content), msg_type, content, parent.header, mark)

    def stream(self, name: str, text: str, parent: Parent) -> None:
        """Send text that was printed."""
        self.publish("stream", {"name": name, "text": text}, parent)

    def status(self, state: str, parent: Parent) -> None:
        """Tell what the session does: starting, busy, idle, restarting."""
        self._latest = state, parent
        self.publish("status", b'{"execution_state":"%b"}' % state.encode(), parent)

    def meet_laggards(self) -> None:
        """Tell who read too slowly, and is back, that he has missed something, and what the session does now.

        Our own clients see by the number of that status that there is more, and ask for it.
        """
        for door in self.doors:
            if door.laggard:
                door.laggard = False
                state, parent = self._latest
                if not door.ours:
                    text = codec.encode({"name": "stderr", "text": _TOO_SLOW.format(self._name)})
                    door.publish(self._topic("stream", text), "stream", text, parent.header, b"{}")
                self.status(state, parent)

    def trouble(self, error: JournalError) -> None:
        """The journal can't be written: everybody is told."""
        remedy = f" Try: {error.remedy}." if error.remedy else ""
        text = f"holdfast: {error.what}. Cells that can't be written down are refused until it can.{remedy}\n"
        self.stream("stderr", text, NOBODY)

    def _stamped(self, metadata: bytes) -> bytes:
        stamp = b'{"holdfast":{"epoch":%d,"seq":%d}' % (self.epoch, self.seq)
        rest = metadata.lstrip()[1:]
        return stamp + (rest if rest.lstrip() == b"}" else b"," + rest)

    def _topic(self, msg_type: str, content: bytes) -> bytes:
        if msg_type == "stream":
            return b"stream.stderr" if b'"name":"stderr"' in content[:24] else b"stream.stdout"
        return _TOPICS.get(msg_type) or (
            msg_type.encode() if msg_type == "display_data" else self._prefix + msg_type.encode()
        )
