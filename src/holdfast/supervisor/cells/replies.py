"""How cells are answered that do not end by themselves, and that every reply reaches its client once.

A reply is kept in the journal with the cell's end, until it has left: the next supervisor sends it otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime

from holdfast.errors import DIED
from holdfast.protocol import codec
from holdfast.supervisor.aftermath import recovery as words
from holdfast.supervisor.aftermath.recovery import Recovery
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.clients.broadcast import Broadcast, Parent
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.succession.origin import Answer, answer_of

_ABORTED = Answer(b'{"status":"aborted"}', b'{"status":"aborted"}')


class Replies:
    """To requests that needed the worker."""

    def __init__(self, broadcast: Broadcast, ledger: Ledger) -> None:
        self._broadcast = broadcast
        self._ledger = ledger

    def send(self, job: Job, answer: Answer) -> None:
        """Answer the client."""
        if job.message.header.msg_type.startswith("comm_"):
            return
        job.door.reply(job.channel, job.reply_type, answer.content, answer.metadata, to=job.message)
        if job.request is not None:
            self._ledger.answered(job.number)

    def again(self, job: Job, kept: bytes) -> None:
        """A cell has ended, but nobody knows whether its reply has left."""
        self.send(job, answer_of(kept))
        self._broadcast.status("idle", job.parent)

    def abort(self, job: Job) -> None:
        """Answer a cell that will not run, because one before it failed."""
        parent = Parent(job.message.header_raw, job.number)
        self._broadcast.status("busy", parent)
        self._ledger.finish(job.number, "aborted", reply=_ABORTED.kept())
        self.send(job, _ABORTED)
        self._broadcast.status("idle", parent)


def of_crash(job: Job, since: float, recovery: Recovery, error: dict[str, object]) -> Answer:
    """The reply to a job whose worker died; `error` as it is published."""
    content: dict[str, object] = {
        "status": "error",
        "execution_count": job.count,
        "user_expressions": {},
        "payload": [],
        **error,
    }
    started = datetime.fromtimestamp(since, UTC).isoformat()
    metadata = {"started": started, "status": "error", "holdfast": {"recovery": recovery}}
    return Answer(codec.encode(content), codec.encode(metadata))


def error_of(recovery: Recovery) -> dict[str, object]:
    """The error that clients are shown."""
    return {"ename": DIED, "evalue": recovery.cause, "traceback": words.described(recovery)}
