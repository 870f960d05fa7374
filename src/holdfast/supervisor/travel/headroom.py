"""How much memory the machine, or the session's cgroup, still has. Only reads (proc(5), cgroups(7))."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
SMALL = 64 * 1024 * 1024
"""Bytes that are not worth a look at the machine."""

_GROUPS = Path("/sys/fs/cgroup")


def is_scarce(pid: int | None) -> bool:
    """Whether memory would end if the process wrote all of its own anew, while forks hold it as it was."""
    held = resident(pid)
    return held > SMALL and available() < held


def resident(pid: int | None) -> int:
    """Bytes of a process that are in memory, its own or not; 0 if it is gone."""
    try:
        return int(_statm(pid).split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def available() -> float:
    """Bytes that can still be had."""
    return min(_of_the_machine(), _of_the_groups())


def group_files(name: str) -> list[Path]:
    """Such files of the session's control group and those around it (version 2), the nearest first."""
    return [folder / name for folder in _around(_GROUPS, "0::") if (folder / name).exists()]


def _of_the_machine() -> float:
    with contextlib.suppress(OSError):
        if found := re.search(r"^MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE):
            return int(found[1]) * 1024
    return float("inf")


def _of_the_groups() -> float:
    """Below the limits of the session's control group, and of those around it."""
    second = [
        _left(folder, "memory.max", "memory.current", "inactive_file") for folder in _around(_GROUPS, "0::")
    ]
    first = [
        _left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        for folder in _around(_GROUPS / "memory", r"\d+:memory:")
    ]
    return min([*first, *second], default=float("inf"))


def _left(folder: Path, limit: str, used: str, cached: str) -> float:
    """Cached files are given back when memory is wanted. Without a limit there is no file, or no number."""
    with contextlib.suppress(OSError, ValueError):
        left = int((folder / limit).read_text()) - int((folder / used).read_text())
        files = re.search(rf"^{cached} (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
        return left + (int(files[1]) if files else 0)
    return float("inf")


def _around(mount: Path, hierarchy: str) -> list[Path]:
    """The folders of our own control group there, and of those that it is in."""
    with contextlib.suppress(OSError):
        found = re.search(rf"^{hierarchy}(/.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
        if found:
            folder = mount / found[1].strip("/")
            return [each for each in (folder, *folder.parents) if each.is_relative_to(mount)]
    return []


def _statm(pid: int | None) -> bytes:
    """Without a file object: asked of each process whenever a standby is taken. OSError."""
    file = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, 128)
    finally:
        os.close(file)
