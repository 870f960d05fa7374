"""How much memory the machine, or the session's cgroup, still has. Only reads (proc(5), cgroups(7))."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SMALL = 64 * 1024 * 1024
"""Bytes of a worker that is not worth a look at the machine."""


def is_scarce(pid: int | None) -> bool:
    """Whether memory would end if the process wrote all of its own anew, while forks hold it as it was."""
    try:
        held = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return False
    return held > _SMALL and available() < held


def available() -> float:
    """Bytes that can still be had."""
    return min(_of_the_machine(), _of_the_cgroup())


def _of_the_machine() -> float:
    with contextlib.suppress(OSError):
        if found := re.search(r"^MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE):
            return int(found[1]) * 1024
    return float("inf")


def _of_the_cgroup() -> float:
    """Below its limit (cgroup v2, memory.max); cached files are given back when memory is wanted."""
    with contextlib.suppress(OSError, ValueError):
        path = Path("/proc/self/cgroup").read_text().partition("0::")[2].split("\n")[0]
        folder = Path(f"/sys/fs/cgroup{path}")
        limit = (folder / "memory.max").read_text().strip()
        if path and limit != "max":
            used = int((folder / "memory.current").read_text())
            cached = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
            return int(limit) - used + (int(cached[1]) if cached else 0)
    return float("inf")
