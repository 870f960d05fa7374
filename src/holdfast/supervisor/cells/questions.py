"""What a cell asks its client: input() and getpass(). One question at a time, of the cell that runs."""

from __future__ import annotations

from holdfast.access.doors import Door
from holdfast.link.messages import InputReply, NeedInput
from holdfast.protocol import codec
from holdfast.protocol import content as contents
from holdfast.protocol.messages import Message
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.processes.program import AnyWorker

_ASKING = "asking"
"""Key of the fact that says which cell waits for an answer: the next supervisor can't ask again, since
the client would show it twice."""


class Questions:
    """Between worker and clients."""

    def __init__(self, lineage: AnyWorker, ledger: Ledger) -> None:
        self._lineage = lineage
        self._ledger = ledger
        self._asking: Job | None = None  # the job whose client was asked

    def ask(self, job: Job, frame: NeedInput) -> None:
        """input() waits: ask the client that runs the cell."""
        self._asking = job
        self._ledger.set(_ASKING, str(job.number))
        content = {"prompt": frame.prompt, "password": frame.password}
        job.door.send("stdin", "input_request", content, to=job.message)

    def resume(self, job: Job) -> None:
        """The job that runs may have asked through another supervisor."""
        if self._ledger.journal.get(_ASKING) == str(job.number):
            self._asking = job

    def forget(self) -> None:
        """Nobody waits for an answer."""
        self._asking = None

    def answer(self, door: Door, message: Message, running: Job | None) -> None:
        """A client typed something: it counts if it is the one that was asked. MalformedMessage."""
        job = self._asking
        if job is None or job is not running or job.door is not door or job.message.idents != message.idents:
            return
        reply = codec.decode(message.content_raw, contents.InputReply, "content")
        self._asking = None
        self._lineage.send(InputReply(reply.value))
        self._ledger.set(_ASKING, "")
