"""What the session uses of the machine, as `usage_request` asks. Only reads /proc (proc(5)).

Source: messaging.rst has no such message; the shape is ipykernel's, which jupyter-resource-usage shows.
Memory is what the worker and its subprocesses hold; standbys share theirs with the worker and are left out.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_MEMINFO = {
    "total": "MemTotal",
    "available": "MemAvailable",
    "free": "MemFree",
    "active": "Active",
    "inactive": "Inactive",
    "buffers": "Buffers",
    "cached": "Cached",
    "shared": "Shmem",
    "slab": "Slab",
}


class Usage:
    """Processor shares are those since the last question."""

    def __init__(self) -> None:
        self._asked = time.monotonic()
        self._used: dict[int, float] = {}  # processor seconds by pid
        self._host = _host_times()

    def content(self, worker: int | None) -> dict[str, object]:
        """A `usage_reply`'s content. `worker` is its pid, if there is one."""
        now = time.monotonic()
        pids = _with_descendants(worker) if worker is not None else []
        used = {pid: _processor_seconds(pid) for pid in pids}
        spent = sum(max(0.0, each - self._used.get(pid, 0.0)) for pid, each in used.items())
        elapsed = max(now - self._asked, 1 / _TICKS)
        self._asked, self._used = now, used
        return {
            "status": "ok",
            "hostname": socket.gethostname(),
            "pid": worker or os.getpid(),
            "kernel_cpu": round(100 * spent / elapsed, 1),
            "kernel_memory": sum(map(_resident, pids)),
            "cpu_count": os.cpu_count(),
            "host_cpu_percent": self._host_percent(),
            "host_virtual_memory": _host_memory(),
        }

    def _host_percent(self) -> float:
        before, self._host = self._host, _host_times()
        busy, total = (now - then for now, then in zip(self._host, before, strict=True))
        return round(100 * busy / total, 1) if total else 0.0


def _with_descendants(pid: int) -> list[int]:
    """The process and all that it and its children have started."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{each}/task"):
                found += map(int, Path(f"/proc/{each}/task/{task}/children").read_text().split())
    return found


def _processor_seconds(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _host_times() -> tuple[int, int]:
    """Ticks that all processors were busy, and all ticks."""
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/stat") as file:
            times = [int(each) for each in file.readline().split()[1:9]]
        return sum(times) - times[3] - times[4], sum(times)
    return 0, 0


def _host_memory() -> dict[str, float]:
    """In bytes, under the names of psutil.virtual_memory()."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        memory: dict[str, float] = {
            name: 1024 * kilobytes[field] for name, field in _MEMINFO.items() if field in kilobytes
        }
        memory["used"] = memory["total"] - memory["available"]
        memory["percent"] = round(100 * memory["used"] / memory["total"], 1)
        return memory
    return {}
