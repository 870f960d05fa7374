"""The descriptors between the supervisor and everything below it, made once and inherited by all of them.

They outlive each worker: a standby that wakes finds its output where the dead one's was.
"""

from __future__ import annotations

import contextlib
import mmap
import os

import msgspec

from holdfast.link.messages import KEPT, Start
from holdfast.link.ring import DATA, RingReader
from holdfast.settings import Output as OutputSettings
from holdfast.supervisor.clients.output import Output, Publish
from holdfast.supervisor.loop import Loop

_WORDS = 1 << 20
"""Bytes of faulthandler's last words that are read; it writes at most 100 threads of 100 frames."""


class Wires:
    """Ring, pipes and counters."""

    def __init__(self, descriptors: dict[str, int]) -> None:
        """`descriptors`: one for each label of KEPT, ours from now on."""
        self._ring_fd, self._room_fd, self._fault, self._fault_end = (
            descriptors[label] for label in KEPT[:4]
        )
        self.ring = RingReader(mmap.mmap(self._ring_fd, 0))
        self._pipes = {name: (descriptors[name], descriptors[f"{name}_end"]) for name in ("stdout", "stderr")}

    @classmethod
    def new(cls, ring_bytes: int) -> Wires:
        """Make them."""
        made = {"ring": os.memfd_create("holdfast-text", os.MFD_CLOEXEC)}
        os.ftruncate(made["ring"], DATA + ring_bytes)
        made["room"] = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        for name in ("fault", "stdout", "stderr"):
            made[name], made[f"{name}_end"] = _pipe()
        return cls(made)

    @property
    def write_ends(self) -> tuple[int, int]:
        """What the processes below have as descriptors 1 and 2."""
        return self._pipes["stdout"][1], self._pipes["stderr"][1]

    def connected(self, start: Start) -> Start:
        """`start` with what a template is told of these; its link comes with each start."""
        return msgspec.structs.replace(
            start,
            link=-1,
            fault=self._fault_end,
            ring=self._ring_fd,
            room=self._room_fd,
            kept={"fault": self._fault, **{name: ends[0] for name, ends in self._pipes.items()}},
        )

    def outfit(self) -> tuple[int, int, int, int, int]:
        """What an embedded program is sent, in the order of `Outfit`."""
        return self._ring_fd, self._room_fd, self._fault_end, *self.write_ends

    def output(self, loop: Loop, settings: OutputSettings, publish: Publish) -> Output:
        """The reading side of all text."""
        pipes = {ends[0]: name for name, ends in self._pipes.items()}
        return Output(loop, self.ring, self._room_fd, pipes, settings, publish)

    def last_words(self) -> str:
        """What faulthandler wrote before the worker died."""
        words = b""
        with contextlib.suppress(BlockingIOError):
            while len(words) < _WORDS and (data := os.read(self._fault, 65536)):
                words += data
        return words.decode(errors="replace")


def _pipe() -> tuple[int, int]:
    """A pipe whose reading end does not block, and whose writing end does."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    return reading, writing
