"""Who is who among the processes of a session. Asked of the session itself, and of /proc."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kit.deadline import Deadline
from kit.kernel import Kernel
from kit.processes import marked, parent
from kit.wire import WITHIN, Client, Message

DOUBLE = "1000"
"""oom_score_adj of a double (`worker/standby/sleeper.py`)."""


class Family(NamedTuple):
    """The processes of a session."""

    supervisor: int
    template: int
    worker: int
    standbys: list[int]
    """Oldest first."""


def about(client: Client) -> Message:
    """What the session says of itself."""
    return client.ask("holdfast_info_request", {}, "control")


def family(kernel: Kernel, client: Client) -> Family:
    """All of them, now."""
    info = about(client)
    # A child of the user's that has lost its parent is the template's, too, but runs another program.
    living = [pid for pid, command in marked(kernel.mark).items() if "holdfast.worker" in command]
    parents = {pid: _parent_of(pid) for pid in living}
    template = parents.get(info["worker_pid"])
    if template not in living:  # it was killed, and has a successor
        (template,) = [pid for pid in living if parents[pid] == info["pid"]]
    forks = [pid for pid in living if parents[pid] == template and pid != info["worker_pid"]]
    born = {pid: when for pid in forks if (when := _sleeps_since(pid)) is not None}
    return Family(info["pid"], template, info["worker_pid"], sorted(born, key=lambda pid: (born[pid], pid)))


def _sleeps_since(pid: int) -> int | None:
    """When a standby began (proc(5), field 22 of stat); None of a copy of one that only works for a while.

    Such a copy, which writes what is on disk or answers a question, is to be killed first when memory ends.
    """
    folder = Path(f"/proc/{pid}")
    try:
        if (folder / "oom_score_adj").read_text().strip() == DOUBLE:
            return None
        return int((folder / "stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):  # it has ended since
        return None


def _parent_of(pid: int) -> int | None:
    try:
        return parent(pid)
    except (FileNotFoundError, ProcessLookupError):  # it has ended since
        return None


def wait_for_standby(client: Client, after: int) -> None:
    """Until the state after that cell is kept: standbys are forked when the reply is out."""
    deadline = Deadline(WITHIN)
    while (about(client)["standby"] or {}).get("after") != after:
        assert not deadline.passed, f"no standby of the state after cell {after}"
