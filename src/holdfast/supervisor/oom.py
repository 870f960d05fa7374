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
        self._source = next(filter(None, map(_open, files or _files())), None)
        self._last = self._read()
        self._at = time.monotonic()

    def look(self) -> None:
        """A cell starts: what was killed before has nothing to do with it."""
        now = time.monotonic()
        if now - self._at > LOOK_SECONDS:
            self._last, self._at = self._read(), now

    def moved(self) -> bool:
        """Whether something was killed since the last look."""
        before, self._last = self._last, self._read()
        return self._last > before

    def _read(self) -> int:
        found = _COUNT.search(os.pread(self._source, 65_536, 0)) if self._source is not None else None
        return int(found[1]) if found else 0


def _open(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if _COUNT.search(os.pread(source, 65_536, 0)):
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
