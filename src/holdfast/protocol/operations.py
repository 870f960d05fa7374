"""Our own operations, beside Jupyter's: one table, name -> what is asked and what is answered.

On the control channel an operation is `holdfast_<name>_request` and `_reply`; on the doorbell it is
{"op": "<name>", …}. Execution of a cell is plain Jupyter and not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec
from holdfast.protocol.content import Moment, Number, Position, Whole

_PREFIX, _REQUEST, _REPLY = "holdfast_", "_request", "_reply"

State = Literal["starting", "idle", "busy"]


class InfoRequest(msgspec.Struct, frozen=True):
    """`info`: what is this session, and how does it do."""


class Running(msgspec.Struct, frozen=True):
    """The cell that runs now; `since` in seconds since the epoch."""

    count: Number | None
    client: str
    since: Moment
    session: str = ""
    """Of that client, in its headers."""


class Question(msgspec.Struct, frozen=True):
    """What a cell asks: `input()` or `getpass()`."""

    id: str
    """The `msg_id` of its input_request."""
    prompt: str
    password: bool
    count: Number | None
    """Number of the cell."""
    client: str
    """Who runs it, and was asked."""
    session: str = ""
    """Of that one, in its headers."""
    left: bool = False
    """That one is gone."""


class StandbyInfo(msgspec.Struct, frozen=True):
    """A standby: the cell after which it was forked (None: before any), and its age in seconds."""

    generation: Whole
    after: Number | None
    age: float


class LastCrash(msgspec.Struct, frozen=True):
    """The last death of the interpreter; `at` in seconds since the epoch."""

    at: Moment
    count: Number | None
    """Number of the cell that ran; None if none did."""
    cause: str
    level: str
    """How much is back: `standby` (all), `salvage`, `disk` (values), `fresh`, `none` (nothing)."""


class LostVariable(msgspec.Struct, frozen=True):
    """A variable that did not come back, why, and what it looked like, shortened."""

    name: str
    reason: str
    last_repr: str = ""


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to `info`. Times in seconds since the epoch, memory in bytes."""

    name: str
    state: State
    pid: Number
    worker_pid: Number | None = None
    python: str
    execution_count: Number
    cells: Number
    clients: list[str] = []
    running: Running | None = None
    question: Question | None = None
    """That cell waits for an answer to it."""
    standby: StandbyInfo | None = None
    """The one that a crash would wake."""
    no_standby: str | None = None
    """Why the newest standby does not hold the newest state."""
    before_restart: StandbyInfo | None = None
    """The namespace that a restart has thrown away, while it is still asleep."""
    embedded: bool = False
    """Its worker is a program that has called `holdfast.embed()` and goes on when a cell runs `exit`."""
    adopted: bool = False
    """Its supervisor has taken over from one that was killed: the interpreter is older than that."""
    started: Moment
    cwd: str
    unclean: str | None = None
    """How its last run ended, if not as it should."""
    story: str | None = None
    """That, what is back, and what came after it, in lines."""
    not_back: list[LostVariable] = []
    """Every variable that did not come back with it."""
    restore_point: str
    """What a crash would leave, in one line."""
    last_crash: LastCrash | None = None
    connection_file: str
    doors: list[str] = []
    """Those beside its own, and in words who can come in by them."""
    epoch: Number
    memory: Number | None = None


class LogRequest(msgspec.Struct, frozen=True):
    """`log`: the last cells, or all of them; no more than fit into one reply.

    Of those with ids above `after` and below `before`, so that one can read on backwards.
    """

    last: Position | None = None
    after: Position = 0
    before: Position | None = None


class OutputEntry(msgspec.Struct, frozen=True):
    """One thing that a cell put out: a message type of iopub and its content."""

    msg_type: str
    content: dict[str, Any]


class CellEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the journal. Times in seconds since the epoch."""

    id: Number
    count: Number | None = None
    code: str
    client: str
    started: Moment | None = None
    ended: Moment | None = None
    status: str
    outputs: list[OutputEntry] = []


class Log(msgspec.Struct, frozen=True):
    """Reply to `log`, oldest first: with all that was published up to the position `epoch`, `seq`.

    It has fewer cells than were asked for where they would be too much for one reply, but at least one.
    """

    cells: list[CellEntry]
    epoch: Number = 0
    seq: Number = 0


class ClientsRequest(msgspec.Struct, frozen=True):
    """`clients`: who is attached."""


class Attached(msgspec.Struct, frozen=True):
    """Somebody who listens."""

    name: str
    """Its user; "?" of somebody who has not said anything yet."""
    kind: str
    """`console`, `program`, `jupyter`."""
    session: str = ""
    """Its `header.session`."""
    since: Moment | None = None
    """Seconds since the epoch."""
    running: Number | None = None
    """Number of the cell of its that runs now."""
    waiting: Number = 0
    """How many cells of its wait for their turn."""


class Clients(msgspec.Struct, frozen=True):
    """Reply to `clients`, by the time they came."""

    clients: list[Attached]


class Withdraw(msgspec.Struct, frozen=True):
    """`withdraw`: a cell that waits for its turn is not to run."""

    msg_id: str


class Withdrawn(msgspec.Struct, frozen=True):
    """Reply to `withdraw`: false if it runs already, or has run; its reply is `aborted` otherwise."""

    done: bool


class AnswerRequest(msgspec.Struct, frozen=True):
    """`answer`: to a question of a cell, by somebody else than the client that was asked."""

    question: str
    """Its id."""
    value: str
    by: str = ""


class RecentRequest(msgspec.Struct, frozen=True):
    """`recent`: what somebody who has just come should see; the last cells that have ended, and what runs."""

    cells: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 10


class RecentOutput(msgspec.Struct, frozen=True):
    """One message of iopub that a cell has put out."""

    msg_type: str
    content: msgspec.Raw


class RecentCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell, and the end of what it has put out."""

    header: msgspec.Raw
    """Of its request."""
    client: str
    code: str
    count: Number | None
    ended: bool
    messages: list[RecentOutput] = []
    omitted: Number = 0
    """Bytes before these messages."""


class Recent(msgspec.Struct, frozen=True):
    """Reply to `recent`: oldest first, with everything published up to the position `epoch`, `seq`."""

    epoch: Number
    seq: Number
    cells: list[RecentCell] = []


class Interrupt(msgspec.Struct, frozen=True):
    """`interrupt`: stop the running cell; with `force` by promoting the standby."""

    force: bool = False


