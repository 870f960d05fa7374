"""What a session says of itself: `info` and `log`. Only reads."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import msgspec

from holdfast.journal.journal import Journal
from holdfast.journal.records import CellRecord
from holdfast.protocol import operations
from holdfast.supervisor.lineage import Lineage, State
from holdfast.supervisor.stage import Stage

_PAGE = os.sysconf("SC_PAGE_SIZE")


def unclean_end(journal: Journal) -> str | None:
    """What to say about the last run, if it did not end as it should."""
    previous = journal.previous
    if previous.kind != "unclean":
        return None
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(previous.since))
    what = f"while In[{previous.running.count}] ran" if previous.running else "between cells"
    return f"not closed properly: its processes ended {when}, {what}; its variables are gone, its log is kept"


def log(journal: Journal, request: operations.LogRequest) -> operations.Log:
    """Cells with what is kept of their outputs."""
    return operations.Log([_entry(journal, cell) for cell in journal.cells(request.last)])


def info(
    name: str,
    *,
    started: float,
    unclean: str | None,
    own_file: Path,
    clients: list[str],
    stage: Stage,
    lineage: Lineage,
    journal: Journal,
) -> operations.Info:
    """Everything `holdfast ls` and `holdfast info` show."""
    job = stage.job
    running = standby = None
    if job is not None and job.request is not None:
        running = operations.Running(job.count, job.message.header.username, stage.since)
    if (newest := lineage.standbys.newest) is not None:
        age = time.monotonic() - newest.taken_at
        standby = operations.StandbyInfo(newest.generation, stage.count_of(newest.after), age)
    free = lineage.state is State.ALIVE
    return operations.Info(
        name=name,
        state="busy" if job is not None else "idle" if free else "starting",
        pid=os.getpid(),
        worker_pid=lineage.worker_pid,
        python=platform.python_version(),
        execution_count=stage.count,
        cells=journal.count_cells(),
        clients=clients,
        running=running,
        standby=standby,
        started=started,
        cwd=os.getcwd(),
        unclean=unclean,
        connection_file=str(own_file),
        epoch=journal.epoch,
        memory=_resident(lineage.worker_pid),
    )


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
