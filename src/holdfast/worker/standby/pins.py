"""Pages that a fork copies at once, instead of sharing them until somebody writes.

Memory that a device may be writing to can't be shared copy-on-write, so the kernel copies such *pinned* pages
while it forks (mm/memory.c, Linux 5.12). io_uring_register(2) pins memory as buffers for input and output,
for any process and up to RLIMIT_MEMLOCK. No input or output is ever done here.

The ring has no descriptor that user code could meet or a fork inherit: it is known by a number to the thread
that made it (IORING_REGISTER_RING_FDS), and ends with it.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import struct

MOST_RANGES = 16_384
"""Buffers that a ring takes (IORING_MAX_REG_BUFFERS, io_uring/rsrc.c)."""

_SETUP, _REGISTER = 425, 427  # system calls, with the same numbers on all architectures
_PARAMETERS_BYTES = 120  # struct io_uring_params (linux/io_uring.h), as what follows
_BUFFERS, _UNREGISTER_BUFFERS, _RING_FDS = 0, 1, 20
_BY_NUMBER = 1 << 31  # Linux 6.3
_UPDATE = struct.Struct("=IIQ")  # struct io_uring_rsrc_update
_ANY_NUMBER = 0xFFFFFFFF

_libc = ctypes.CDLL(None, use_errno=True)


class Pins:
    """Ranges of this process's memory that its forks copy. A fork itself begins with none."""

    def __init__(self) -> None:
        self._ring: int | None = None
        self.held = False

    def hold(self, ranges: list[tuple[int, int]]) -> None:
        """Pin these ranges (address, bytes), and no others. OSError where this system does not let us."""
        self.release()
        if self._ring is None:
            self._ring = _make_ring()
        vectors = struct.pack(f"@{2 * len(ranges)}N", *itertools.chain.from_iterable(ranges))
        _register(self._ring, _BUFFERS | _BY_NUMBER, vectors, len(ranges))
        self.held = True

    def release(self) -> None:
        """Let forks share these pages again."""
        if self.held and self._ring is not None:
            self.held = False
            _register(self._ring, _UNREGISTER_BUFFERS | _BY_NUMBER, None, 0)

    def forked(self) -> None:
        """This process is a fork: the ring was its parent's."""
        self._ring, self.held = None, False


def _make_ring() -> int:
    """A ring that this thread knows by the number returned."""
    fd = _libc.syscall(_SETUP, 1, ctypes.create_string_buffer(_PARAMETERS_BYTES))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    try:
        update = ctypes.create_string_buffer(_UPDATE.pack(_ANY_NUMBER, 0, fd), _UPDATE.size)
        _register(fd, _RING_FDS, update, 1)
    finally:
        os.close(fd)
    return int(_UPDATE.unpack(update.raw)[0])


def _register(ring: int, operation: int, argument: object, count: int) -> None:
    if _libc.syscall(_REGISTER, ring, ctypes.c_uint(operation), argument, count) < 0:
        raise OSError(ctypes.get_errno(), "io_uring_register")
