"""What a session holds of the machine: processes, descriptors, shared memory. Standbys are not counted."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kit.family import family
from kit.kernel import Kernel
from kit.processes import marked
from kit.wire import Client


@dataclass(frozen=True)
class Held:
    """At one moment."""

    processes: Counter[str]
    """Command lines."""
    supervisor: Counter[str]
    """Kinds of open descriptors, without the one that it has for each standby."""
    worker: Counter[str]
    standbys: int
    shared: frozenset[str]
    """Names in /dev/shm."""
    served_by: int
    """The supervisor's process id: what another one holds is compared with nothing."""

    def more_than(self, before: Held) -> str | None:
        """What is held beyond `before`, in words."""
        more = [
            f"{number} more of {who}'s {what}"
            for who, now, then in (
                ("the session", self.processes, before.processes),
                ("the supervisor", self.supervisor, before.supervisor),
                ("the worker", self.worker, before.worker),
            )
            if now.total() > then.total()
            and (now is not self.supervisor or self.served_by == before.served_by)
            for what, number in (now - then).items()
        ]
        return ", ".join(more + sorted(self.shared - before.shared)) or None


def held(kernel: Kernel, client: Client) -> Held:
    """What there is now."""
    who = family(kernel, client)
    living = marked(kernel.mark)
    supervisor = _kinds(who.supervisor)
    supervisor["socket"] -= len(who.standbys)
    return Held(
        processes=Counter(command for pid, command in living.items() if pid not in who.standbys),
        supervisor=supervisor,
        worker=_kinds(who.worker),
        standbys=len(who.standbys),
        shared=frozenset(os.listdir("/dev/shm")),
        served_by=who.supervisor,
    )


def _kinds(pid: int) -> Counter[str]:
    return Counter(each.partition(":[")[0] for each in descriptors(pid))


def descriptors(pid: int) -> list[str]:
    """What each open descriptor of a process is."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(entry))
        except OSError:  # it was closed while we looked
            continue
    return found
