"""Memory that going back does not bring back: what is shared with other processes, or with a file.

A fork shares it as well: the dead worker's last writes are there. Only looking, in a worker that has woken;
libraries are recognised without importing them.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterable, Iterator
from typing import Any

from holdfast.link.messages import SEMAPHORE, SHARED_MEMORY, Absent
from holdfast.worker import ends
from holdfast.worker.standby import loaded

_OURS = "/memfd:holdfast-"
_SEMAPHORES = "/dev/shm/sem."  # noqa: S108 - sem_open(3) maps them; looked for, not written to
_NAMED = "/dev/shm/"  # noqa: S108
_NAMELESS = ("", "/dev/zero")
_GONE = " (deleted)"


def not_rolled_back(things: Iterable[tuple[str, object]]) -> list[Absent]:
    """Each shared area that may be written, once, by the first of the user's `things` that lies in it."""
    areas = [each for each in loaded.shared_areas() if not _is_ours(*each)]
    if not areas:
        return []
    names: dict[str, str] = {}  # by path: a file may be mapped in pieces
    for name, value in things:
        address = _address(value)
        path = next((path for begin, end, path in areas if begin <= address < end), None)
        if path is not None:
            names.setdefault(path, name)
    paths = dict.fromkeys(path for _, _, path in areas)
    return [Absent(_kind(path), names.get(path, ""), _words(path)) for path in paths]


def _is_ours(begin: int, end: int, path: str) -> bool:
    return path.startswith(_OURS) or begin <= ends.table().address < end


def _kind(path: str) -> str:
    return SEMAPHORE if path.startswith(_SEMAPHORES) else SHARED_MEMORY


def _words(path: str) -> str:
    path = path.removesuffix(_GONE)
    if path.startswith(_SEMAPHORES):
        return f"semaphore {path.removeprefix(_SEMAPHORES)}"
    if path in _NAMELESS:
        return "memory shared with child processes"
    if path.startswith(_NAMED):
        return f"shared memory {path.removeprefix(_NAMED)}"
    return f"memory shared with {path}"


def _address(value: object) -> int:
    """Where the object's data lies; 0 if that is not to be had. What it holds may be foreign code's."""
    try:
        return next(_addresses(value), 0)
    except Exception:  # noqa: BLE001 - closed, released, or of another version
        return 0


def _addresses(value: Any) -> Iterator[int]:
    for kind in type(value).__mro__:
        name = kind.__module__, kind.__qualname__
        if name == ("numpy", "ndarray"):
            yield kind.__array_interface__.__get__(value)["data"][0]  # type: ignore[attr-defined]
        elif name == ("torch", "Tensor"):
            yield kind.data_ptr(value)  # type: ignore[attr-defined]
        elif kind is mmap.mmap:
            yield ctypes.addressof(ctypes.c_char.from_buffer(value))
        elif name == ("_ctypes", "_CData"):
            yield ctypes.addressof(value)
        elif name == ("multiprocessing.shared_memory", "SharedMemory"):
            yield from _addresses(value._mmap)
        elif name == ("multiprocessing.sharedctypes", "SynchronizedBase"):
            yield from _addresses(value._obj)
