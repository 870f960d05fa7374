"""The one tree of settings: every bound of Holdfast by name, with its default and its reason.

Read from `settings.toml` in the config folder, if there is one; unknown keys and wrong types are refused.
Who needs a bound takes its part of the tree in the constructor; nobody reads files or variables elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from holdfast.errors import SettingsError

MEBIBYTE = 1024 * 1024


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on what a client may send."""

    max_frames: int = 64
    """Frames a message. Jupyter needs 6 and one a buffer; ipywidgets sends a few buffers."""
    max_bytes: int = 64 * MEBIBYTE
    """Bytes a message. A pasted data file or an uploaded image fits; a flood does not."""
    max_depth: int = 200
    """Levels of nesting in JSON, well under what a parser's own recursion allows."""
    replay_window: int = 65_536
    """Signatures remembered against replay, as jupyter_client does (session.py, digest_history_size)."""
    queue_cells: int = 1_000
    """Requests that may wait for the worker: a notebook's Run All fits; a runaway client does not."""
    subscriber_messages: int = 100_000
    """Messages kept for a slow iopub subscriber (ZMQ_SNDHWM); libzmq's 1,000 loses output and `idle`."""


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How text travels from the worker to the clients and to the journal."""

    ring_bytes: int = 4 * MEBIBYTE
    """Shared memory between worker and supervisor. Larger bursts wait for the supervisor to read."""
    group_ms: float = 10.0
    """Milliseconds of text that go out as one stream message: below what an eye notices."""
    message_bytes: int = 256 * 1024
    """Bytes of one stream message; more makes frontends stutter, less costs signatures."""
    commit_ms: float = 20.0
    """Milliseconds of output that may be uncommitted in the journal (DESIGN: at most 20)."""
    journal_head_bytes: int = 2 * MEBIBYTE
    """Of a cell's output, the beginning that the journal keeps."""
    journal_tail_bytes: int = 2 * MEBIBYTE
    """Of a cell's output, the end that the journal keeps once the head is full."""
    journal_open_cells: int = 16
    """Cells whose share of kept output is remembered; for late output of others it is read again."""
    journal_wal_bytes: int = 16 * MEBIBYTE
    """Of the write-ahead log, before SQLite stops to move it into the journal (2 fsyncs, some 10 ms)."""


class Standby(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When forks of the worker are taken, and how many are kept."""

    keep: Annotated[int, msgspec.Meta(ge=0)] = 5
    """Generations kept: one for crashes, four earlier ones for %undo, or if the newest does not wake. Each
    costs 6 MB of its own (PSS), 2 MB of page tables for each GB of the worker's, and what cells have changed
    since. Fewer are kept while the machine could not hold the worker's memory once more."""
    branches: Annotated[int, msgspec.Meta(ge=0, le=3)] = 3
    """Abandoned states kept besides, for %redo and %undo restart: the newest that an undo has left, that was
    given up after crash upon crash, that a restart has thrown away. They go first when memory ends."""
    budget: Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(pattern=r"^\d{1,2}%$")] = "50%"
    """Memory that all these together may hold of their own: bytes, or a share of what the machine (or the
    session's control group) could give if they held none. Half: the other half is the running cell's, which
    at worst changes as much as they keep. Of what goes beyond, the oldest go; two stay for crashes."""
    quiet_wait_ms: float = 50.0
    """Milliseconds to wait for other threads to leave native code (OpenBLAS spins some 30 ms)."""
    fork_seconds: float = 5.0
    """A fork that takes longer hangs, in a library's or a user's handler: some 25 ms a GB, so 200 GB fit."""
    standstill_seconds: float = 10.0
    """After a crash, a cell in which nothing can happen any more for want of lost threads is told of after so
    long: it costs a look at each thread twice in this time."""
    wake_seconds: float = 5.0
    """Deadline for a standby to answer that it has woken; after it, the next older one is tried."""
    examine_after_seconds: float = 0.3
    """From a standby with libraries that nobody has examined yet to its examination: the user's next cell, if
    it comes at once, goes first."""
    examine_seconds: float = 4.0
    """For each thing that an examination tries while a crashed session waits for it: all of numpy, pandas,
    torch, scikit-learn and pyarrow take half a second. What takes longer hangs."""
    examine_patience: float = 5.0
    """So many times as long, while nobody waits: on a busy machine slow is not hung."""
    crashes_in_a_row: int = 3
    """Crashes without a cell in between that ends: from this one on, memory itself may be damaged, and the
    session goes back one state further each time."""
    on_crash: Literal["restore", "exit"] = "restore"
    """`exit`: a crash ends the session and its launcher, as a kernel dies, for programs that want to see that
    when they run notebooks. The variable HOLDFAST_ON_CRASH has the last word."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the namespace is written to disk."""

    enabled: bool = True
    """Without it nothing but code and output outlives a reboot."""
    rest_seconds: float = 2.0
    """From the end of a cell, if no other one follows, to the write: a row of quick cells is written once."""
    latest_seconds: float = 60.0
    """From the first cell that is not on disk to the write, also if one cell follows the other for ever."""
    share: float = 10.0
    """After a write, so many times as long as it took passes until the next: a tenth of one processor."""
    write_seconds: float = 600.0
    """For one write: tens of gigabytes to a slow disk fit."""
    end_seconds: float = 10.0
    """For the last write, while the session's end waits for it: `holdfast stop` and a shutdown have patience
    for so long."""
    variable_seconds: float = 20.0
    """For one variable to be written. Some 10 GB of arrays or 10 million small objects take so long; what
    takes longer mostly waits for ever, for a lock whose thread is gone."""
    total_seconds: float = 300.0
    """For all of them. After that only those known to be fine are written; the others are named as lost."""
    variable_bytes: int = 8 * 1024 * MEBIBYTE
    """Of one variable; a larger one is named as lost, and does not keep the smaller ones off the disk."""


