"""The ways to die, by name: what the cell does that dies, or who is killed, and when."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal

HERE = "soak: here"
"""Printed by a cell that is about to die, once it has done what must not be seen afterwards."""

At = Literal["itself", "busy", "racing", "idle", "undo"]
"""Who does it, and when: the cell itself; from outside in mid-cell, at any moment of a cell, between cells;
or nobody dies, and the session goes back by a cell."""

Victim = Literal["worker", "supervisor", "everything"]


@dataclass(frozen=True)
class Fault:
    """One way."""

    name: str
    at: At
    ending: str = ""
    """What the cell does at last."""
    victim: Victim = "worker"
    times: int = 1
    """Cells that die one after the other, with no breath between them."""

    def cell(self, code: str) -> str:
        """A cell that does what it can of `code`, and then what this fault wants."""
        if not self.ending or not code:
            return code or self.ending
        tried = f"try:\n{textwrap.indent(code, '    ')}\nexcept Exception: pass"
        return f"{tried}\nprint({HERE!r}, flush=True)\n{self.ending}"


_SEGFAULT = "import ctypes; ctypes.string_at(0)"
_STAY = "while True: pass"

FAULTS = {
    fault.name: fault
    for fault in [
        Fault("segfault", "itself", _SEGFAULT),
        Fault("twice", "itself", _SEGFAULT, times=2),
        Fault("abort", "itself", "import os; os.abort()"),
        Fault("exit", "itself", "import os; os._exit(0)"),
        Fault("overflow", "itself", "import faulthandler; faulthandler._stack_overflow()"),
        Fault(
            "thread", "itself", f"import os, threading; threading.Thread(target=os.abort).start()\n{_STAY}"
        ),
        Fault("kill-busy", "busy", _STAY),
        Fault("kill-racing", "racing"),
        Fault("kill-idle", "idle"),
        Fault("undo", "undo", "%undo"),
        Fault("supervisor", "racing", victim="supervisor"),
        Fault("everything", "racing", victim="everything"),
        Fault("everything-idle", "idle", victim="everything"),
    ]
}

MOMENTS = (0.0, 0.001, 0.003, 0.01, 0.05)
"""Seconds, from the first moment at which a fault from outside may come: before, while and after a standby is
taken."""
