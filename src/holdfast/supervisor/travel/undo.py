"""Going to another state of the session: an earlier one, or an abandoned one. `ways` says which there are.

wish ──in a cell: when it has ended──▶ depart ──worker killed, Died, the other state wakes──▶ arrived

Only memory goes back. Numbers of cells go on, the journal and the history keep what was typed.
"""

from __future__ import annotations

import time

import msgspec

from holdfast.errors import HoldfastError
from holdfast.protocol import operations
from holdfast.protocol.operations import Redo
from holdfast.supervisor.aftermath import offspring, remains
from holdfast.supervisor.aftermath import recovery as words
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.disk.checkpoints import Checkpoints
from holdfast.supervisor.ledger import NAMESPACE_AFTER, Ledger
from holdfast.supervisor.processes.lineage import Lineage, State
from holdfast.supervisor.processes.program import AnyWorker
from holdfast.supervisor.processes.returns import Return
from holdfast.supervisor.travel import costs
from holdfast.supervisor.travel.branches import Past
from holdfast.supervisor.travel.budget import Budget
from holdfast.supervisor.travel.effects import NO_END
from holdfast.supervisor.travel.ways import Way, Ways

Asked = operations.Undo | Redo


class _Wish(msgspec.Struct, frozen=True, eq=False):
    """Where a cell wants to go when it has ended."""

    job: Job
    asked: Asked
    told: operations.Undone


