"""Which of a cell's output rows are kept: the head and the tail, counted in bytes. No file, no clock.

Rows have places 1, 2, 3 … in their cell's output. The head takes rows until one does not fit; from there on
the tail takes every row, and lets go of its oldest ones. A row is kept whole or not at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from holdfast.settings import Output

ROW_BYTES: Final = 100
"""What a row costs besides its content (columns, page overhead): bounds the number of tiny rows too."""


class OutputRecord(msgspec.Struct, frozen=True, array_like=True):
    """One published message of a cell."""

    place: int
    """In the cell's output, from 1. A jump by more than one: what lay between was not kept."""
    epoch: int
    seq: int
    msg_type: str
    content: bytes
    at: float


class Kept:
    """The rows that are kept of one cell. Those that the disk does not have yet wait in it."""

    def __init__(self, limits: Output) -> None:
        self._head_limit = limits.journal_head_bytes
        self._tail_limit = limits.journal_tail_bytes
        self._head_open = True
        self._head_bytes = 0
        self._tail_bytes = 0
        self._tail: deque[int] = deque()  # content bytes of each row of the tail, oldest first
        self._waiting_head: list[OutputRecord] = []
        self._waiting_tail: deque[OutputRecord] = deque()
        self.head = 0
        """Place of the head's last row."""
        self.next = 1
        """Place that the next row gets."""
        self.omitted = 0
        """Bytes of content that are not kept."""

    @classmethod
    def restored(
        cls, limits: Output, rows: Iterable[tuple[int, int]], head: int | None, omitted: int
    ) -> Kept:
        """As it was left on disk: `rows` as (place, content bytes), by place.

        `head` is the place of the head's last row if something was omitted after it, else None.
        """
        kept = cls(limits)
        if head is not None:
            kept._head_open = False
            kept.head = head
            kept.next = head + 2  # what was omitted has at least one place
            kept.omitted = omitted
        for place, size in rows:
            if place > kept.head:
                kept.next = place
                kept._count(size)
        return kept

    @property
    def cut(self) -> bool:
        """Whether rows between head and tail were left out."""
        return self.tail > self.head + 1

    @property
    def tail(self) -> int:
        """Place of the tail's first row (of the next row, if the tail is empty)."""
        return self.next - len(self._tail)

    def add(self, epoch: int, seq: int, msg_type: str, content: bytes, at: float) -> int:
        """Take one more row; by how many bytes more wait now (fewer, if an older row had to go)."""
        row = OutputRecord(self.next, epoch, seq, msg_type, content, at)
        growth = len(content)
        if self._count(len(content)):
            self._waiting_head.append(row)
            return growth
        self._waiting_tail.append(row)
        while self._waiting_tail and self._waiting_tail[0].place < self.tail:
            growth -= len(self._waiting_tail.popleft().content)
        return growth

    def waiting(self) -> list[OutputRecord]:
        """Rows that are to be written, by place."""
        return [*self._waiting_head, *self._waiting_tail]

    def written(self) -> None:
        """All waiting rows are on disk now."""
        self._waiting_head.clear()
        self._waiting_tail.clear()

    def _count(self, size: int) -> bool:
        """Count a row at place `next`; whether it belongs to the head."""
        place = self.next
        self.next += 1
        cost = size + ROW_BYTES
        if self._head_open and self._head_bytes + cost <= self._head_limit:
            self._head_bytes += cost
            self.head = place
            return True
        self._head_open = False
        self._tail.append(size)
        self._tail_bytes += cost
        while self._tail_bytes > self._tail_limit:
            gone = self._tail.popleft()
            self._tail_bytes -= gone + ROW_BYTES
            self.omitted += gone
        return False