class VariablesRequest(msgspec.Struct, frozen=True):
    """`variables`: what is in the namespace. It is asked of a copy: no `__repr__` can do harm."""

    names: list[str] = []
    """Only these; without any, all that the user has made, `_private` ones left out."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1_000
    """No more than so many, the latest."""
    text: bool = True
    """Also what they look like, which runs code of theirs."""


class Variable(msgspec.Struct, frozen=True):
    """One name and its value."""

    name: str
    type: str
    """`int`, `numpy.ndarray`, `Point` (a class of the session's own)."""
    size: int | None = None
    """How many elements, of a container."""
    shape: list[int] | None = None
    """Of an array or a frame."""
    text: str = ""
    """Its repr on one line, cut; or why there is none."""


class Variables(msgspec.Struct, frozen=True):
    """Reply to `variables`."""

    as_of: Number | None
    """Number of the last cell whose effects are in it; None: no cell's."""
    running: Number | None = None
    """Number of the cell that runs now, of whose effects nothing is in it."""
    variables: list[Variable] = []
    more: Number = 0
    """How many were left out."""


class HeldRequest(msgspec.Struct, frozen=True):
    """`held`: which cells' effects the namespace holds."""


class HeldCell(msgspec.Struct, frozen=True):
    """One of them that somebody typed: those are counted when one goes back."""

    id: Number
    count: Number
    code: str
    client: str
    status: str


class Held(msgspec.Struct, frozen=True):
    """Reply to `held`, oldest first: what was undone, lost or emptied by `%reset` is not among them."""

    cells: list[HeldCell]


class Undo(msgspec.Struct, frozen=True):
    """`undo`: go back to the state before the last `cells` cells, or to the namespace before the restart.

    With `disk` to a checkpoint: 1, in `cells`, is the newest that is older than the state there is. With
    `before` to the state just before that cell (HeldCell.id), from memory; with `disk` too, if it must be
    from there.
    """

    cells: Annotated[int, msgspec.Meta(ge=1, le=2**53)] = 1
    restart: bool = False
    disk: bool = False
    before: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None


class Redo(msgspec.Struct, frozen=True):
    """`redo`: go to the state that an undo has left; with `crash` to what was given up after crashes."""

    crash: bool = False


class Undone(msgspec.Struct, frozen=True):
    """Reply to `undo` and `redo`, which happen now: in words, and with the numbers of the cells undone."""

    text: str
    counts: list[Number] = []


class EarlierState(msgspec.Struct, frozen=True):
    """A state that can be gone to. Its age in seconds."""

    how: str
    """What to type in a cell for it."""
    state: str
    """Such as "after In[3]"."""
    age: float
    kept: Literal["memory", "disk"]
    bytes: Whole | None = None
    """That it costs: memory that is nobody else's, or what is on disk. None: it was not looked at."""
    lost: list[str] = []
    """Variables that are not in it, with the reason."""


class CheckpointsRequest(msgspec.Struct, frozen=True):
    """`checkpoints`: which states can be gone to, and at which cost."""


class Checkpoints(msgspec.Struct, frozen=True):
    """Reply to `checkpoints`; by kind, newest first. Memory in bytes."""

    states: list[EarlierState] = []
    held: Whole = 0
    """Memory that would be had again without those that are in memory, as far as it is known."""
    budget: Whole = 0
    """That it may be."""
    dropped: str | None = None
    """The last one that went for lack of memory, when and why."""
    trouble: str | None = None
    """Why even what crashes need is too much."""


class Stop(msgspec.Struct, frozen=True):
    """`stop`: end the session's processes in order; its state on disk stays.

    `unless_held`: only if no launcher holds a door of it (asked at the doorbell). `for_good`: its variables
    are not wanted back; without it they are written first.
    """

    unless_held: bool = False
    for_good: bool = False


class Stopping(msgspec.Struct, frozen=True):
    """Reply to `stop`: whether the session ends."""

    ends: bool = True


class OpenDoor(msgspec.Struct, frozen=True):
    """`open_door`: serve a Jupyter connection file. With `hold` the door closes when the asker goes."""

    file: str
    hold: bool = False


class Arrival(msgspec.Struct, frozen=True):
    """`arrival`: what the session began with; answered when its first worker is there (at the doorbell)."""


class MissingCell(msgspec.Struct, frozen=True):
    """A cell that ran, and whose effects are not back."""

    count: Number
    code: str
    failed: bool = False
    """It had ended with an error."""


class Arrived(msgspec.Struct, frozen=True):
    """Reply to `arrival`: how the session ended before and what is back, in lines; and what is not."""

    story: str | None = None
    missing: list[MissingCell] = []


class Resume(msgspec.Struct, frozen=True):
    """`resume`: the output that was published after a position, also by an earlier supervisor."""

    epoch: Position
    after: Position
    waiting: list[str] = []
    """`msg_id`s of cells whose end has not been heard."""
    begun: str | None = None
    """`msg_id` of the last cell that was seen to begin, "" if there was none: the later ones are told, too.
    None: only output is asked for."""


class Published(msgspec.Struct, frozen=True):
    """A message as it was published on iopub; its metadata tells epoch and sequence number."""

    header: msgspec.Raw
    parent_header: msgspec.Raw
    metadata: msgspec.Raw
    content: msgspec.Raw


class Ended(msgspec.Struct, frozen=True):
    """A cell that has ended, and the content of its reply."""

    msg_id: str
    reply: msgspec.Raw


class Resumed(msgspec.Struct, frozen=True):
    """Reply to `resume`: everything up to the position `epoch`, `seq`."""

    epoch: Number
    seq: Number
    messages: list[Published] = []
    more: bool = False
    """There is more after that position: ask again."""
    ended: list[Ended] = []
    unknown: list[str] = []
    """Of the cells waited for, those that never arrived: to be sent again, just as they were."""
    gap: Number = 0
    """Bytes of output of these cells that are not kept."""
    untold: Number = 0
    """Cells that began after `begun` and are left out, with their output: they are too many."""


class Done(msgspec.Struct, frozen=True):
    """Reply of an operation that has nothing to tell but that it was done."""


class Operation(NamedTuple):
    """What is asked, what is answered, and whether only a process of the same user may ask (doorbell)."""

    request: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    doorbell_only: bool = False


OPERATIONS: dict[str, Operation] = {
    "info": Operation(InfoRequest, Info),
    "log": Operation(LogRequest, Log),
    "clients": Operation(ClientsRequest, Clients),
    "recent": Operation(RecentRequest, Recent),
    "withdraw": Operation(Withdraw, Withdrawn),
    "answer": Operation(AnswerRequest, Done),
    "interrupt": Operation(Interrupt, Done),
    "variables": Operation(VariablesRequest, Variables),
    "held": Operation(HeldRequest, Held),
    "undo": Operation(Undo, Undone),
    "redo": Operation(Redo, Undone),
    "checkpoints": Operation(CheckpointsRequest, Checkpoints),
    "stop": Operation(Stop, Stopping),
    "open_door": Operation(OpenDoor, Done, doorbell_only=True),
    "arrival": Operation(Arrival, Arrived, doorbell_only=True),
    "resume": Operation(Resume, Resumed),
}


def request_type(name: str) -> str:
    """The message type that asks for an operation on the control channel."""
    return f"{_PREFIX}{name}{_REQUEST}"


def reply_type(name: str) -> str:
    """The message type that answers it."""
    return f"{_PREFIX}{name}{_REPLY}"


def answered(msg_type: str) -> str | None:
    """The operation that a message on the control channel answers; None if it is none of ours."""
    name = msg_type.removeprefix(_PREFIX).removesuffix(_REPLY)
    return name if name in OPERATIONS and msg_type == reply_type(name) else None


def asked(msg_type: str) -> str | None:
    """The operation that a message on the control channel asks for; None if it is none of ours."""
    name = msg_type.removeprefix(_PREFIX).removesuffix(_REQUEST)
    operation = OPERATIONS.get(name)
    if operation is None or operation.doorbell_only or msg_type != request_type(name):
        return None
    return name


def arguments(name: str, given: bytes | Mapping[str, Any]) -> msgspec.Struct:
    """The request of an operation: a content, or a doorbell's object. MalformedMessage if it is none."""
    return _converted(name, given, _operation(name).request)


def answer(name: str, given: bytes | Mapping[str, Any]) -> msgspec.Struct:
    """The reply of an operation, likewise."""
    return _converted(name, given, _operation(name).reply)


def _operation(name: str) -> Operation:
    if name not in OPERATIONS:
        raise MalformedMessage(f"there is no operation {name!r}", f"there are {', '.join(OPERATIONS)}")
    return OPERATIONS[name]


def _converted(name: str, given: bytes | Mapping[str, Any], shape: type[msgspec.Struct]) -> msgspec.Struct:
    # An object goes back to JSON first: parts that stay raw can be had from there only.
    return codec.decode(given if isinstance(given, bytes) else codec.encode(given), shape, name)
