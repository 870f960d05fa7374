"""A process that user code forks (multiprocessing, os.fork) is not the worker and must never speak as one."""

from __future__ import annotations

import os
import signal

from holdfast.worker.outlet import Outlet
from holdfast.worker.standby.freeze import Freezer


def keep_apart(freezer: Freezer, outlet: Outlet) -> None:
    """From now on forks that are not ours lose the link; their text goes to descriptors 1 and 2."""

    def in_child() -> None:
        if freezer.forking:
            return
        outlet.forked = True
        outlet.channel.ended = True
        outlet.channel.sock.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    os.register_at_fork(after_in_child=in_child)
