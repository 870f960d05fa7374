"""Descriptors that a sleeping copy holds on to: the way to multiprocessing's resource trackers.

Such a process waits until nobody holds the pipe to it any more, and then removes what was registered: shared
memory that the session's objects still stand for. It is made to be shared by all who were forked.
"""

from __future__ import annotations

import sys

_MODULES = (
    "multiprocessing.resource_tracker",
    "joblib.externals.loky.backend.resource_tracker",
    "loky.backend.resource_tracker",
)


_NONE: frozenset[int] = frozenset()


def descriptors() -> frozenset[int]:
    """Of this process, now. Asked before each fork."""
    if sys.modules.keys().isdisjoint(_MODULES):
        return _NONE
    found = set()
    for name in _MODULES:
        tracker = getattr(sys.modules.get(name), "_resource_tracker", None)
        number = getattr(tracker, "_fd", None)
        if isinstance(number, int):
            found.add(number)
    return frozenset(found)
