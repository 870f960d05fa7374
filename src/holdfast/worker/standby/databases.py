"""Databases of duckdb that a dead worker had open in memory: here they are used on, and never closed.

Their threads did not come along, and whoever closes the last connection waits for them in memory that is not
theirs any more: that ends the process. So connections from before are kept, and their `close` does nothing.
Nothing is imported; connections are found among the objects that the garbage collector knows.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

_kept: list[Any] = []
"""In a process that has woken: connections that may not end."""


def keep_open() -> None:
    """In a worker that has woken: from now on connections from before stay open."""
    kind: Any = getattr(sys.modules.get("duckdb"), "DuckDBPyConnection", None)
    if kind is None:
        return
    _kept.extend(each for each in gc.get_objects() if type(each) is kind)
    close = kind.close
    if not _kept or close.__module__ == __name__:
        return  # there is nothing to keep, or it has woken before

    def close_if_new(connection: Any) -> None:
        if not is_kept(connection):
            close(connection)

    def leave(connection: Any, *_error: object) -> None:
        close_if_new(connection)

    kind.close, kind.__exit__ = close_if_new, leave


def is_kept(connection: object) -> bool:
    """Whether it is from before."""
    return any(each is connection for each in _kept)


def are_kept() -> bool:
    """Whether any database was found that is to stay open."""
    return bool(_kept)
