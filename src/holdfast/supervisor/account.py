"""What a session says of itself: `info` and `log`. Only reads."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import msgspec

from holdfast import paths
from holdfast.journal.journal import Journal
from holdfast.journal.records import CellRecord
from holdfast.protocol import operations
from holdfast.supervisor.lineage import State
from holdfast.supervisor.program import AnyWorker, Program
from holdfast.supervisor.stage import Stage
from holdfast.supervisor.standbys import Standby

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Account:
    """Of the session `name`; made before its supervisor's run begins in the journal."""

    def __init__(self, name: str, journal: Journal) -> None:
        self._name = name
        self._journal = journal
        self._started = time.time()
        self._unclean = _unclean_end(journal)

    def notice(self) -> str | None:
        """What whoever opens the session again must know before anything else; None if there is nothing."""
        if self._unclean is None:
            return None
        return (
            f"this session was {self._unclean}.\n"
            "%recover lists what ran, %recover code puts the code into the next cell. Nothing runs by itself."
        )

    def log(self, request: operations.LogRequest) -> operations.Log:
        """Cells with what is kept of their outputs."""
        return operations.Log([_entry(self._journal, cell) for cell in self._journal.cells(request.last)])

    def info(self, clients: list[str], stage: Stage, lineage: AnyWorker) -> operations.Info:
        """Everything `holdfast ls` and `holdfast info` show."""
        job = stage.job
        running = None
        if job is not None and job.request is not None:
            running = operations.Running(job.count, job.message.header.username, stage.since)
        free = lineage.state is State.ALIVE
        return operations.Info(
            name=self._name,
            state="busy" if job is not None else "idle" if free else "starting",
            pid=os.getpid(),
            worker_pid=lineage.worker_pid,
            python=platform.python_version(),
            execution_count=stage.count,
            cells=self._journal.count_cells(),
            clients=clients,
            running=running,
            standby=_described(lineage.standbys.newest, stage),
            no_standby=lineage.refusal,
            before_restart=_described(lineage.standbys.retired, stage),
            started=self._started,
            cwd=os.getcwd(),
            unclean=self._unclean,
            connection_file=str(paths.session_runtime(self._name) / "connection.json"),
            epoch=self._journal.epoch,
            embedded=isinstance(lineage, Program),
            memory=_resident(lineage.worker_pid),
        )


def _described(standby: Standby | None, stage: Stage) -> operations.StandbyInfo | None:
    if standby is None:
        return None
    age = time.monotonic() - standby.taken_at
    return operations.StandbyInfo(standby.generation, stage.effects.count_of(standby.after), age)


def _unclean_end(journal: Journal) -> str | None:
    """What to say about the last run, if it did not end as it should."""
    previous = journal.previous
    if previous.kind != "unclean":
        return None
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(previous.since))
    what = f"while In[{previous.running.count}] ran" if previous.running else "between cells"
    return f"not closed properly: its processes ended {when}, {what}; its variables are gone, its log is kept"


def _entry(journal: Journal, cell: CellRecord) -> operations.CellEntry:
    outputs = [
        operations.OutputEntry(each.msg_type, msgspec.json.decode(each.content))
        for each in journal.outputs(cell.id)
    ]
    if omitted := journal.omitted(cell.id):
        outputs.append(operations.OutputEntry("omitted", {"bytes": omitted}))
    return operations.CellEntry(
        id=cell.id,
        count=cell.count,
        code=cell.code,
        client=cell.client,
        started=cell.started,
        ended=cell.ended,
        status=cell.status or ("running" if cell.started else "queued"),
        outputs=outputs,
    )


def _resident(pid: int | None) -> int | None:
    """Resident bytes of the worker (proc(5), statm); None if there is no worker."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return None
