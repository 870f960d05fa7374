"""The one tree of settings: every bound of Holdfast by name, with its default and its reason.

The text below each one is what `holdfast config` shows: its first sentence says what it is for. Where values
come from is `config/`'s; who needs a bound takes its part of the tree in the constructor. No I/O here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

MEBIBYTE = 1024 * 1024

Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=1024**4)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=31_536_000)]
Factor = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Share = Annotated[str, msgspec.Meta(pattern=r"^\d{1,2}%$", examples=["50%"])]
"""At most a terabyte, an hour, a year: more is a slip of a finger, which some system call would refuse."""


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on what a client may send."""

    max_frames: Count = 64
    """Frames a message. Jupyter needs 6 and one a buffer; ipywidgets sends a few buffers."""
    max_bytes: Bytes = 64 * MEBIBYTE
    """Bytes a message. A pasted data file or an uploaded image fits; a flood does not."""
    max_depth: Count = 200
    """Levels of nesting in JSON, well under what a parser's own recursion allows."""
    replay_window: Count = 65_536
    """Signatures remembered against replay, as jupyter_client does (session.py, digest_history_size)."""
    queue_cells: Count = 1_000
    """Requests that may wait for the worker: a notebook's Run All fits; a runaway client does not."""
    subscriber_bytes: Annotated[int, msgspec.Meta(ge=64 * 1024, le=1024**4)] = 32 * MEBIBYTE
    """Bytes kept for clients that do not read: a notebook's plots of a minute. Cells that print more wait."""
    subscriber_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = 2.0
    """So long they wait. Who has read nothing meanwhile is disconnected, so that he costs the others no more;
    who comes back asks for what he has missed, or is told that he has."""
    queue_bytes: Bytes = 64 * MEBIBYTE
    """Bytes of all these together: pasted data and uploads fit. With what is made of them, and what ZeroMQ
    holds, a flood of requests costs at most four times as much."""
    arriving_messages: Count = 64
    """Messages of each connection that ZeroMQ may take in before we have read them (ZMQ_RCVHWM): more wait at
    their sender's. libzmq's 1,000 are a gigabyte, if each has one megabyte."""


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How text travels from the worker to the clients and to the journal."""

    ring_bytes: Annotated[int, msgspec.Meta(ge=64 * 1024, le=1024 * MEBIBYTE)] = 4 * MEBIBYTE
    """Shared memory between worker and supervisor. Larger bursts wait for the supervisor to read."""
    group_ms: Milliseconds = 10.0
    """Milliseconds of text that go out as one stream message: below what an eye notices."""
    message_bytes: Bytes = 256 * 1024
    """Bytes of one stream message; more makes frontends stutter, less costs signatures."""
    commit_ms: Milliseconds = 20.0
    """Milliseconds of output that may be uncommitted in the journal (DESIGN: at most 20)."""
    journal_head_bytes: Bytes = 2 * MEBIBYTE
    """Of a cell's output, the beginning that the journal keeps."""
    journal_tail_bytes: Bytes = 2 * MEBIBYTE
    """Of a cell's output, the end that the journal keeps once the head is full."""
    journal_open_cells: Count = 16
    """Cells whose share of kept output is remembered; for late output of others it is read again."""
    journal_wal_bytes: Bytes = 16 * MEBIBYTE
    """Of the write-ahead log, before SQLite stops to move it into the journal (2 fsyncs, some 10 ms)."""


