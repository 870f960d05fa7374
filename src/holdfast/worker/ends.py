"""How processes ended that the template has waited for: a table in memory that it shares with its forks.

The template is the only writer. Everybody else reads, from any thread and without asking anybody: a process
that outlived its parent is no child of who holds its object now, and waitpid(2) tells that one nothing.

Nothing but numbers is here. Whose process it was, and who wants to know, is `standby.orphans`.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import struct
import time

from holdfast.worker.standby import libc

REMEMBERED = 4096
"""The latest ends, 96 KiB: pools of hundreds of processes come and go, and who asks mostly asks soon."""

REPORT_SECONDS = 1.0
"""From a process's end to its line in the table: the template wakes up and writes it, in a millisecond. After
so long nobody will: somebody else waited for the process, or the template is another one."""

_ENTRY = struct.Struct("=qqq")  # pid, when it began, wait status
_HEAD = 64  # the first 4 bytes: how many have been written; who waits for one more waits for these


class Ends:
    """The table. Make it before the first fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEAD + REMEMBERED * _ENTRY.size)  # shared with every fork
        self._count = ctypes.c_uint32.from_buffer(self._memory)

    @property
    def address(self) -> int:
        """Where it is, here and in every fork."""
        return ctypes.addressof(self._count)

    def note(self, pid: int, began: int, status: int) -> None:
        """The process that began then (clock ticks since boot) has ended with this wait status."""
        count = self._count.value
        _ENTRY.pack_into(self._memory, _place(count), pid, began, status)
        self._count.value = count + 1
        libc.futex_wake(self.address)

    def of(self, pid: int, until: int, patience: float = REPORT_SECONDS) -> int | None:
        """The wait status of the process that had that id and began no later than `until`.

        None: nothing has been heard of its end, also not within `patience` (seconds).
        """
        deadline = time.monotonic() + patience
        while True:
            count = self._count.value
            for number in range(count - 1, max(count - 1 - REMEMBERED, -1), -1):
                found, began, status = _ENTRY.unpack_from(self._memory, _place(number))
                if found == pid and began <= until:
                    return int(status)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            libc.futex_wait(self.address, count, left)


def _place(number: int) -> int:
    return _HEAD + number % REMEMBERED * _ENTRY.size


@functools.cache
def table() -> Ends:
    """The one of this session: the first call makes it."""
    return Ends()
