"""The table of everything that is said on the link. Data only: no behaviour, no I/O.

Three pairs talk: supervisor and template, supervisor and worker, supervisor and standby; when a supervisor
was killed, its successor and the standbys find each other through the template. Each message names its
direction. `at` is always the worker's position in the text ring when it spoke: text before `at` was written
before the message, which is how text and messages keep one order.

A message with `FDS = n` carries n file descriptors beside its bytes (SCM_RIGHTS, unix(7)).
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from holdfast.settings import Checkpoint


class Frame(msgspec.Struct, array_like=True):
    """What all messages share."""

    FDS: ClassVar[int] = 0
    """File descriptors that travel with the message."""


class Start(msgspec.Struct):
    """What a template is told at its start: JSON, its only argument. Descriptors are inherited by number."""

    link: int
    fault: int
    """Pipe for faulthandler's last words."""
    ring: int
    """memfd of the text ring."""
    room: int
    """eventfd: the supervisor has read from the ring."""
    arguments: list[str] = []
    """Command-line options for IPython."""
    quiet_wait_ms: float = 50.0
    cells: str = "/"
    """Folder in which cells seem to lie as files: tracebacks and debuggers name them so."""
    kept: dict[str, int] = {}
    """Descriptors that the template only holds, by label, for a supervisor that takes over (`KEPT`)."""
    meeting: str = ""
    """Path of the unix socket on which the template waits for that one, and for standbys."""
    meets: int = -1
    """That socket, which listens already: who comes early waits."""
    adopt_seconds: float = 0.0
    """So long it waits."""
    files: int = 0
    """Limit of open descriptors that everybody below the supervisor has (getrlimit(2), soft); 0: as it is."""
    life: int = 0
    """Number of this worker among the fresh ones; the template's is 0."""


# --- supervisor → template -----------------------------------------------------------------------------


class Fork(Frame, tag=1):
    """Become two: the new one is a fresh worker on the socket that comes along."""

    FDS: ClassVar[int] = 1


class Keep(Frame, tag=40):
    """Hold the supervisor's end of a link, in place of the last one: of the worker of process id `pid`."""

    FDS: ClassVar[int] = 1
    link: int
    """Links of this template are counted from 1."""
    pid: int
    """0: not known yet."""
    after: int
    """The worker was a standby of the state after this cell; `FRESH`: it is a fresh one."""


FRESH = -1
"""Of no cell: cells are counted from 1, and 0 is the state before any."""


class Farewell(Frame, tag=41):
    """The session ends: when this connection does, nobody takes over."""


# --- template → supervisor -----------------------------------------------------------------------------


class Forked(Frame, tag=2):
    """A fresh worker has begun."""

    pid: int


class ForkFailed(Frame, tag=3):
    """The operating system refused the fork."""

    reason: str


class Died(Frame, tag=4):
    """A child of the template (worker, standby, or an orphan of theirs) has ended: waitpid(2)'s status."""

    pid: int
    status: int
    max_rss: int
    """Largest resident size it had, in KiB (getrusage(2))."""


# --- a supervisor that takes over → template ----------------------------------------------------------


class Adopt(Frame, tag=42):
    """Hand everything over. From then on this connection is the one to the supervisor."""

    version: str
    """Of Holdfast: two that do not speak alike must not try."""


# --- template → a supervisor that takes over ----------------------------------------------------------


class Kept(Frame, tag=43):
    """A descriptor that was held, by its label: one of `KEPT`, or `LINK`."""

    FDS: ClassVar[int] = 1
    label: str


KEPT = ("ring", "room", "fault", "fault_end", "stdout", "stdout_end", "stderr", "stderr_end")
"""Labels of what is made once for a session; an `_end` is the one that is written to."""

LINK = "link"
"""Label of the supervisor's end of the link to the worker."""


class Legacy(Frame, tag=44):
    """That was all. What the template knows beside it."""

    link: int
    """Number of the link that was among it."""
    pid: int
    """Process id of its worker, as far as it is known."""
    after: int
    """As in `Keep`."""
    life: int
    """Fresh workers so far: standbys of earlier ones are of a namespace that was given up."""
    start: bytes
    """`Start`, as JSON, as the template got it."""
    template: int
    """Process id."""


class Orphan(Frame, tag=45):
    """A standby that has lost its supervisor; a connection to it comes along."""

    FDS: ClassVar[int] = 1
    life: int
    after: int
    pid: int
    fingerprint: str
    taken: float


# --- standby → template --------------------------------------------------------------------------------


class Sleeping(Frame, tag=46):
    """Its supervisor is gone, and has not said `Go`: this connection is from now on the way to it."""

    life: int
    """Of the fresh worker that it descends from: see `Legacy`."""
    after: int
    pid: int
    fingerprint: str
    taken: float


# --- both ways -----------------------------------------------------------------------------------------


