"""What a cell asks its client: input() and getpass(). One question at a time, of the cell that runs.

    asked ──▶ the client that runs the cell ──answers──▶ the worker
      │                                        ▲
      └──that client is gone──▶ told to all of our own clients; who answers first has answered

A question is never put to anybody twice: others are offered it, and it stays with who was asked. Whoever
comes later finds it in `info`.
"""

from __future__ import annotations

import uuid

import msgspec

from holdfast.access.doors import Door
from holdfast.errors import HoldfastError
from holdfast.link.messages import InputReply, NeedInput
from holdfast.protocol import codec, notices, operations
from holdfast.protocol import content as contents
from holdfast.protocol.messages import Header, Message
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.clients.broadcast import Broadcast
from holdfast.supervisor.clients.presence import Presence
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.program import AnyWorker

_ASKING = "asking"
"""Key of the fact that says what waits for an answer: the next supervisor can't ask again, since the client
would show it twice."""


class _Open(msgspec.Struct):
    """A question without an answer."""

    job: int
    question: operations.Question
    offered: bool = False


class Questions:
    """Between worker and clients."""

    def __init__(
        self, lineage: AnyWorker, ledger: Ledger, broadcast: Broadcast, presence: Presence, loop: Loop
    ) -> None:
        self._lineage = lineage
        self._ledger = ledger
        self._broadcast = broadcast
        self._presence = presence
        self._patience = Deadline(loop)
        self._returning = False
        """Clients of a supervisor that was killed are on their way: who is not here yet has not left."""
        self._open: _Open | None = None
        self._asked: Job | None = None
        """The job whose client was asked."""
        presence.on_change = self._look

    @property
    def open(self) -> operations.Question | None:
        """What waits for an answer."""
        if self._open is None or self._asked is None:
            return None
        return msgspec.structs.replace(self._open.question, left=self._has_left(self._asked))

    def ask(self, job: Job, frame: NeedInput) -> None:
        """input() waits: ask the client that runs the cell."""
        self.forget()  # it was interrupted
        header = job.message.header
        question = operations.Question(
            uuid.uuid4().hex, frame.prompt, frame.password, job.count, header.username, header.session
        )
        self._asked, self._open = job, _Open(job.number, question)
        self._keep()
        content = {"prompt": frame.prompt, "password": frame.password}
        job.door.send("stdin", "input_request", content, to=job.message, msg_id=question.id)
        self._look()

    def resume(self, job: Job, patience: float) -> None:
        """The job that runs may have asked through another supervisor.

        `patience`: seconds until its client must be back.
        """
        kept = self._ledger.journal.get(_ASKING)
        if not kept:
            return
        found = codec.decode(kept.encode(), _Open, "question")
        if found.job == job.number:
            self._asked, self._open = job, found
            self._returning = True
            self._patience.set(patience, self._all_back)

    def forget(self) -> None:
        """Nobody waits for an answer."""
        if self._open is not None:
            self._close("")

    def answer(self, door: Door, message: Message, running: Job | None) -> None:
        """A client typed something: it counts if it is the one that was asked. MalformedMessage."""
        job, open_ = self._asked, self._open
        if job is None or open_ is None or job is not running:
            return
        if job.door is not door or job.message.idents != message.idents:
            return
        if _answers_another(message, open_.question.id):
            return
        reply = codec.decode(message.content_raw, contents.InputReply, "content")
        self._give(reply.value, job.message.header.username)

    def answer_instead(self, request: operations.AnswerRequest) -> None:
        """Somebody else answers. HoldfastError if the question is not open any more."""
        if self._open is None or self._open.question.id != request.question:
            raise HoldfastError("that question is answered already, or its cell has ended")
        self._ledger.event("answered", self._open.job, by=request.by)
        self._give(request.value, request.by)

    def _give(self, value: str, by: str) -> None:
        self._lineage.send(InputReply(value))
        self._close(by)

    def _all_back(self) -> None:
        self._returning = False
        self._look()

    def _has_left(self, job: Job) -> bool:
        return not self._returning and self._presence.has_left(job)

    def _look(self) -> None:
        """Somebody came or left: a question whose client is gone is everybody's."""
        job, open_ = self._asked, self._open
        if job is None or open_ is None or open_.offered or not self._has_left(job):
            return
        open_.offered = True
        self._tell(job, notices.Asked(msgspec.structs.replace(open_.question, left=True), open=True))

    def _close(self, by: str) -> None:
        job, open_, self._asked, self._open = self._asked, self._open, None, None
        self._keep()
        if job is not None and open_ is not None:
            self._tell(job, notices.Asked(open_.question, open=False, by=by))

    def _tell(self, job: Job, asked: notices.Asked) -> None:
        self._broadcast.notice(notices.QUESTION, asked, job.parent)

    def _keep(self) -> None:
        self._ledger.set(_ASKING, codec.encode(self._open).decode() if self._open is not None else "")


def _answers_another(message: Message, question: str) -> bool:
    """Whether it says that it answers something else: somebody was quicker with that."""
    if message.parent_raw == b"{}":
        return False
    return codec.decode(message.parent_raw, Header, "parent header").msg_id != question
