"""Pages that a fork copies at once: whoever writes to them afterwards does not pay."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.worker.standby.pins import Pins
from kit.alone import alone

PAGES = 1_000


class Memory:
    """Some pages of this process."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.write(1)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))

    def write(self, value: int) -> int:
        """Write to every page; how many page faults that took."""
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for page in range(PAGES):
            self._memory[page * mmap.PAGESIZE] = value
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    def read(self) -> set[int]:
        """What stands in all pages."""
        return {self._memory[page * mmap.PAGESIZE] for page in range(PAGES)}

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Every second page's place, so that no two are neighbours, then all the others'."""
        size = mmap.PAGESIZE
        return [(self.address + page * size, size) for half in (0, 1) for page in range(half, PAGES, 2)]


@contextmanager
def _sleeping_fork(memory: Memory) -> Iterator[None]:
    """A fork that lives during the block, and finds in the memory then what stood there before it."""
    expected = memory.read()
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        os.close(writer)
        os.read(reader, 1)
        os._exit(memory.read() != expected)
    yield
    os.close(writer)
    os.close(reader)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "it saw what was written after it"


def _held(memory: Memory) -> Pins:
    pins = Pins()
    pins.hold(memory.ranges)
    return pins


def _why_not() -> str:
    """Why this system does not let us pin memory; "" if it does."""
    try:
        _held(Memory()).release()
    except OSError as error:
        return str(error)
    return ""


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=f"memory can't be pinned here: {_why_not()}")


@alone
def test_writing_after_a_fork_costs_a_fault_a_page_and_none_if_it_is_pinned(tmp_path: Path) -> None:
    memory = Memory()
    with _sleeping_fork(memory):
        assert memory.write(2) >= PAGES
    pins = _held(memory)
    for value in (3, 4):
        with _sleeping_fork(memory):
            assert memory.write(value) < PAGES / 20
    pins.release()
    with _sleeping_fork(memory):
        assert memory.write(5) >= PAGES


@alone
def test_a_fork_holds_nothing_until_it_pins_for_itself(tmp_path: Path) -> None:
    memory = Memory()
    pins = _held(memory)
    if not (pid := os.fork()):
        pins.forked()
        with _sleeping_fork(memory):
            shared = memory.write(6)
        pins.hold(memory.ranges)
        with _sleeping_fork(memory):
            pinned = memory.write(7)
        os._exit(not (shared >= PAGES and pinned < PAGES / 20))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@alone
def test_what_is_pinned_may_be_unmapped(tmp_path: Path) -> None:
    memory = Memory()
    pins = _held(memory)
    del memory
    fresh = Memory()
    pins.hold(fresh.ranges)
    with _sleeping_fork(fresh):
        assert fresh.write(2) < PAGES / 20


@alone
def test_no_descriptor_is_open_for_it(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    pins = _held(Memory())
    assert os.listdir("/proc/self/fd") == before
    pins.release()
