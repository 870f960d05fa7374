"""Threads of libraries are told by whose code they run, and Python's are left out."""

from __future__ import annotations

import ctypes
import sqlite3
import threading
from pathlib import Path

import pytest

from holdfast.worker.standby import engines, loaded
from holdfast.worker.standby.engines import Engine
from holdfast.worker.standby.quiet import held_still
from kit.alone import alone

WAIT_MS = 5_000


@alone
def test_a_thread_is_told_by_the_library_that_started_it(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    matrix = numpy.ones((600, 600))
    assert (matrix @ matrix).shape == matrix.shape

    with held_still(WAIT_MS) as busy:  # its threads spin for a while
        assert not busy
    assert all("blas" in each.library for each in engines.look())


@alone
def test_an_unknown_library_is_told_by_its_file(tmp_path: Path) -> None:
    assert engines.look() == frozenset()
    library, process = _start_thread_of_sqlite()

    assert engines.look() == {Engine(library, process)}
    assert engines.look() == {Engine(library, process)}


@alone
def test_threads_of_python_are_no_engines(tmp_path: Path) -> None:
    begun = threading.Event()
    threading.Thread(target=lambda: (begun.set(), threading.Event().wait()), daemon=True).start()
    begun.wait()

    assert engines.look() == frozenset()


def _start_thread_of_sqlite() -> tuple[str, str]:
    """Its file and folder, and the process's name. It sleeps in that library for long."""
    path = Path(next(each for each in loaded.paths() if "libsqlite3" in each))
    assert sqlite3.sqlite_version
    start = ctypes.CDLL(str(path)).sqlite3_sleep
    number = ctypes.c_ulong()
    ctypes.CDLL(None).pthread_create(ctypes.byref(number), None, start, ctypes.c_void_p(1_000_000))
    return f"{path.parent.name}/{path.name}", Path("/proc/self/comm").read_text().rstrip("\n")
