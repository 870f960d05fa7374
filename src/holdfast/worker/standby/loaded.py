"""What the loader has loaded into this process, and whose code an address is. Only looking.

What is asked often costs a microsecond; the map of all code is read anew only when something was loaded.
"""

from __future__ import annotations

import bisect
import ctypes
import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


def count() -> int:
    """How many shared objects this process has loaded in its life."""
    libc, note, adds = _loader()
    libc.dl_iterate_phdr(note, None)
    return adds.value


def paths() -> set[str]:
    """Of the files in this process's memory."""
    return {line[line.index("/") :] for line in _maps() if "/" in line}


def file_of_code(address: int) -> str:
    """Path of the file whose code is at `address`; "" if none's is."""
    code = _code_as_of(count())
    index = bisect.bisect_right(code.begins, address) - 1
    return code.files[index] if index >= 0 and address < code.ends[index] else ""


def bounds_of_code() -> tuple[int, int]:
    """Below the first and from the second address on there is no code of any file."""
    code = _code_as_of(count())
    return code.begins[0], code.ends[-1]


def nameless_areas() -> list[tuple[int, int]]:
    """Begin and end of the memory that is written and no file's: heaps and stacks."""
    areas = []
    for line in _maps():
        if " rw-p " in line and "/" not in line:
            begin, _, end = line.partition(" ")[0].partition("-")
            areas.append((int(begin, 16), int(end, 16)))
    return areas


def shared_areas() -> list[tuple[int, int, str]]:
    """Begin, end and path of the memory that others see as well when it is written."""
    areas = []
    for line in _maps():
        span, rights, *_, path = [*line.split(maxsplit=5), ""][:6]
        if rights[1] == "w" and rights[3] == "s":
            begin, _, end = span.partition("-")
            areas.append((int(begin, 16), int(end, 16), path))
    return areas


class _Code(NamedTuple):
    """Where the code of each file is, in the order of addresses."""

    begins: list[int]
    ends: list[int]
    files: list[str]


@functools.lru_cache(maxsize=1)
def _code_as_of(_count: int) -> _Code:
    code = _Code([], [], [])
    for line in _maps():
        if " r-xp " in line and "/" in line:  # proc_pid_maps(5)
            begin, _, end = line.partition(" ")[0].partition("-")
            code.begins.append(int(begin, 16))
            code.ends.append(int(end, 16))
            code.files.append(line[line.index("/") :])
    return code


def _maps() -> list[str]:
    return Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()


class _LoadedObject(ctypes.Structure):
    """struct dl_phdr_info (dl_iterate_phdr(3)), up to what is needed."""

    _fields_ = (
        ("address", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("headers", ctypes.c_void_p),
        ("count", ctypes.c_uint16),
        ("adds", ctypes.c_ulonglong),
    )


@functools.cache
def _loader() -> tuple[ctypes.PyDLL, Callable[..., int], ctypes.c_ulonglong]:
    """The C library, what it is to call for the first object, and where that puts the number."""
    adds = ctypes.c_ulonglong()

    def note(loaded: ctypes._Pointer[_LoadedObject], _size: int, _data: int) -> int:
        adds.value = loaded.contents.adds
        return 1  # enough: the number is the same in all of them

    kind = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.POINTER(_LoadedObject), ctypes.c_size_t, ctypes.c_void_p)
    return ctypes.PyDLL(None), kind(note), adds
