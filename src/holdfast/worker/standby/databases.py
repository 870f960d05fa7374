"""Databases of duckdb that a dead worker had open: in a worker that has woken they never end.

Their threads did not come along, and whoever closes the last connection to one waits for them in memory that
is not theirs any more: that ends the process, or takes for ever. So one more connection to each is kept, of
which nobody knows; the user's own are used on and closed as ever. Nothing is imported; connections are found
among the objects that the garbage collector knows.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import weakref
from typing import Any

_kept: list[Any] = []
"""In a process that has woken: connections of ours."""
_covered: weakref.WeakSet[Any] = weakref.WeakSet()
"""Connections, ours too, to a database that is kept open already."""


def keep_open(*, is_one: bool) -> None:
    """In a worker that has woken: databases from before stay open. `is_one`: threads tell of one."""
    duckdb: Any = sys.modules.get("duckdb")
    kind: Any = getattr(duckdb, "DuckDBPyConnection", None)
    if kind is None:
        return
    for each in gc.get_objects():
        if type(each) is kind and each not in _covered:
            with contextlib.suppress(Exception):  # it is closed
                _keep(each)
    if is_one and not _kept:  # that of `duckdb.sql`, which is no object before it is asked for
        with contextlib.suppress(Exception):  # another version
            _keep(duckdb.default_connection())


def _keep(connection: Any) -> None:
    ours = connection.cursor().cursor()  # who closes a connection closes its cursors, not those of lost ones
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(ours))  # not even the interpreter's end lets it go
    _kept.append(ours)
    _covered.update((connection, ours))


def are_kept() -> bool:
    """Whether any database was found that is to stay open."""
    return bool(_kept)
