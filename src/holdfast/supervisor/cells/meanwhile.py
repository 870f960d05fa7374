"""What is answered while the worker is busy: questions that wait for a cell, and the view of the variables.

queue ──the cell has run for a moment──▶ stand-in ──▶ answered, as of the last cell whose effects it holds
  ▲                                         │ the cell has ended, or the stand-in does not answer in time
  └─────────────────────────────────────────┘ then it is the worker's turn, as it is for everything else

A question is asked of a copy, so nothing that it does to the namespace stays, and nobody can interrupt it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from holdfast.errors import HoldfastError
from holdfast.link.messages import VARIABLES
from holdfast.protocol import codec, operations
from holdfast.settings import Meanwhile as Bounds
from holdfast.supervisor.aftermath import offspring
from holdfast.supervisor.cells.queue import Job, Queue
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.cells.standin import Answer, Question, StandIn
from holdfast.supervisor.clients.broadcast import Broadcast, Parent
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.program import AnyWorker

LISTS = 64
"""Of variables, at a time: more than there are views that ask for one after each cell."""

Listed = Callable[[operations.Variables | HoldfastError], None]
"""Takes the variables, or why there are none."""


class Meanwhile:
    """Of one session."""

    def __init__(
        self,
        loop: Loop,
        queue: Queue,
        stage: Stage,
        lineage: AnyWorker,
        broadcast: Broadcast,
        bounds: Bounds,
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._stage = stage
        self._lineage = lineage
        self._broadcast = broadcast
        self._wait_seconds = bounds.wait_ms / 1e3
        self._answer_seconds = bounds.answer_seconds
        self._stand_in = StandIn(loop, lineage.standbys, bounds)
        self._patience = Deadline(loop)  # when the queue is looked at again
        self._lists = 0  # of variables, that are being made

    def consider(self) -> None:
        """A question has come into the queue. Soon it is answered, by whomever."""
        self._look()

    def over(self) -> None:
        """The cell has ended: questions that are open are the worker's."""
        self._stand_in.dismiss()

    def variables(self, asked: operations.VariablesRequest, then: Listed) -> None:
        """List the variables: as of the last cell, or before the one that runs."""
        if self._lists >= LISTS:
            then(HoldfastError(f"{LISTS} lists of variables are being made already", "ask again later"))
            return
        self._lists += 1

        def told(found: operations.Variables | HoldfastError) -> None:
            self._lists -= 1
            then(found)

        self._list(asked, told, time.monotonic() + self._answer_seconds)

    def _look(self) -> None:
        """Take questions out of the queue, if the worker has let them wait long enough."""
        if not self._queue.has_questions or not self._stand_in.there:
            return
        rest = self._wait_seconds
        if (job := self._stage.job) is not None and not job.is_question:
            rest -= offspring.now() - self._stage.began
        if rest > 0:
            self._patience.set(rest, self._look)
            return
        for job in self._queue.take_questions():
            self._ask(job)

    def _ask(self, job: Job) -> None:
        message = job.message
        self._stand_in.ask(
            Question(
                message.header.msg_type,
                message.content_raw,
                lambda answer: self._answer(job, answer),
                lambda failed: self._put_back(job, failed=failed),
                message.header_raw,
                message.metadata_raw,
            )
        )

    def _answer(self, job: Job, answer: Answer) -> None:
        """Busy, reply and idle, as of what is answered at once."""
        self._queue.answered(job)
        as_of = self._stage.effects.last_shown(answer.after)
        content: object = answer.content
        if job.message.header.msg_type == "inspect_request":
            content = _with_note(answer.content, as_of)
        parent = Parent(job.message.header_raw)
        self._broadcast.status("busy", parent)
        metadata = {"holdfast": {"as_of": as_of}}
        job.door.reply(job.channel, job.reply_type, content, metadata, to=job.message)
        self._broadcast.status("idle", parent)
        if (running := self._stage.job) is not None:  # frontends show what they have heard last
            self._broadcast.status("busy", running.parent)

    def _put_back(self, job: Job, *, failed: bool) -> None:
        job.left_to_worker = failed
        self._queue.put_back(job)
        if not failed:
            self._patience.set(self._wait_seconds, self._look)

    def _list(self, asked: operations.VariablesRequest, then: Listed, patience: float) -> None:
        """`patience`: until when (time.monotonic()) a newer standby is waited for."""
        if self._is_being_taken() and time.monotonic() < patience:
            self._loop.later(self._wait_seconds, lambda: self._list(asked, then, patience))
            return
        if not self._stand_in.there:
            why = self._lineage.refusal or "the interpreter is not there yet"
            then(HoldfastError(f"there is no copy of the interpreter to look at: {why}"))
            return

        def unanswered(failed: bool) -> None:
            if not failed:  # the cell has ended meanwhile: there is something newer to look at
                self._loop.later(0, lambda: self._list(asked, then, patience))
            elif asked.text:  # one of them is slow to describe itself: at least the names
                self._list(msgspec.structs.replace(asked, text=False), then, patience)
            else:
                then(HoldfastError(f"the variables could not be listed within {self._answer_seconds:g} s"))

        def answered(answer: Answer) -> None:
            told = codec.decode(answer.content, _Told, "variables")
            as_of = self._stage.effects.last_shown(answer.after)
            then(operations.Variables(as_of, self._running(), told.variables, told.more))

        self._stand_in.ask(Question(VARIABLES, codec.encode(asked), answered, unanswered))

    def _is_being_taken(self) -> bool:
        """Whether a standby of the newest state is on its way: none is there, for no known reason."""
        newest = self._lineage.standbys.newest
        missing = newest is None or bool(self._stage.effects.since(newest.after))
        return missing and self._lineage.refusal is None

    def _running(self) -> int | None:
        """Number of the cell that runs."""
        job = self._stage.job
        return job.count if job is not None and job.request is not None else None


class _Told(msgspec.Struct, frozen=True):
    """What a double says about variables."""

    variables: list[operations.Variable] = []
    more: int = 0


def _with_note(content: bytes, as_of: int | None) -> object:
    """An `inspect_reply` with a line, after all others, that says of which state it speaks."""
    reply = msgspec.json.decode(content)
    text = reply.get("data", {}).get("text/plain")
    if isinstance(text, str):
        state = f"as of In[{as_of}]" if as_of is not None else "as of the start"
        reply["data"]["text/plain"] = f"{text.rstrip()}\n({state}: another cell runs)"
    return reply
