"""Which sockets of a session's processes listen, as the system knows it (proc(5), /proc/net)."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from kit.processes import marked

_TCP_LISTENS = "0A"
_UNIX_LISTENS = 0x10000  # __SO_ACCEPTCON


def listeners(mark: str) -> set[str]:
    """Of all processes with that mark: paths of unix sockets, and `tcp:PORT`."""
    inodes = {inode for pid in marked(mark) for inode in _sockets(pid)}
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # no IPv6 here
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == _TCP_LISTENS and int(words[9]) in inodes:
                    found.add(f"tcp:{int(words[1].rpartition(':')[2], 16)}")
    for name in ("udp", "udp6"):
        with contextlib.suppress(FileNotFoundError):
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                if int(line.split()[9]) in inodes:
                    found.add(f"udp:{int(line.split()[1].rpartition(':')[2], 16)}")
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[3], 16) & _UNIX_LISTENS and int(words[6]) in inodes:
            found.add(words[7] if len(words) > 7 else "unnamed")
    return found


def _sockets(pid: int) -> set[int]:
    """Inodes of all sockets that a process has."""
    found = set()
    with contextlib.suppress(OSError):  # it ended while we looked
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))
                if match:
                    found.add(int(match[1]))
    return found
