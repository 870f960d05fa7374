"""What a session says of itself: `info`, `log` and `held`. Only reads."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import msgspec

from holdfast import paths
from holdfast.journal.cap import OutputRecord
from holdfast.journal.records import CellRecord, Ending
from holdfast.protocol import operations
from holdfast.supervisor.aftermath import recovery as words
from holdfast.supervisor.aftermath import restorepoint
from holdfast.supervisor.aftermath.remains import folded
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.disk import lostcells, story
from holdfast.supervisor.disk.ondisk import OnDisk
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import AnyWorker, Program
from holdfast.supervisor.processes.standbys import Standby

_PAGE = os.sysconf("SC_PAGE_SIZE")

LOG_BYTES = 8 * 1024 * 1024
"""Output in one reply to `log`, and what the oldest cell in it has beyond: encoded within a blink."""


class Account:
    """Of the session `name`."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        stage: Stage,
        lineage: AnyWorker,
        disk: OnDisk,
        *,
        takes_over: bool,
    ) -> None:
        """`takes_over`: the last run's supervisor was killed, its worker lives."""
        self._name = name
        self._ledger = ledger
        self._journal = ledger.journal
        self._stage = stage
        self._lineage = lineage
        self._started = time.time()
        self._disk = disk
        self._takes_over = takes_over
        self._previous = Ending("clean") if takes_over else ledger.journal.previous

    def log(self, request: operations.LogRequest, position: tuple[int, int]) -> operations.Log:
        """Cells with what is kept of their outputs, as many of the newest as fit; `position`: of now."""
        entries: list[operations.CellEntry] = []
        room = LOG_BYTES
        for cell in reversed(self._journal.cells(request.last, request.after, request.before)):
            outputs = self._journal.outputs(cell.id)
            entries.append(_entry(cell, outputs, self._journal.omitted(cell.id)))
            room -= len(cell.code) + sum(len(each.content) for each in outputs)
            if room <= 0:
                break
        return operations.Log(entries[::-1], *position)

    def held(self) -> operations.Held:
        """The cells whose effects the worker holds, of those that somebody typed."""
        emptied = lostcells.emptied_by(self._ledger)
        typed = {number for number, shown in self._stage.effects.numbers() if shown and number > emptied}
        cells = self._journal.cells(after=min(typed) - 1) if typed else []
        return operations.Held(
            [
                operations.HeldCell(cell.id, cell.count or 0, cell.code, cell.client, cell.status or "")
                for cell in cells
                if cell.id in typed
            ]
        )

    def restore_point(self) -> str:
        """What a crash would leave, in one line."""
        return restorepoint.in_words(self._lineage, self._stage.effects, self._disk.checkpoints)

    def not_back(self) -> list[operations.LostVariable]:
        """Variables that did not come back when the session began again."""
        lost = self._disk.arrival.lost
        return [operations.LostVariable(each.name, each.reason, each.last_repr) for each in lost]

    def last_recovery(self) -> str:
        """What the last crash did, in lines."""
        crash = self._last_crash()
        if crash is None:
            return "The interpreter of this session has never died."
        at, recovery = crash
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
        return "\n".join([f"{when}:", *folded(words.described(recovery))])

    def _last_crash(self) -> tuple[float, words.Recovery] | None:
        crashes = [each for each in self._journal.events("crash") if "recovery" in each.details]
        if not crashes:
            return None
        return crashes[-1].at, msgspec.convert(crashes[-1].details["recovery"], words.Recovery)

    def info(self, clients: list[str]) -> operations.Info:
        """Everything `holdfast ls` and `holdfast info` show."""
        stage, lineage = self._stage, self._lineage
        job = stage.job
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
            running=stage.running,
            question=stage.questions.open,
            standby=_described(lineage.standbys.successor, stage),
            no_standby=lineage.refusal,
            before_restart=_described(_retired(lineage), stage),
            started=self._started,
            cwd=os.getcwd(),
            unclean=story.how_it_ended(self._previous),
            story=self._disk.arrival.story,
            not_back=self.not_back(),
            restore_point=self.restore_point(),
            last_crash=_shortened(self._last_crash()),
            connection_file=str(paths.session_runtime(self._name) / "connection.json"),
            epoch=self._journal.epoch,
            adopted=self._takes_over,
            embedded=isinstance(lineage, Program),
            memory=_resident(lineage.worker_pid),
        )


def _shortened(crash: tuple[float, words.Recovery] | None) -> operations.LastCrash | None:
    if crash is None:
        return None
    at, recovery = crash
    return operations.LastCrash(at, recovery.count, recovery.cause, recovery.level)


def _described(standby: Standby | None, stage: Stage) -> operations.StandbyInfo | None:
    if standby is None:
        return None
    age = time.monotonic() - standby.taken_at
    return operations.StandbyInfo(standby.generation, stage.effects.last_shown(standby.after), age)


def _retired(lineage: AnyWorker) -> Standby | None:
    """The one from before a restart."""
    branch = None if isinstance(lineage, Program) else lineage.branches.of("restart")
    return branch.standby if branch is not None else None


def _entry(cell: CellRecord, kept: list[OutputRecord], omitted: int) -> operations.CellEntry:
    outputs = [operations.OutputEntry(each.msg_type, msgspec.json.decode(each.content)) for each in kept]
    if omitted:
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
