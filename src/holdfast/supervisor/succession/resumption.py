"""What a client has missed, from the journal: it was away, or its supervisor was killed."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from holdfast.journal.cap import OutputRecord
from holdfast.journal.records import MAY_SPEAK, CellRecord
from holdfast.protocol import codec, operations
from holdfast.protocol.messages import PROTOCOL_VERSION
from holdfast.supervisor.clients.broadcast import Broadcast
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.succession.origin import answer_of

PAGE_BYTES = 8 * 1024 * 1024
"""Content in one reply: a message that a client takes in within a blink. The rest is asked for again."""


class _Begun(NamedTuple):
    """Which cells a client has seen begin, and which not."""

    seen: CellRecord | None
    """The last one that it has."""
    since: list[CellRecord]
    untold: int
    """So many before those are too many."""


class Resumption:
    """Answers `resume`."""

    def __init__(self, ledger: Ledger, broadcast: Broadcast) -> None:
        self._ledger = ledger
        self._broadcast = broadcast

    def answer(self, asked: operations.Resume) -> operations.Resumed:
        """What was published after the position that is asked for."""
        self._ledger.commit()
        journal = self._ledger.journal
        page = self._missed(asked)
        last = page[-1][1] if page else None
        more = last is not None and bool(journal.published_after(last.epoch, last.seq, 1))
        last = last if more else None
        cells = {cell for cell, _ in page if cell}
        begun = self._begun(asked)
        ended, unknown = ([], []) if more else self._fates(asked.waiting)
        return operations.Resumed(
            epoch=last.epoch if last else self._broadcast.epoch,
            seq=last.seq if last else self._broadcast.seq,
            messages=self._in_order(page, begun, more=more),
            more=more,
            ended=ended,
            unknown=unknown,
            gap=0 if more else sum(journal.omitted(cell) for cell in cells),
            untold=0 if more else begun.untold,
        )

    def _begun(self, asked: operations.Resume) -> _Begun:
        journal = self._ledger.journal
        if asked.begun is None or not asked.epoch:
            return _Begun(None, [], 0)
        seen = journal.of_request(asked.begun) if asked.begun else None
        if asked.begun and seen is None:
            return _Begun(None, [], 0)
        before = seen.id if seen is not None else 0
        cells = journal.cells(MAY_SPEAK, after=before)
        untold = cells[0].id - before - 1 if cells else 0
        return _Begun(seen, [cell for cell in cells if cell.started and not cell.silent], untold)

    def _in_order(
        self, page: list[tuple[int, OutputRecord]], begun: _Begun, *, more: bool
    ) -> list[operations.Published]:
        """The output, and around it where each cell began and ended, which is not kept as a message."""
        told: list[operations.Published] = []
        current, coming = begun.seen, deque(begun.since)

        def begin_next() -> None:
            nonlocal current
            if current is not None:
                told.append(_ended(current))
            current = coming.popleft()
            told.append(_began(current))

        for cell, record in page:
            while coming and coming[0].id <= cell:
                begin_next()
            told.append(self._published(cell, record))
        while coming and not more:
            begin_next()
        if current is not None and current.ended is not None and not more:
            told.append(_ended(current))
        return told

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
        mark = {"holdfast": {"epoch": record.epoch, "seq": record.seq}}
        name = f"resumed_{record.epoch}_{record.seq}"
        return _message(name, record.msg_type, parent or b"{}", record.content, mark)

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


def _began(cell: CellRecord) -> operations.Published:
    content = codec.encode({"code": cell.code, "execution_count": cell.count})
    return _message(f"began_{cell.id}", "execute_input", cell.header, content)


def _ended(cell: CellRecord) -> operations.Published:
    return _message(f"ended_{cell.id}", "status", cell.header, b'{"execution_state":"idle"}')


def _message(
    name: str, msg_type: str, parent: bytes, content: bytes, metadata: object = None
) -> operations.Published:
    header = {"msg_id": name, "msg_type": msg_type, "version": PROTOCOL_VERSION}
    return operations.Published(
        msgspec.Raw(codec.encode(header)),
        msgspec.Raw(parent),
        msgspec.Raw(codec.encode(metadata or {})),
        msgspec.Raw(content),
    )


def _reply_to(cell: CellRecord) -> dict[str, object]:
    """The reply to a cell as far as the journal knows it, which does not keep it for long."""
    status = cell.status if cell.status in ("ok", "aborted") else "error"
    content: dict[str, object] = {"status": status, "execution_count": cell.count}
    if status == "ok":
        return content | {"payload": [], "user_expressions": {}}
    return content | {"ename": cell.ename, "evalue": cell.evalue, "traceback": []}
