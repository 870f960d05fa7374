"""What waits for the worker: cells and other requests, in the order they came. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from holdfast.access.doors import Door
from holdfast.link.messages import Ask, Run
from holdfast.protocol.connection import Channel
from holdfast.protocol.content import ExecuteRequest
from holdfast.protocol.messages import Message
from holdfast.supervisor.cells.room import Room
from holdfast.supervisor.clients.broadcast import Parent

QUESTIONS = frozenset({"complete_request", "inspect_request"})
"""Requests that change nothing: a copy of the interpreter can answer them as well."""


class Errand(msgspec.Struct, frozen=True, eq=False):
    """Something the supervisor wants of the worker itself: `what`, and who takes the answer, JSON."""

    what: str
    then: Callable[[bytes], None]


class Job(msgspec.Struct, eq=False):
    """A request that needs the worker, from its arrival to its reply."""

    message: Message
    door: Door
    channel: Channel
    request: ExecuteRequest | None = None
    """The decoded request, if it is a cell."""
    parent: Parent = Parent(b"{}")
    number: int = 0
    """Under which the worker's messages come back; given at the start."""
    count: int | None = None
    """Its execution count, given at the start of a cell."""
    looks_back: bool = False
    """A cell that only asked for earlier states: it is nothing that one would undo."""
    errand: Errand | None = None
    """What is asked on behalf of the request, instead of it; its client hears nothing of that."""

    left_to_worker: bool = False
    """A question at which a copy of the interpreter has failed."""

    @property
    def is_question(self) -> bool:
        """Whether it only asks."""
        return self.errand is None and self.message.header.msg_type in QUESTIONS

    @property
    def reply_type(self) -> str:
        """Message type of its reply."""
        return self.message.header.msg_type.removesuffix("_request") + "_reply"

    def run(self, turn: int) -> Run:
        """What the worker is told of a cell."""
        request, message = self.request, self.message
        assert request is not None
        assert self.count is not None
        return Run(
            cell=self.number,
            turn=turn,
            count=self.count,
            code=request.code,
            silent=request.silent,
            store_history=request.store_history,
            allow_stdin=request.allow_stdin,
            user_expressions=request.user_expressions,
            header=message.header_raw,
            metadata=message.metadata_raw,
        )

    def asked(self, turn: int) -> Ask:
        """What the worker is told of any other request."""
        message = self.message
        return Ask(
            cell=self.number,
            turn=turn,
            msg_type=self.errand.what if self.errand else message.header.msg_type,
            content=message.content_raw,
            header=message.header_raw,
            metadata=message.metadata_raw,
            buffers=[bytes(each) for each in message.buffers],
        )


class Queue:
    """First come, first served."""

    def __init__(self, room: Room) -> None:
        self._jobs: deque[Job] = deque()
        self._room = room

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._jobs

    @property
    def has_questions(self) -> bool:
        """Whether `take_questions` would take any."""
        return any(_anybody_can_answer(job) for job in self._jobs)

    def check_room(self, job: Job) -> None:
        """Raise HoldfastError when no more is taken in."""
        self._room.check(job.message)

    def add(self, job: Job) -> None:
        """Take a job in."""
        self._jobs.append(job)
        self._room.enter(job.message)

    def next(self) -> Job | None:
        """The job whose turn it is, taken out."""
        if not self._jobs:
            return None
        job = self._jobs.popleft()
        self._room.leave(job.message)
        return job

    def take_cells(self) -> list[Job]:
        """Take all cells out: an error aborts them. Other requests keep their turn."""
        cells = [job for job in self._jobs if job.request is not None]
        self._jobs = deque(job for job in self._jobs if job.request is None)
        self._let_out(cells)
        return cells

    @property
    def cells(self) -> list[Job]:
        """Those that wait, in their order."""
        return [job for job in self._jobs if job.request is not None]

    def take_cell(self, msg_id: str) -> Job | None:
        """Take out the cell of that request, if it waits."""
        for job in self.cells:
            if job.message.header.msg_id == msg_id:
                self._jobs.remove(job)
                self._let_out([job])
                return job
        return None

    def take_questions(self) -> list[Job]:
        """Take out what a copy of the interpreter can answer. Until it is `answered`, it has its room."""
        questions = [job for job in self._jobs if _anybody_can_answer(job)]
        self._jobs = deque(job for job in self._jobs if not _anybody_can_answer(job))
        return questions

    def answered(self, job: Job) -> None:
        """A question that was taken out has its answer."""
        self._let_out([job])

    def put_back(self, job: Job) -> None:
        """It was taken out, but is not done: it has waited long enough to be next."""
        self._jobs.appendleft(job)

    def take_all(self) -> list[Job]:
        """Take everything out."""
        jobs = list(self._jobs)
        self._jobs.clear()
        self._let_out(jobs)
        return jobs

    def _let_out(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._room.leave(job.message)


def _anybody_can_answer(job: Job) -> bool:
    return job.is_question and not job.left_to_worker
