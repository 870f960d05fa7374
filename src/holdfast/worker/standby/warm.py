"""Pages that every cell writes, copied before the next cell needs them: the price of a fork, paid while idle.

After a fork each page is shared with the standby, and the first write to it costs a fault and a copy. A cell
as short as `1` writes some 1,000 pages: the interpreter's own data, reference counts of IPython's machinery.
They are nearly the same ones each time, so they are pinned, and the fork copies them (`pins`). What can't be
pinned is copied right after the fork, in idle time and in the kernel (MADV_POPULATE_WRITE, madvise(2), Linux
5.14), instead of by as many faults in the next cell.

Which pages: /proc/self/pagemap tells what only this process maps (bit 56), which after a fork is what was
written since (the kernel's admin-guide/mm/pagemap). A wrong guess costs microseconds and some memory, never
correctness.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import itertools
import os
import resource
from collections.abc import Callable

from holdfast.worker.standby.pins import Pins

LOOKS = (2, 4, 8, 64)
"""Forks between looks. The first cells of all import and compile and are no guide; the next looks add what
the first one missed; the set moves slowly, and a look costs a millisecond. Then all begins anew."""
LARGEST_MAPPING = 16 << 20
"""Bytes. Larger mappings hold the user's data, whose pages are not written by every cell."""
MOST_PAGES = 2_048
"""Pages kept warm: 8 MiB copied for each standby at most. A short cell writes some 1,100."""
PINNED_SHARE = 0.75
"""Of what the user may pin at all (RLIMIT_MEMLOCK): other programs may want some."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MADV_POPULATE_WRITE = 23  # asm-generic/mman-common.h
_EXCLUSIVE = 1 << 56
_PRESENT = 1 << 63
_BOTH = _EXCLUSIVE | _PRESENT
_RANGES_BETWEEN_ASKING = 16  # some 50 µs

_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class WarmPages:
    """The pages of this process that cells write."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []  # address, length: what no fork copies by itself
        self._pins = Pins()
        self._looks = 0  # since it began anew
        self._until_look = 1  # forks

    def look(self) -> None:
        """Before a fork: now and then, note what was written since the last one, and have forks copy it."""
        self._until_look -= 1
        if self._until_look > 0:
            return
        with contextlib.suppress(OSError):  # no /proc, or no permission: then cells pay for their faults
            if self._looks == len(LOOKS):
                self._pins.release()  # this fork shares them again: what the next cell writes will be seen
                self._begin_anew()
                return
            self._until_look = LOOKS[self._looks]
            self._looks += 1
            self._ranges = _written()
            within = _within_the_limit(self._ranges)
            self._pins.hold(self._ranges[:within])
            self._ranges = self._ranges[within:]

    def _begin_anew(self) -> None:
        self._looks = 0
        self._until_look = 1

    def copy(self, wanted: Callable[[], bool]) -> None:
        """After a fork: copy those that it did not, unless more urgent work is `wanted`."""
        if self._until_look == 1:
            return  # a look must not see such copies
        for number, (address, length) in enumerate(self._ranges):
            if number % _RANGES_BETWEEN_ASKING == 0 and wanted():
                return
            _libc.madvise(address, length, _MADV_POPULATE_WRITE)  # a range that is gone fails: no harm

    def woken(self) -> None:
        """This process was a standby, and holds nothing yet."""
        self._pins.forked()
        self._begin_anew()


def _written() -> list[tuple[int, int]]:
    """Ranges of pages that only this process maps, in small writable private mappings."""
    ranges: list[tuple[int, int]] = []
    left = MOST_PAGES
    with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        for start, end in _small_writable_mappings():
            entries = array.array(
                "Q", os.pread(pagemap.fileno(), (end - start) // _PAGE * 8, start // _PAGE * 8)
            )
            pages = [index for index, entry in enumerate(entries) if entry & _BOTH == _BOTH]
            ranges += _joined(start, pages[:left])
            left -= len(pages)
            if left <= 0:
                break
    return ranges


def _within_the_limit(ranges: list[tuple[int, int]]) -> int:
    """How many of these ranges may be pinned."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY:
        return len(ranges)
    sums = itertools.accumulate(length for _, length in ranges)
    return sum(1 for each in sums if each <= soft * PINNED_SHARE)


def _small_writable_mappings() -> list[tuple[int, int]]:
    found = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            place, permissions, _ = line.split(None, 2)
            if permissions == "rw-p":
                start, end = (int(each, 16) for each in place.split("-"))
                if end - start <= LARGEST_MAPPING:
                    found.append((start, end))
    return found


def _joined(start: int, pages: list[int]) -> list[tuple[int, int]]:
    """Neighbouring pages as one range each."""
    ranges: list[tuple[int, int]] = []
    first = last = -1
    for page in pages:
        if first >= 0 and page == last + 1:
            last = page
            continue
        if first >= 0:
            ranges.append((start + first * _PAGE, (last - first + 1) * _PAGE))
        first = last = page
    if first >= 0:
        ranges.append((start + first * _PAGE, (last - first + 1) * _PAGE))
    return ranges
