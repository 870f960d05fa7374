"""Going back to an earlier state of the session: what can be gone back to, and the way there.

plan ──in a cell: when it has ended──▶ depart ──worker killed, Died, older standby wakes──▶ arrived

Only memory goes back. Numbers of cells go on, the journal and the history keep what was typed.
"""

from __future__ import annotations

import time

import msgspec

from holdfast.errors import HoldfastError
from holdfast.protocol import operations
from holdfast.supervisor import offspring, remains
from holdfast.supervisor import recovery as words
from holdfast.supervisor.checkpoints import Checkpoints
from holdfast.supervisor.effects import Effects
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.lineage import State
from holdfast.supervisor.program import AnyWorker, Program
from holdfast.supervisor.queue import Job
from holdfast.supervisor.returns import Return
from holdfast.supervisor.stage import Stage
from holdfast.supervisor.standbys import Standby

_SEE = "%checkpoints in a cell lists what can be gone back to"


class _Past(msgspec.Struct, frozen=True):
    """What was known of the namespace before a restart."""

    effects: Effects
    count: int
    numbered_after: str
    namespace_after: int


class _Wish(msgspec.Struct, frozen=True):
    """Where a cell wants to go when it has ended."""

    job: Job
    asked: operations.Undo


class Undo:
    """Of one session."""

    def __init__(self, stage: Stage, lineage: AnyWorker, ledger: Ledger, checkpoints: Checkpoints) -> None:
        self._stage = stage
        self._lineage = lineage
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._past: _Past | None = None
        self._wish: _Wish | None = None
        self._departed: float | None = None  # time.monotonic(), while the way back is under way
        self._wanted: int | None = None  # number of the last cell of the state that is gone back to
        lineage.standbys.alike = self._alike

    @property
    def under_way(self) -> bool:
        """Whether the worker that comes is an older one, as it was asked for."""
        return self._departed is not None

    def wish(self, asked: operations.Undo) -> operations.Undone:
        """A cell wants to go back when it has ended: what will be undone. HoldfastError if it can't be."""
        job = self._stage.job
        if job is None or job.request is None:
            raise HoldfastError("%undo works in a cell only")
        self._look_back(job)
        _, undone = self._plan(asked)
        self._wish = _Wish(job, asked)
        return undone

    def do(self, asked: operations.Undo) -> operations.Undone:
        """Go back now: what is undone. HoldfastError if it can't be."""
        job = self._stage.job
        if job is not None:
            what = f"In[{job.count}] is running" if job.request is not None else "the interpreter is busy"
            raise HoldfastError(what, "interrupt it first: holdfast interrupt")
        standby, undone = self._plan(asked)
        if self._lineage.state is not State.ALIVE:
            raise HoldfastError("the interpreter is not there yet", "the same again")
        self._depart(standby, asked, undone)
        return undone

    def ended(self, job: Job) -> None:
        """A job has ended: if it wished to go back, now is the time."""
        wish, self._wish = self._wish, None
        if wish is None or wish.job is not job or self._lineage.state is not State.ALIVE:
            return  # also if the session ends
        self._stage.drop_effects(job.number - 1)  # it is not one of those that count
        try:
            standby, undone = self._plan(wish.asked)
        except HoldfastError as error:  # the standby has died in between
            self._stage.tell_last(f"holdfast: nothing was undone: {error.what}\n")
        else:
            self._depart(standby, wish.asked, undone, job.number)

    def arrived(self, back: Return) -> None:
        """A worker is there again: tell how it went."""
        assert self._departed is not None
        took = words.took((time.monotonic() - self._departed) * 1e3)
        lost = self._stage.drop_effects(back.after)
        state = self._place(back.after)
        wanted, self._departed = self._wanted, None
        if back.level == "fresh":
            text = f"holdfast: back after {took} with an EMPTY namespace: no earlier state woke up."
        elif lost or back.after != wanted:
            text = f"holdfast: back after {took}, but with {words.extent(back.level, back.names)} as {state}:"
            text += " no later state woke up."
        else:
            text = f"holdfast: back after {took}, with {words.extent(back.level, back.names)} as {state}."
        left = remains.in_words(
            offspring.with_running(back.left, self._lineage.worker_pid), back.lost, "it was"
        )
        self._stage.tell_last("\n".join([text, *left]) + "\n")

    def forget(self) -> None:
        """Whatever was wished or under way will not be."""
        self._wish = self._departed = None

    def restarting(self) -> None:
        """The namespace is about to be thrown away: remember what it takes to come back to it."""
        self.forget()
        numbered_after = self._ledger.journal.get("numbered_after") or "0"
        began = self._ledger.namespace_after
        self._past = _Past(self._stage.effects, self._stage.count, numbered_after, began)

    def checkpoints(self) -> list[dict[str, object]]:
        """What can be gone back to by a cell that comes after this one; newest first."""
        now = time.monotonic()
        found: list[dict[str, object]] = []
        standbys, effects = self._lineage.standbys, self._stage.effects
        if self._stage.job is not None:
            self._look_back(self._stage.job)
        cells = 1
        while (span := effects.before_last(cells)) is not None:
            standby = standbys.kept_after(span.first, span.end)
            if standby is not None and not standbys.goes_next(standby):
                how = f"%undo {cells}" if cells > 1 else "%undo"
                found.append({"how": how, "state": self._place(span.first), "age": now - standby.taken_at})
            cells += 1
        retired = standbys.retired
        if retired is not None and self._past is not None:
            state = f"{_place(self._past.effects, retired.after)}, before the restart"
            found.append({"how": "%undo restart", "state": state, "age": now - retired.taken_at})
        return found

    def _alike(self, one: int, other: int) -> bool:
        return self._stage.effects.alike(one, other)  # of the namespace there is then

    def _look_back(self, job: Job) -> None:
        """A cell asks what can be undone. If it does nothing else, it is none of those that are counted."""
        job.looks_back = job.request is not None and len(job.request.code.strip().splitlines()) == 1

    def _plan(self, asked: operations.Undo) -> tuple[Standby, operations.Undone]:
        """Which standby is to wake, and what that means. HoldfastError if there is none."""
        if isinstance(self._lineage, Program):
            raise HoldfastError("this session is an embedded program, whose earlier states are not kept")
        return self._plan_restart() if asked.restart else self._plan_cells(asked.cells)

    def _plan_restart(self) -> tuple[Standby, operations.Undone]:
        standby, past = self._lineage.standbys.retired, self._past
        if standby is None or past is None:
            raise HoldfastError("there is no restart to undo, or its namespace is not kept any more")
        since = self._stage.effects.shown_since(0)
        place = _place(past.effects, standby.after)
        return standby, _undone(f"the namespace before the restart, {place}", since)

    def _plan_cells(self, cells: int) -> tuple[Standby, operations.Undone]:
        effects = self._stage.effects
        typed = len(effects.shown_since(0))
        if not typed:
            raise HoldfastError("there is nothing to undo: no cell has run in this namespace")
        span = effects.before_last(cells)
        if span is None:
            raise HoldfastError(f"there are not {cells} cells to undo, only {typed}", _SEE)
        standby = self._lineage.standbys.kept_after(span.first, span.end)
        if standby is None:
            raise HoldfastError(
                f"the state {self._place(span.first)} is not kept any more; {self._farthest(typed)}",
                _SEE,
            )
        return standby, _undone(f"the state {self._place(span.first)}", effects.shown_since(span.first))

    def _farthest(self, typed: int) -> str:
        """How far one can go back."""
        for cells in range(typed, 0, -1):
            span = self._stage.effects.before_last(cells)
            if span is not None and self._lineage.standbys.kept_after(span.first, span.end) is not None:
                return f"the earliest that is kept is that {self._place(span.first)} (%undo {cells})"
        why = self._lineage.refusal
        return "no earlier one is" + (f": {why}" if why else "")

    def _depart(self, standby: Standby, asked: operations.Undo, undone: operations.Undone, *by: int) -> None:
        """`by`: the cell that asked for it."""
        gone = [*self._stage.effects.since(0 if asked.restart else standby.after), *by]
        if asked.restart and self._past is not None:
            gone += self._past.effects.since(standby.after)
        self._ledger.event("undo", cells=gone, counts=undone.counts, restart=asked.restart)
        self._departed, self._wanted = time.monotonic(), standby.after
        stage, past = self._stage, self._past
        if asked.restart and past is not None:
            stage.effects, self._past = past.effects, None
            stage.count = max(stage.count, past.count)  # numbers go on
            self._ledger.set("numbered_after", past.numbered_after)
            self._ledger.namespace_begins_after(past.namespace_after)
        stage.drop_effects(standby.after)
        self._checkpoints.forget(standby.after + 1)
        self._lineage.go_back(standby)

    def _place(self, number: int) -> str:
        return _place(self._stage.effects, number)


def _place(effects: Effects, number: int) -> str:
    count = effects.last_shown(number)
    return f"after In[{count}]" if count else "at the start"


def _undone(where: str, counts: list[int]) -> operations.Undone:
    """In words, as the user reads it before it happens."""
    text = f"Going back to {where}"
    if counts:
        names = [f"In[{count}]" for count in counts]
        listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        are = "are" if len(names) > 1 else "is"
        text += (
            f": {listed} {are} undone in memory; what {'they' if len(names) > 1 else 'it'} did to files,"
            f" databases and the network is as {'they' if len(names) > 1 else 'it'} left it"
        )
    return operations.Undone(f"{text}.", counts)