class Bulk(Frame, tag=48):
    """A message too large to wait in a socket: it is in the memfd that comes along."""

    FDS: ClassVar[int] = 1


# --- supervisor → worker -------------------------------------------------------------------------------


class Run(Frame, tag=10):
    """Execute a cell."""

    cell: int
    turn: int
    """Number of this job among all that this worker's session was given: what an interrupt is aimed at."""
    count: int
    code: str
    silent: bool
    store_history: bool
    allow_stdin: bool
    user_expressions: dict[str, str]
    header: bytes
    """The request's header, JSON as it came."""
    metadata: bytes


class Ask(Frame, tag=11):
    """Any other request that needs the interpreter: completion, inspection, comm messages."""

    cell: int
    """Number under which its outputs come back; like a cell's, but never shown."""
    turn: int
    msg_type: str
    content: bytes
    header: bytes
    metadata: bytes
    buffers: list[bytes] = []


DEBUG_BEGIN, DEBUG_END = "debug_begin", "debug_end"
"""`Ask.msg_type` of what the supervisor asks for itself: debugpy shall listen, or be put away."""


VARIABLES = "variables"
"""`Ask.msg_type` of what the supervisor asks of a double: what is in the namespace."""


class Answer(Frame, tag=12):
    """What the worker asked for: the value of `Wonder` number `wonder`, as JSON."""

    wonder: int
    value: bytes


class InputReply(Frame, tag=13):
    """What a client typed for `NeedInput`."""

    value: str


class Renew(Frame, tag=15):
    """The newest standby is gone: take another one."""


class Rejoin(Frame, tag=16):
    """Comms that clients have, said to a worker that has woken: theirs are newer, or older, than its own."""

    comms: list[str]


class Load(Frame, tag=18):
    """Said to a fresh worker: take a checkpoint's values into the namespace before anything runs."""

    folder: str
    checkpoint: str
    after: int
    """The last cell whose effects it holds (0: none)."""
    skip: list[str] = []
    """Variables that have ended an interpreter before."""
    most: bool = False
    """There may be a better one: only if most of it can be read."""


class Outfit(Frame, tag=17):
    """The first word to an embedded program: ring, room, fault pipe, and pipes for stdout and stderr."""

    FDS: ClassVar[int] = 5


class Leave(Frame, tag=14):
    """Run the exit handlers and end."""


# --- worker → supervisor -------------------------------------------------------------------------------


class Ready(Frame, tag=20):
    """The interpreter is up, start-up files have run."""

    at: int
    pid: int
    banner: str
    notes: list[str] = []


class Segment(Frame, tag=21):
    """From `at` on, text in the ring belongs to this stream and this parent."""

    at: int
    parent: int
    stream: str


class Bell(Frame, tag=22):
    """There is text in the ring and the supervisor was asleep."""


class Publish(Frame, tag=23):
    """A message for every client's iopub."""

    at: int
    parent: int
    msg_type: str
    content: bytes
    metadata: bytes = b"{}"
    buffers: list[bytes] = []


class Done(Frame, tag=24):
    """A cell or request is finished: the content of its reply, as JSON."""

    at: int
    cell: int
    status: str
    content: bytes
    started: str = ""
    """When it began, ISO 8601, for the reply's metadata."""
    output: str | None = None
    """text/plain of the cell's result, for the history."""


class NeedInput(Frame, tag=25):
    """input() or getpass() waits."""

    at: int
    parent: int
    prompt: str
    password: bool


class Wonder(Frame, tag=26):
    """The worker needs something the supervisor owns (the history); answered by `Answer`."""

    at: int
    wonder: int
    what: str
    arguments: bytes


RESTLESS = "~"
"""Begins the fingerprint of a standby whose threads were at work: of those that are alike each may have found
another lock held, so what is known of one is only likely of the next."""


class StandbyTaken(Frame, tag=27):
    """A fork of the worker sleeps; its control socket comes along."""

    FDS: ClassVar[int] = 1
    at: int
    after: int
    """The last cell whose effects it holds (0: none)."""
    pid: int
    """0 if the worker can't know: then the standby says so itself (`Asleep`)."""
    took_ms: float
    fingerprint: str = ""
    """Of what might keep it from going on (libraries, threads); alike ones need one examination, "" none."""
    taken: float = 0.0
    """When, by time.monotonic(), which all processes share."""


class NoStandby(Frame, tag=28):
    """No fork could be taken now; an older one, if any, stays."""

    at: int
    after: int
    reason: str


class Loading(Frame, tag=51):
    """This variable of the checkpoint comes next: if it ends the interpreter, it is known which one did."""

    at: int
    name: str


class LostName(msgspec.Struct, frozen=True):
    """A variable that did not come back."""

    name: str
    reason: str
    """In words."""
    last_repr: str = ""
    """What it looked like, shortened."""


