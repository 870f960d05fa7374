"""Where a cell's request came from: what a supervisor needs to answer it, whichever one took it in."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from holdfast.access.doors import Door
from holdfast.journal.records import CellRecord
from holdfast.protocol.connection import Channel
from holdfast.protocol.content import ExecuteRequest
from holdfast.protocol.messages import Header, Message
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.clients.broadcast import Parent


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """All of the request that the journal has no column for."""

    idents: list[bytes]
    channel: Channel
    door: str
    """Its connection file."""
    metadata: bytes
    user_expressions: dict[str, str]
    allow_stdin: bool
    stop_on_error: bool


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A reply, from the moment that the cell's end is committed until it has left."""

    content: bytes
    metadata: bytes = b"{}"

    def kept(self) -> bytes:
        """As the journal keeps it."""
        return _encode(self)


_encode = msgspec.msgpack.Encoder().encode
_origins = msgspec.msgpack.Decoder(Origin)
_answers = msgspec.msgpack.Decoder(Answer)


def origin_of(job: Job) -> bytes:
    """The origin of a cell, as the journal keeps it."""
    message, request = job.message, job.request
    assert request is not None
    return _encode(
        Origin(
            message.idents,
            job.channel,
            str(job.door.file),
            message.metadata_raw,
            request.user_expressions,
            request.allow_stdin,
            request.stop_on_error,
        )
    )


def answer_of(kept: bytes) -> Answer:
    """The reply that was kept."""
    return _answers.decode(kept)


def job_of(cell: CellRecord, kept: bytes, door_of: Callable[[str], Door]) -> Job:
    """The cell as a job again. `door_of` finds the door of a connection file."""
    origin = _origins.decode(kept)
    message = Message(
        idents=origin.idents,
        header=msgspec.json.decode(cell.header, type=Header),
        header_raw=cell.header,
        parent_raw=b"{}",
        metadata_raw=origin.metadata,
        content_raw=b"{}",
        buffers=[],
    )
    request = ExecuteRequest(
        code=cell.code,
        silent=cell.silent,
        store_history=cell.store_history,
        user_expressions=origin.user_expressions,
        allow_stdin=origin.allow_stdin,
        stop_on_error=origin.stop_on_error,
    )
    return Job(
        message,
        door_of(origin.door),
        origin.channel,
        request,
        Parent(cell.header, cell.id),
        cell.id,
        cell.count if cell.started is not None else None,
    )
