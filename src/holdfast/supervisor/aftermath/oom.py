"""Has the kernel killed for lack of memory? Asked of its counters: SIGKILL alone proves nothing."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

LOOK_SECONDS = 1.0
"""Cells that follow one another sooner share a look: /proc/vmstat costs 80 µs."""

_COUNT = re.compile(rb"^oom_kill (\d+)$", re.MULTILINE)


class OomCounter:
    """Tells whether something was killed since the last look. Files stay open: a look only reads."""

    def __init__(self, files: list[Path] | None = None) -> None:
        """`files`: where the kernel counts, the narrowest first; the first that does is looked at."""
        self._given = files
        self._place = b""  # the cgroup that we are in
        self._source: int | None = None
        self._begin()

    def _begin(self) -> None:
        """Find where the kernel counts for us, and begin to count there."""
        if self._source is not None:
            os.close(self._source)
        self._place = _place()
        self._source = next(filter(None, map(_open, self._given or _files())), None)
        self._last = self._read()
        self._at = time.monotonic()

    def look(self) -> None:
        """A cell starts: what was killed before has nothing to do with it."""
        now = time.monotonic()
        if now - self._at <= LOOK_SECONDS:
            return
        if _place() != self._place:  # somebody has put the session into a group of its own
            self._begin()
        else:
            self._last, self._at = self._read(), now

    def moved(self) -> bool:
        """Whether something was killed since the last look."""
        if _place() != self._place:  # put into another group since then: what it counts is of now
            self._begin()
            return self._last > 0
        before, self._last = self._last, self._read()
        return self._last > before

    def _read(self) -> int:
        found = _COUNT.search(os.pread(self._source, 65_536, 0)) if self._source is not None else None
        return int(found[1]) if found else 0


def _place() -> bytes:
    try:
        return Path("/proc/self/cgroup").read_bytes()
    except OSError:
        return b""


def _open(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.pread(source, 65_536, 0)
        except OSError:
            text = b""
        if _COUNT.search(text):
            return source
        os.close(source)
    return None


def _files() -> list[Path]:
    """Of the own cgroup (cgroup-v2, cgroup-v1 memory), and, where that does not count, of the machine."""
    files = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                files.append(Path(f"/sys/fs/cgroup{path}/memory.events"))
            elif "memory" in controllers.split(","):
                files.append(Path(f"/sys/fs/cgroup/memory{path}/memory.oom_control"))
    return [*files, Path("/proc/vmstat")]