class Undo:
    """Of one session."""

    def __init__(self, stage: Stage, lineage: AnyWorker, ledger: Ledger, checkpoints: Checkpoints) -> None:
        self._stage = stage
        self._lineage = lineage
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._ways: Ways | None = None  # a program has none
        self._wish: _Wish | None = None
        self._way: Way | None = None  # while it is under way
        self._departed = 0.0  # time.monotonic()
        lineage.standbys.alike = self._alike
        if isinstance(lineage, Lineage):
            self._ways = Ways(stage, lineage, checkpoints)
            lineage.branches.snapshot = self._snapshot

    @property
    def under_way(self) -> bool:
        """Whether the worker that comes is another one, as it was asked for."""
        return self._way is not None

    def wish(self, asked: Asked) -> operations.Undone:
        """A cell wants to go back when it has ended: what will be undone. HoldfastError if it can't be."""
        job = self._stage.job
        if job is None or job.request is None:
            raise HoldfastError("%undo and %redo work in a cell only")
        undone = self._meaning(self._to(asked))
        self._wish = _Wish(job, asked, undone)
        return undone

    def do(self, asked: Asked) -> operations.Undone:
        """Go back now: what is undone. HoldfastError if it can't be."""
        job = self._stage.job
        if job is not None:
            what = f"In[{job.count}] is running" if job.request is not None else "the interpreter is busy"
            raise HoldfastError(what, "interrupt it first: holdfast interrupt")
        way = self._to(asked)
        if self._lineage.state is not State.ALIVE:
            raise HoldfastError("the interpreter is not there yet", "the same again")
        undone = self._meaning(way)
        self._depart(way, undone)
        return undone

    def ended(self, job: Job) -> None:
        """A job has ended: if it wished to go back, now is the time."""
        wish, self._wish = self._wish, None
        if wish is None or wish.job is not job or self._lineage.state is not State.ALIVE:
            return  # also if the session ends
        self._stage.drop_effects(job.number - 1)  # it is not one of those that count
        try:
            way = self._to(wish.asked)
        except HoldfastError as error:  # it has died, or was dropped, in between
            self._stage.tell_last(f"holdfast: nothing was undone: {error.what}\n")
            return
        if self._meaning(way) != wish.told:  # as more was written to disk in between
            self._stage.tell_last("holdfast: nothing was undone: that state is not kept any more\n")
        else:
            self._depart(way, wish.told, job.number)

    def arrived(self, back: Return) -> None:
        """A worker is there again: tell how it went."""
        way, self._way = self._way, None
        assert way is not None
        took = words.took((time.monotonic() - self._departed) * 1e3)
        slips = words.slips_in_words(back.slips, self._stage.effects.last_shown)
        why = "; ".join(slips) or "no other state woke up"
        lost = self._stage.drop_effects(back.after)
        state = self._place(back.after)
        if back.level == "fresh":
            text = f"holdfast: back after {took} with an EMPTY namespace: {why}."
        elif lost or back.after != way.target.after:
            text = f"holdfast: back after {took}, but with {words.extent(back.level, back.names)} as {state}:"
            text += f" {why}."
        else:
            text = f"holdfast: back after {took}, with {words.extent(back.level, back.names)} as {state}."
        left = remains.in_words(
            offspring.with_running(back.left, self._lineage.worker_pid), back.lost, "the last cell"
        )
        self._stage.tell_last("\n".join([text, *left]) + "\n")

    def forget(self) -> None:
        """Whatever was wished or under way will not be."""
        self._wish = self._way = None

    def restarting(self) -> None:
        """The namespace is about to be thrown away: its newest state is kept for a while."""
        self.forget()
        self._lineage.standbys.retire()

    def checkpoints(self) -> operations.Checkpoints:
        """What can be gone to by a cell that comes after this one, and what it costs."""
        if self._ways is None or not isinstance(self._lineage, Lineage):
            return operations.Checkpoints()
        budget = self._lineage.budget
        held = budget.held(costs.LIST_SECONDS)
        return operations.Checkpoints(
            self._ways.listed(), held, budget.limit(held), self._dropped(budget), budget.trouble
        )

    def _dropped(self, budget: Budget) -> str | None:
        if (last := budget.dropped) is None:
            return None
        more = f", and {budget.count - 1} before it" if budget.count > 1 else ""
        ago = f"{time.monotonic() - last.at:.0f} s ago"
        return f"the state {self._place(last.after)}, {ago}{more} ({last.why})"

    def _alike(self, one: int, other: int) -> bool:
        return self._stage.effects.alike(one, other)  # of the namespace there is then

    def _snapshot(self) -> Past | None:
        """What is known of the namespace that is abandoned, if it has cells that the wanted one has not."""
        effects = self._stage.effects
        if self._way is not None and not effects.less(self._way.effects).since(0):
            return None
        numbered_after = self._ledger.journal.get("numbered_after") or "0"
        return Past(effects, self._stage.count, numbered_after, self._ledger.namespace_after)

    def look_back(self) -> None:
        """The cell that runs asks about the session. If that is all, it is none of those that are counted."""
        job = self._stage.job
        if job is not None:
            job.looks_back = job.request is not None and len(job.request.code.strip().splitlines()) == 1

    def _to(self, asked: Asked) -> Way:
        """The way to what is asked for. HoldfastError if there is none."""
        if self._ways is None:
            raise HoldfastError("this session is an embedded program, whose earlier states are not kept")
        return self._ways.to(asked)

    def _meaning(self, way: Way) -> operations.Undone:
        """What it means to go there, in words, as the user reads it before it happens."""
        effects = self._stage.effects
        gone, back = effects.less(way.effects).shown_since(0), way.effects.less(effects).shown_since(0)
        return _undone(way.where, gone, back)

    def _depart(self, way: Way, undone: operations.Undone, *by: int) -> None:
        """`by`: the cell that asked for it."""
        assert isinstance(self._lineage, Lineage)
        stage, effects, branch = self._stage, self._stage.effects, way.branch
        gone = [*effects.less(way.effects).since(0), *by]
        back = way.effects.less(effects).since(0)
        if branch is not None:
            gone += branch.past.effects.less(way.effects).less(effects).since(0)
            self._lineage.branches.take(branch)
        self._ledger.event("undo", cells=gone, back=back, counts=undone.counts)
        self._departed, self._way = time.monotonic(), way
        since = min(effects.less(way.effects).since(0), default=NO_END)
        if branch is not None and branch.past.namespace_after != self._ledger.namespace_after:
            since = 0  # these two have nothing in common
        self._lineage.go_back(way.target, since)  # now: what is left becomes a branch, with what is known
        if branch is not None:
            stage.count = max(stage.count, branch.past.count)  # numbers go on
            self._ledger.set("numbered_after", branch.past.numbered_after)
            self._ledger.set(NAMESPACE_AFTER, str(branch.past.namespace_after))
        stage.effects = way.effects.until(NO_END)  # a copy: it changes, what a branch knows does not
        self._ledger.hold_effects(stage.effects.numbers())
        self._checkpoints.forget(min([way.target.after + 1, *gone]))

    def _place(self, number: int) -> str:
        return self._ways.place(number) if self._ways is not None else ""


def _undone(where: str, gone: list[int], back: list[int]) -> operations.Undone:
    text = f"Going back to {where}"
    if gone:
        them, are = ("they", "are") if len(gone) > 1 else ("it", "is")
        text += (
            f": {_listed(gone)} {are} undone in memory; what {them} did to files,"
            f" databases and the network is as {them} left it"
        )
    if back:
        text += f"{';' if gone else ':'} {_listed(back)} {'are' if len(back) > 1 else 'is'} there again"
    return operations.Undone(f"{text}.", gone)


def _listed(counts: list[int]) -> str:
    names = [f"In[{count}]" for count in counts]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