class Loaded(Frame, tag=52):
    """The checkpoint's values are in the namespace."""

    at: int
    names: list[str]
    lost: list[LostName]
    """Also those that were lost when it was written."""


class NotLoaded(Frame, tag=53):
    """The checkpoint's values are not in the namespace, or not most of them, as was wanted."""

    at: int
    what: str
    some: bool = False
    """Some of them can be had, should there be nothing better."""


class Left(Frame, tag=29):
    """An embedded program goes on, without the session."""

    at: int


# --- supervisor → standby ------------------------------------------------------------------------------


class Wake(Frame, tag=30):
    """Become the live worker, on the socket that comes along."""

    FDS: ClassVar[int] = 1


class Lend(Frame, tag=33):
    """Sleep on, and have a copy of yourself, a double, serve on the socket that comes along.

    It ends, whatever it is doing, when nobody has the other end of the pipe that comes along, too.
    """

    FDS: ClassVar[int] = 2


class Go(Frame, tag=47):
    """You are not needed any more. An end of the control socket without it is the supervisor's own."""


class Abandoned(Frame, tag=49):
    """Sleep on, but for this supervisor only: with the end of the control socket, end."""


# --- standby → supervisor ------------------------------------------------------------------------------


class Asleep(Frame, tag=31):
    """The standby is private and waits. Said once, on its control socket, if anybody waits for that."""

    pid: int


SHARED_MEMORY, SEMAPHORE = "shared memory", "semaphore"
"""`Absent.kind` of what did come along, but not as it was."""


class Absent(msgspec.Struct, frozen=True):
    """Something that did not come along with a standby, or not as it was."""

    kind: str
    """`thread`, `pool`, `connection`, `database`, `file`, `pipe`, `other`; or one of the two above."""
    name: str
    """How the user reaches it, such as `conn` or `pool[2]`; "" if no variable that was looked at holds it."""
    what: str
    """In words, such as "open socket (10.0.0.1:5432)"."""


class Child(msgspec.Struct, frozen=True):
    """A process that a dead worker had started."""

    pid: int
    command: str
    name: str = ""
    """Of the variable that stands for it."""
    runs: bool = True
    exit_status: int | None = None
    """As Python tells it (-9: by signal 9), if it has ended and that is known."""


class LeftBehind(msgspec.Struct, frozen=True):
    """What a standby has not, beside what its variables say."""

    not_restored: list[Absent] = []
    children: list[Child] = []
    not_rolled_back: list[Absent] = []
    """Memory that others share: as the dead worker left it."""


class Woken(Frame, tag=32):
    """The standby is the worker now. Said on the new link."""

    at: int
    pid: int
    left: LeftBehind
    comms: list[str] = []
    """Ids of the comms that it has."""


# --- supervisor → double -------------------------------------------------------------------------------


class Examine(Frame, tag=35):
    """Find out whether you could go on as the worker."""


class Write(Frame, tag=36):
    """Write the namespace to disk as a checkpoint."""

    folder: str
    facts: bytes
    """What is to be known of it, JSON."""
    durable: bool
    """It must outlive the machine, too: everything is synchronised to the disk."""
    keep: list[str] | None
    """The checkpoints that are kept beside it; all others in the folder go. None: nothing goes."""
    limits: Checkpoint
    gone: list[str] = []
    """Folders of which nothing is wanted any more."""


# --- double → supervisor -------------------------------------------------------------------------------
# A double also takes `Ask` and answers `Done`, as the worker does.


class Lent(Frame, tag=34):
    """The double is there, and serves. Its first word."""

    pid: int
    left: LeftBehind = LeftBehind()
    """What did not come along, by no variable's name."""


class Probing(Frame, tag=37):
    """This is tried next, in words: if nothing more is heard, it hangs."""

    what: str


class Examined(Frame, tag=38):
    """What became of the examination."""

    grade: str
    """`resume`, `salvage` or `none`."""
    reasons: list[str] = []
    """Why it is no better, in words."""


class Written(Frame, tag=39):
    """The checkpoint is complete."""

    checkpoint: str
    names: list[str]
    lost: list[LostName]
    bytes_total: int
    bytes_written: int


class NotWritten(Frame, tag=50):
    """There is no checkpoint."""

    what: str
    remedy: str = ""


type_of_everything = (
    Fork | Forked | ForkFailed | Died | Run | Ask | Answer | InputReply | Renew | Rejoin | Outfit | Leave
    | Ready | Segment | Bell | Publish | Done | NeedInput | Wonder | StandbyTaken | NoStandby | Left | Wake
    | Asleep | Woken | Lend | Lent | Examine | Write | Probing | Examined | Written | NotWritten | Load
    | Loading | Loaded | NotLoaded | Keep | Farewell | Adopt | Kept | Legacy | Orphan | Sleeping | Bulk | Go
    | Abandoned
)  # fmt: skip
"""The union that a decoder accepts; anything else is refused."""
