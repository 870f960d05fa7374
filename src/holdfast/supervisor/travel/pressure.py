"""The kernel's word that somebody waits for memory (psi.rst: a trigger). An event; nothing is polled.

Of the session's control group (version 2, memory.pressure) if it has one, else of the machine. Where neither
can be had (an old kernel, PSI switched off), nobody is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from holdfast.supervisor.loop import Loop
from holdfast.supervisor.travel import headroom

_TRIGGER = b"some 150000 2000000\0"
"""150 ms of 2 s are waited for memory. The window is the one that needs no privilege; it is what the kernel's
own document takes as an example of what a user begins to notice, and it is also the shortest time between two
signs."""


def watch(loop: Loop, then: Callable[[], None]) -> bool:
    """`then` is called while it lasts, at most every two seconds; whether it can be."""
    for path in (*headroom.group_files("memory.pressure"), Path("/proc/pressure/memory")):
        try:
            fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            os.write(fd, _TRIGGER)
            loop.on_urgent(fd, then)
        except OSError:
            os.close(fd)
            continue
        return True
    return False