class Meanwhile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered while a cell runs, by a copy of the newest standby."""

    wait_ms: float = 50.0
    """A cell that is over so soon is waited for: the answer is newer, and the copy is not needed."""
    answer_seconds: float = 5.0
    """For one answer. jedi's first completion may take a second or two; who hangs is asked no more."""
    idle_seconds: float = 20.0
    """The copy is kept so long for the next question: who types asks again soon."""


class Interrupt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When one interrupt after the other, of one cell, means: at any price."""

    insist: bool = True
    """A third one stops the interpreter and brings back the state before the cell; the second says so in the
    cell's output. For frontends that have one button for it. nbclient and papermill send one interrupt."""
    reading_seconds: float = 1.0
    """After that was said, more interrupts within this time are the same press of a hasty finger."""
    memory_seconds: float = 30.0
    """After so long an interrupt is a first one again."""


class Life(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Deadlines in the life of processes and doors, in seconds."""

    start_seconds: float = 30.0
    """For a worker to be ready: a slow disk and long start-up files fit."""
    launcher_grace_seconds: float = 8.0
    """An unnamed session waits so long for the next launcher: Jupyter's restart takes up to 5 s."""
    load_seconds: float = 60.0
    """For one variable of a checkpoint to be loaded: gigabytes from a slow disk fit, a hang does not."""
    stop_seconds: float = 3.0
    """For the worker to leave by itself (atexit handlers) before it is killed."""
    busy_seconds: float = 2.0
    """For another process to let go of a database: writes take microseconds, so this is a sick disk."""
    undo_restart_seconds: float = 300.0
    """The namespace from before a restart stays asleep so long: a restart by mistake is noticed at once, and
    until then it holds its memory."""
    adopt_seconds: float = 600.0
    """The interpreter of a supervisor that was killed waits so long for another one: clients come back within
    a second, but a user who has left may come back when he sees that something is wrong."""
    return_seconds: float = 3.0
    """A supervisor that took over keeps so long what it has to say for clients that are not there again:
    ZeroMQ tries every 0.1 s to connect anew, and a busy machine needs some more."""
    parents_kept: int = 4_096
    """Cells whose late output (threads, tasks) still finds its parent without reading the journal."""


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


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole tree."""

    wire: Wire = Wire()
    output: Output = Output()
    standby: Standby = Standby()
    checkpoint: Checkpoint = Checkpoint()
    meanwhile: Meanwhile = Meanwhile()
    interrupt: Interrupt = Interrupt()
    life: Life = Life()
    console: Console = Console()
    durability: Literal["process", "power"] = "process"
    """`process`: no process death loses anything; `power`: neither does a power cut (slower commits)."""


def load(path: Path) -> Settings:
    """Settings from the TOML file `path`; the defaults if there is none. SettingsError names the place."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        text = b""
    except OSError as error:
        raise SettingsError(f"can't read {path}: {error.strerror}") from error
    on_crash = os.environ.get("HOLDFAST_ON_CRASH")
    if not text and on_crash is None:
        return Settings()
    import tomllib  # noqa: PLC0415 - most starts have no settings file and need no parser

    try:
        tree = msgspec.convert(tomllib.loads(text.decode()), Settings)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}", f"mend or remove {path}") from error
    return tree if on_crash is None else _with_on_crash(tree, on_crash)


def _with_on_crash(tree: Settings, wanted: str) -> Settings:
    if wanted != "restore" and wanted != "exit":
        raise SettingsError(f"HOLDFAST_ON_CRASH is {wanted!r}", "set it to restore or to exit, or unset it")
    return msgspec.structs.replace(tree, standby=msgspec.structs.replace(tree.standby, on_crash=wanted))
