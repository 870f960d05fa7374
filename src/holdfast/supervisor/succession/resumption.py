"""What a client has missed, from the journal: it was away, or its supervisor was killed."""

from __future__ import annotations

import msgspec

from holdfast.journal.cap import OutputRecord
from holdfast.journal.records import CellRecord
from holdfast.protocol import codec, operations
from holdfast.protocol.messages import PROTOCOL_VERSION
from holdfast.supervisor.clients.broadcast import Broadcast
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.succession.origin import answer_of

PAGE_BYTES = 8 * 1024 * 1024
"""Content in one reply: a message that a client takes in within a blink. The rest is asked for again."""


class Resumption:
    """Answers `resume`."""

    def __init__(self, ledger: Ledger, broadcast: Broadcast) -> None:
        self._ledger = ledger
        self._broadcast = broadcast

    @property
    def position(self) -> tuple[int, int]:
        """Of the message that was published last: epoch and number."""
        return self._broadcast.epoch, self._broadcast.seq

    def answer(self, asked: operations.Resume) -> operations.Resumed:
        """What was published after the position that is asked for."""
        self._ledger.commit()
        journal = self._ledger.journal
        page = self._missed(asked)
        last = page[-1][1] if page else None
        more = last is not None and bool(journal.published_after(last.epoch, last.seq, 1))
        last = last if more else None
        cells = {cell for cell, _ in page if cell}
        ended, unknown = ([], []) if more else self._fates(asked.waiting)
        return operations.Resumed(
            epoch=last.epoch if last else self._broadcast.epoch,
            seq=last.seq if last else self._broadcast.seq,
            messages=[self._published(cell, record) for cell, record in page],
            more=more,
            ended=ended,
            unknown=unknown,
            gap=0 if more else sum(journal.omitted(cell) for cell in cells),
        )

    def _missed(self, asked: operations.Resume) -> list[tuple[int, OutputRecord]]:
        """All after its position. Who has heard nothing yet may have just come: of its own cells alone."""
        journal = self._ledger.journal
        if asked.epoch:
            return journal.published_after(asked.epoch, asked.after, PAGE_BYTES)
        found = (journal.of_request(msg_id) for msg_id in asked.waiting)
        own = {cell.id for cell in found if cell is not None}
        rows = [(cell, record) for cell in own for record in journal.outputs(cell)]
        return sorted(rows, key=lambda row: (row[1].epoch, row[1].seq))

    def _published(self, cell: int, record: OutputRecord) -> operations.Published:
        parent = self._ledger.journal.header_of(cell) if cell else None
        header = {
            "msg_id": f"resumed_{record.epoch}_{record.seq}",
            "msg_type": record.msg_type,
            "version": PROTOCOL_VERSION,
        }
        mark = {"holdfast": {"epoch": record.epoch, "seq": record.seq}}
        return operations.Published(
            msgspec.Raw(codec.encode(header)),
            msgspec.Raw(parent or b"{}"),
            msgspec.Raw(codec.encode(mark)),
            msgspec.Raw(record.content),
        )

    def _fates(self, waiting: list[str]) -> tuple[list[operations.Ended], list[str]]:
        ended: list[operations.Ended] = []
        unknown: list[str] = []
        kept = {each.id: each.reply for each in self._ledger.journal.unanswered()}
        for msg_id in waiting:
            cell = self._ledger.journal.of_request(msg_id)
            if cell is None:
                unknown.append(msg_id)
            elif cell.ended is not None:
                reply = kept.get(cell.id)
                content = answer_of(reply).content if reply is not None else codec.encode(_reply_to(cell))
                ended.append(operations.Ended(msg_id, msgspec.Raw(content)))
        return ended, unknown


def _reply_to(cell: CellRecord) -> dict[str, object]:
    """The reply to a cell as far as the journal knows it, which does not keep it for long."""
    status = cell.status if cell.status in ("ok", "aborted") else "error"
    content: dict[str, object] = {"status": status, "execution_count": cell.count}
    if status == "ok":
        return content | {"payload": [], "user_expressions": {}}
    return content | {"ename": cell.ename, "evalue": cell.evalue, "traceback": []}
