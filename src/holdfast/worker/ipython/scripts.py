"""`%%bash`, `%%script` and their relatives: IPython runs them in a loop with a thread, which must not stay.

A thread comes along in no fork: after a crash the loop would be there, nobody would run it, and the next such
cell would wait for ever. So it ends with the cell, unless programs of `--bg` are left, which need it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

_MAGICS = "ScriptMagics"
"""IPython's, in its registry as soon as one of them was used."""


@contextlib.contextmanager
def ended_with_cell(shell: Any) -> Iterator[None]:
    """While a cell runs."""
    registry = shell.magics_manager.registry
    if (magics := registry.get(_MAGICS)) is not None and magics.event_loop is not None:
        _forget_if_lost(magics)
    try:
        yield
    finally:
        if (magics := registry.get(_MAGICS)) is not None and magics.event_loop is not None:
            magics._gc_bg_processes()
            if not magics.bg_processes:
                _end(magics)


def _forget_if_lost(magics: Any) -> None:
    """The thread stayed in the interpreter from which we were forked, and so did the programs."""
    thread = getattr(magics.event_loop, "_thread_id", None)  # None: it has yet to begin
    if thread is None or any(each.ident == thread for each in threading.enumerate()):
        return
    finalizer = getattr(magics, "_event_loop_finalizer", None)
    if finalizer is not None:
        finalizer.detach()  # it would wait for the thread
    magics.event_loop = magics._event_loop_finalizer = None
    magics.bg_processes.clear()


def _end(magics: Any) -> None:
    if hasattr(magics, "stop_event_loop"):  # IPython 9.18
        magics.stop_event_loop()
    else:
        magics.event_loop.call_soon_threadsafe(magics.event_loop.stop)
        magics.event_loop = None