class Standby(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When forks of the worker are taken, and how many are kept."""

    keep: Count = 5
    """Generations kept: one for crashes, four earlier ones for %undo, or if the newest does not wake. Each
    costs 6 MB of its own (PSS), 2 MB of page tables for each GB of the worker's, and what cells have changed
    since. Fewer are kept while the machine could not hold the worker's memory once more."""
    branches: Annotated[int, msgspec.Meta(ge=0, le=3)] = 3
    """Abandoned states kept besides, for %redo and %undo restart: the newest that an undo has left, that was
    given up after crash upon crash, that a restart has thrown away. They go first when memory ends."""
    budget: Bytes | Share = "50%"
    """Memory that all these together may hold of their own: bytes, or a share of what the machine (or the
    session's control group) could give if they held none. Half: the other half is the running cell's, which
    at worst changes as much as they keep. Of what goes beyond, the oldest go; two stay for crashes."""
    quiet_wait_ms: Milliseconds = 50.0
    """Milliseconds to wait for other threads to leave native code (OpenBLAS spins some 30 ms)."""
    fork_seconds: Seconds = 5.0
    """A fork that takes longer hangs, in a library's or a user's handler: some 25 ms a GB, so 200 GB fit."""
    standstill_seconds: Seconds = 10.0
    """After a crash, a cell in which nothing can happen any more for want of lost threads is told of after so
    long: it costs a look at each thread twice in this time."""
    wake_seconds: Seconds = 5.0
    """Deadline for a standby to answer that it has woken; after it, the next older one is tried."""
    examine_after_seconds: Seconds = 0.3
    """From a standby with libraries that nobody has examined yet to its examination: the user's next cell, if
    it comes at once, goes first."""
    examine_seconds: Seconds = 4.0
    """For each thing that an examination tries while a crashed session waits for it: all of numpy, pandas,
    torch, scikit-learn and pyarrow take half a second. What takes longer hangs."""
    examine_patience: Factor = 5.0
    """So many times as long, while nobody waits: on a busy machine slow is not hung."""
    crashes_in_a_row: Count = 3
    """Crashes without a cell in between that ends: from this one on, memory itself may be damaged, and the
    session goes back one state further each time."""
    on_crash: Literal["restore", "exit"] = "restore"
    """What a crash does. `restore` brings back the state before it; `exit` ends the session and its launcher,
    as a kernel dies, for programs that want to see that when they run notebooks. HOLDFAST_ON_CRASH is a short
    name of its variable."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the namespace is written to disk."""

    enabled: bool = True
    """Whether variables are written to disk. Without it nothing but code and output outlives a reboot."""
    rest_seconds: Seconds = 2.0
    """From the end of a cell, if no other one follows, to the write: a row of quick cells is written once."""
    latest_seconds: Seconds = 60.0
    """From the first cell that is not on disk to the write, also if one cell follows the other for ever."""
    share: Factor = 10.0
    """After a write, so many times as long as it took passes until the next: a tenth of one processor."""
    write_seconds: Seconds = 600.0
    """For one write: tens of gigabytes to a slow disk fit."""
    end_seconds: Seconds = 10.0
    """For the last write, while the session's end waits for it: `holdfast stop` and a shutdown have patience
    for so long."""
    variable_seconds: Seconds = 20.0
    """For one variable to be written. Some 10 GB of arrays or 10 million small objects take so long; what
    takes longer mostly waits for ever, for a lock whose thread is gone."""
    total_seconds: Seconds = 300.0
    """For all variables to be written. After that only those known to be fine are; the others are named as
    lost."""
    variable_bytes: Bytes = 8 * 1024 * MEBIBYTE
    """Of one variable; a larger one is named as lost, and does not keep the smaller ones off the disk."""


class Meanwhile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered while a cell runs, by a copy of the newest standby."""

    wait_ms: Milliseconds = 50.0
    """A cell that is over so soon is waited for: the answer is newer, and the copy is not needed."""
    answer_seconds: Seconds = 5.0
    """For one answer. jedi's first completion may take a second or two; who hangs is asked no more."""
    idle_seconds: Seconds = 20.0
    """The copy is kept so long for the next question: who types asks again soon."""


class Interrupt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When one interrupt after the other, of one cell, means: at any price."""

    insist: bool = True
    """Whether a third one stops the interpreter and brings back the state before the cell. The second says so
    in the cell's output. For frontends that have one button for it. nbclient and papermill send one."""
    reading_seconds: Seconds = 1.0
    """After that was said, more interrupts within this time are the same press of a hasty finger."""
    memory_seconds: Seconds = 30.0
    """After so long an interrupt is a first one again."""


class Life(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Deadlines in the life of processes and doors, in seconds."""

    start_seconds: Seconds = 30.0
    """For a worker to be ready: a slow disk and long start-up files fit."""
    launcher_grace_seconds: Seconds = 8.0
    """An unnamed session waits so long for the next launcher: Jupyter's restart takes up to 5 s."""
    load_seconds: Seconds = 60.0
    """For one variable of a checkpoint to be loaded: gigabytes from a slow disk fit, a hang does not."""
    stop_seconds: Seconds = 3.0
    """For the worker to leave by itself (atexit handlers) before it is killed."""
    busy_seconds: Seconds = 2.0
    """For another process to let go of a database: writes take microseconds, so this is a sick disk."""
    undo_restart_seconds: Seconds = 300.0
    """The namespace from before a restart stays asleep so long: a restart by mistake is noticed at once, and
    until then it holds its memory."""
    adopt_seconds: Seconds = 600.0
    """The interpreter of a supervisor that was killed waits so long for another one: clients come back within
    a second, but a user who has left may come back when he sees that something is wrong."""
    return_seconds: Seconds = 3.0
    """A supervisor that took over keeps so long what it has to say for clients that are not there again:
    ZeroMQ tries every 0.1 s to connect anew, and a busy machine needs some more."""
    parents_kept: Count = 4_096
    """Cells whose late output (threads, tasks) still finds its parent without reading the journal."""


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The door over TCP, for those whose keys may come in (`holdfast keys`). There is none by default."""

    address: str = ""
    """An address of this host at which sessions can be joined, such as tcp://10.0.0.3: `--listen` of
    `holdfast new`."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_531)] = 0
    """The first of five ports. 0: 5555, or the next five that are free."""
    public: bool = False
    """Whether the address may be one that all the world can reach, or stand for all that this host has."""
    max_bytes: Annotated[int, msgspec.Meta(ge=64 * 1024, le=1024 * MEBIBYTE)] = MEBIBYTE
    """Bytes of one frame from there. Somebody without a key can have so many kept in memory with each
    connection, for as long as a handshake may take; the longest cells fit."""
    handshake_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = 5.0
    """For a connection to say whose it is: a key's mathematics and three times across the world fit."""
    strangers: Count = 128
    """Connections that may be open of people who have not yet shown a key: of more, the oldest of the
    address that has most are closed. A client has five, and shows its key within milliseconds."""
    strangers_each: Count = 32
    """The same of one address (of IPv6: a network of 64 bits): six clients that come at the same moment. Of
    more, the others come again by themselves, a tenth of a second later."""
    failures: Count = 100
    """Tries from one address that come to nothing, before it is shut out: twenty by somebody whose key is not
    let in. Never an address from which somebody has come in, nor this host."""
    shut_out_seconds: Seconds = 60.0
    """So long, or until the list of keys changes. Nobody guesses a key: this spares us the work."""
    alive_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = 5.0
    """Between two of the session's heartbeats on each connection: some bytes, which also keep it alive in
    routers that forget those that are silent."""
    alive_count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    """After so many of them without anything from the other end a connection counts as cut, at both ends:
    whoever is at it is attached no more, and comes back by a new one."""
    look_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=3_600)] = 0.5
    """Between two looks at who may come in: who is let in no more is out within a second."""


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terminal: how one types, and what is shown."""

    editing_mode: Literal["emacs", "vi"] = "emacs"
    """Keys of the prompt."""
    theme: Literal[
        "terminal",
        "default",
        "dracula",
        "github-dark",
        "gruvbox-dark",
        "gruvbox-light",
        "monokai",
        "nord",
        "solarized-dark",
        "solarized-light",
        "xcode",
    ] = "terminal"
    """Colours of code. `terminal`: the sixteen of the terminal's own theme, so readable on light and on dark;
    the others are styles of pygments, each for one of the two. NO_COLOR has the last word."""
    suggestions: bool = True
    """The rest of a line from the history, in grey. End, Ctrl-E or Ctrl-F takes it, no other key notices.
    Without colours (NO_COLOR) there is none, since it would look as if it were typed."""
    auto_close: bool = False
    """Brackets and quotes close by themselves."""
    completion_menu: Literal["column", "multicolumn"] = "column"
    """One completion a row with its kind and signature, or many a row as IPython has them."""
    history_entries: Annotated[int, msgspec.Meta(ge=0)] = 1_000
    """Cells of all sessions that Up and Ctrl-R find, and suggestions come from; as many as IPython loads."""
    elapsed_seconds: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """A cell that took longer says so; 0: each says so, inf: none."""
    images: Literal["auto", "kitty", "sixel", "iterm2", "blocks", "none"] = "auto"
    """How pictures are shown: by a protocol of the terminal, in coloured half blocks, or by their names only.
    `auto` goes by what the terminal says of itself in its variables; one that nobody knows gets blocks."""
    escapes: Literal["safe", "all"] = "safe"
    """What the text of others may do to your terminal: of cells that other clients run, and of all on another
    host. `safe`: colours, links to the web, progress bars. `all`: as much as what you run yourself on this
    host, such as to set its title, write its clipboard and switch its modes."""


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sessions on other hosts, over ssh; the last one also over TCP."""

    command: str = ""
    """What starts Holdfast there, for its shell: `~/venv/bin/holdfast`, say. Without it `holdfast` is looked
    for in the PATH, in the PATH of who logs in, and as a module of python3."""
    connect_seconds: Count = 10
    """For the host to take a connection (ConnectTimeout): a phone's network takes a second or two."""
    alive_seconds: Count = 5
    """Between two questions of ssh whether the host is still there (ServerAliveInterval): some bytes each. 0:
    it does not ask, and a cut is heard of when the system gives up, which takes a quarter of an hour."""
    alive_count: Count = 3
    """So many of them without an answer, and the connection counts as cut (ServerAliveCountMax): a new one is
    made then, which finds its way also from another network."""
    retry_seconds: Seconds = 15.0
    """The longest pause between two tries to be connected again. The first one is made at once, the second
    after a second, each pause is twice the one before."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole tree."""

    wire: Wire = Wire()
    output: Output = Output()
    standby: Standby = Standby()
    checkpoint: Checkpoint = Checkpoint()
    meanwhile: Meanwhile = Meanwhile()
    interrupt: Interrupt = Interrupt()
    life: Life = Life()
    listen: Listen = Listen()
    console: Console = Console()
    remote: Remote = Remote()
    durability: Literal["process", "power"] = "process"
    """What the journal outlives: `process` any process's death, `power` a power cut too (slower commits)."""
    project: bool = True
    """Whether settings of a project (`holdfast.toml`, `[tool.holdfast]` in `pyproject.toml`) count."""
