"""Finds out why a worker died and what its successor holds: makes the `Recovery` that every path shows."""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast.supervisor.aftermath import offspring
from holdfast.supervisor.aftermath import recovery as words
from holdfast.supervisor.aftermath.oom import OomCounter
from holdfast.supervisor.aftermath.recovery import Recovery
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.processes.returns import Death, Return


class Coroner:
    """Sees one death at a time, from the death to the report."""

    def __init__(self, stage: Stage, last_words: Callable[[], str]) -> None:
        """`last_words` reads what faulthandler wrote."""
        self._stage = stage
        self._last_words = last_words
        self._oom = OomCounter()
        stage.on_start.append(self._oom.look)
        self._death: Death | None = None  # of the worker whose successor is on its way
        self._refusal: str | None = None
        self._dump = ""

    def see(self, death: Death, refusal: str | None) -> None:
        """A worker has died; `refusal`: why its newest state had no standby, if it had none."""
        self._death = death
        self._refusal = refusal
        self._dump = self._last_words()

    def forget(self) -> None:
        """There will be no report: the session restarts, or gives up."""
        self._death = None

    def report(self, back: Return) -> Recovery | None:
        """A worker is there: what it took over from, if from a dead one."""
        death, self._death = self._death, None
        if death is None:
            return None
        stage, job = self._stage, self._stage.job
        cell = job.count if job is not None and job.request is not None else None
        left = offspring.with_running(back.left, stage.worker_pid)
        effects = stage.effects
        slips = words.slips_in_words(back.slips, effects.last_shown)
        return Recovery(
            cause=words.cause_of(
                death.status,
                oom=self._oom.moved(),
                severed=death.severed,
                asked=death.asked,
                dump=self._dump,
            ),
            count=None if self._is_innocent(death, back) else cell,
            level=back.level,
            after=effects.last_shown(back.after),
            lost=stage.drop_effects(back.after),
            took_ms=(time.monotonic() - death.seen) * 1e3,
            refusal=self._refusal,
            not_restored=left.not_restored,
            children=left.children,
            not_rolled_back=left.not_rolled_back,
            names=back.names,
            lost_names=back.lost,
            why=back.why,
            slips=slips,
            stepped_back=back.stepped_back,
            traceback=words.traceback_of(self._dump, dict(stage.sources)),
            exit_status=None if death.status is None else words.shell_status(death.status),
        )

    def _is_innocent(self, death: Death, back: Return) -> bool:
        """Whether the cell had not begun, and can be run as if nothing had happened.

        It was sent in a moment in which nobody knew yet that the worker is dead. Not so if it was to be
        stopped, or would run in another state than its author knows.
        """
        stage = self._stage
        held = back.level == "standby" and not stage.effects.since(back.after)
        return held and death.asked is None and not stage.begun


def without_a_worker(job: Job, cause: str) -> Recovery:
    """Of a job that nobody will finish."""
    return Recovery(cause, job.count if job.request is not None else None, "none", None, [], 0.0)
