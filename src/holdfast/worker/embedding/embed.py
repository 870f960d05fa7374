"""`holdfast.embed()`: a running program stops, and is the worker of a session until somebody lets it go on.

    the program ── starts ──▶ supervisor          as for any session, but it starts no template: it is handed
         │  ◀── Outfit ──        │                one end of the link, and sends the rest a worker needs
       serves cells              │
         │  ──── Left ──▶        │                `exit` in a cell, `holdfast stop`, Ctrl-C, …
       goes on                 ends

A foreign process is treated with care. It is never forked: it has threads, windows and files that no copy
could keep. It is never killed. Whatever is changed in it is put back, most of it after each cell.
"""

from __future__ import annotations

import asyncio
import atexit
import builtins
import contextlib
import faulthandler
import functools
import getpass
import mmap
import os
import pdb  # noqa: T100 - its names are put back
import re
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Protocol

import comm
from IPython.core import debugger
from IPython.core.interactiveshell import InteractiveShell

from holdfast.errors import HoldfastError, LinkError
from holdfast.link.channel import Channel
from holdfast.link.messages import Left, Outfit, Ready
from holdfast.link.ring import RingWriter
from holdfast.worker.desk import Desk
from holdfast.worker.embedding.costume import Costume, Outputs
from holdfast.worker.embedding.guest import (
    Dress,
    GuestCells,
    GuestRequests,
    ProgramInterrupts,
    Uncopied,
    ZMQInteractiveShell,
)
from holdfast.worker.embedding.scope import Scope, module_of
from holdfast.worker.ipython import comms, kernel
from holdfast.worker.ipython.connect import Connection
from holdfast.worker.ipython.display import Publisher
from holdfast.worker.ipython.filenames import compiler_in
from holdfast.worker.ipython.gui import Guis
from holdfast.worker.ipython.system import System
from holdfast.worker.ipython.undo import register as register_undo
from holdfast.worker.outlet import Outlet
from holdfast.worker.parents import Parents
from holdfast.worker.stdin import Keyboard
from holdfast.worker.streams import OutStream

PATIENCE_SECONDS = 1.0
"""For the tasks that cells have started to end, once they are told to."""


NAME_LENGTH = 40
"""Characters of a script's name that become part of its session's."""


class Host(Protocol):
    """The supervisor that was started, as far as the program needs it."""

    name: str
    connection_file: Path
    cells: Path  # the folder in which its cells seem to lie

    def await_end(self) -> None:
        """Wait until it has ended, but not for ever."""


Starter = Callable[[int], Host]
"""Starts the supervisor, to which the given descriptor is its end of the link."""


def embed_at(frame: FrameType, start: Starter) -> None:
    """Let clients into `frame`, of the calling thread, until one of them lets the program go on.

    HoldfastError if that can't be done here; KeyboardInterrupt if the program was interrupted meanwhile.
    """
    _check_place()
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    try:
        with theirs:
            host = start(theirs.fileno())
    except BaseException:
        channel.close()
        raise
    try:
        _announce(frame, host)
        interrupted = _serve(frame, channel, host.cells)
    finally:
        channel.close()
        host.await_end()
    if interrupted:
        raise KeyboardInterrupt


def program_name() -> str:
    """A word for this program, which can be part of a session's name."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(sys.argv[0] if sys.argv else "").stem).strip("-.")
    return words[:NAME_LENGTH] or "python"


def _check_place() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise HoldfastError(
            "embed() was called in another thread than the main one, which alone hears interrupts",
            "call it in the main thread",
        )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise HoldfastError(
        "embed() was called while an asyncio loop runs in this thread, which would stand still",
        "call it before asyncio.run(), or after it",
    )


def _announce(frame: FrameType, host: Host) -> None:
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    lines = [
        f"holdfast: stopped at {place}. To attach, one of:",
        f"    holdfast attach {host.name}",
        f"    jupyter console --existing {host.connection_file}",
        f"The program goes on after `exit` there, or: holdfast stop {host.name}",
    ]
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed: who needs to know asks `holdfast ls`
            print(*lines, sep="\n", file=sys.stderr, flush=True)


def _serve(frame: FrameType, channel: Channel, cells: Path) -> bool:
    """Be a worker until told otherwise; whether Ctrl-C was the reason."""
    wires = _receive(channel)
    with contextlib.ExitStack() as undo:
        undo.callback(wires.close)
        undo.enter_context(_faults_to(wires.fault))
        guest = Guest(channel, wires, undo)
        undo.enter_context(_apart_from_forks(guest))
        guest.move_in(frame.f_globals, _locals_of(frame), cells)
        return guest.serve()


def _locals_of(frame: FrameType) -> dict[str, Any]:
    """Copies of a function's variables; at the top level of a module there are none but its globals."""
    local = frame.f_locals
    return {} if local is frame.f_globals else dict(local)


class Wires(NamedTuple):
    """The descriptors that came from the supervisor."""

    ring: RingWriter
    room: int
    fault: int
    outputs: Outputs

    def close(self) -> None:
        """Let go of them."""
        self.ring.close()
        self.outputs.close()
        os.close(self.room)
        os.close(self.fault)


def _receive(channel: Channel) -> Wires:
    """Wait for what the supervisor sends first. LinkError if it has ended instead."""
    frames = channel.wait()
    if not frames or not isinstance(frames[0], Outfit):
        raise LinkError("the supervisor has ended before it began", "see supervisor.log beside the session")
    ring, room, fault, stdout, stderr = (channel.take_fd() for _ in range(Outfit.FDS))
    memory = mmap.mmap(ring, 0)
    os.close(ring)
    return Wires(RingWriter(memory), room, fault, Outputs((stdout, stderr)))


class Guest:
    """Our parts in a foreign process: how they come in, and how they leave it as it was."""

    def __init__(self, channel: Channel, wires: Wires, undo: contextlib.ExitStack) -> None:
        self._channel = channel
        self._wires = wires
        self._undo = undo
        self._interrupts = ProgramInterrupts(wires.ring, self._on_terminal_interrupt)
        self.outlet = Outlet(channel, wires.ring, wires.room, self._interrupts)
        undo.callback(self.say_goodbye)
        self._costume = Costume(
            *((sys, name) for name in ("stdout", "stderr", "displayhook", "excepthook", "ps1", "ps2", "ps3")),
            *((builtins, name) for name in ("input", "display", "__IPYTHON__")),
            (getpass, "getpass"),
            *((pdb, name) for name in ("Pdb", "set_trace")),
            (debugger, "Pdb"),
            *((comm, name) for name in ("create_comm", "get_comm_manager")),
        )
        selector = selectors.EpollSelector()
        self._loop = asyncio.SelectorEventLoop(selector)
        self._guis = Guis(self._loop, selector)
        undo.callback(self._end_loop)
        self._parents = Parents()
        self._desk = Desk(
            self._loop,
            channel,
            self.outlet,
            self._parents,
            self._interrupts,
            self._guis,
            lost=self._on_link_lost,
        )
        self._interrupted = False  # Ctrl-C on the program's terminal: it goes on, and hears of it

    def move_in(self, program: dict[str, Any], local: dict[str, Any], cells: Path) -> None:
        """Make IPython's shell on the program's names, and everything that cells need."""
        publisher = Publisher(self.outlet, self._parents)
        sys.stdout = OutStream("stdout", self.outlet, self._parents)
        sys.stderr = OutStream("stderr", self.outlet, self._parents)
        try:
            keyboard = Keyboard(self._desk)
            keyboard.install()
            manager = comms.install(publisher)
            scope = Scope(program, local)
            self._undo.enter_context(_alone(program))
            parts = kernel.parts(publisher, Connection(self._desk.ask_supervisor), manager, self._loop)
            made = ZMQInteractiveShell.instance(
                kernel=kernel.IPythonKernel(**parts),
                user_module=module_of(scope, program, local),
                user_ns=scope,
                publisher=publisher,
                ask=self._desk.ask_supervisor,
                programs=System(keyboard, self._interrupts),
                guis=self._guis,
                compiler_class=compiler_in(str(cells)),
            )
            made.kernel.shell = made
            register_undo(made)  # to be told why not
            self._undo.callback(atexit.unregister, made.atexit_operations)  # it would empty the namespace
        finally:
            self._costume.take_off()
        scope.settle(made.user_ns_hidden)
        dress = Dress(self._costume, self._wires.outputs, lambda: scope.settle(made.user_ns_hidden))
        self._desk.open(
            GuestCells(made, self.outlet, self._interrupts, keyboard, dress, self._desk.leave),
            GuestRequests(made, self.outlet, self._interrupts, manager, dress),
            Uncopied(self.outlet),
        )

    def serve(self) -> bool:
        """Serve clients; whether it was Ctrl-C that ended it."""
        before = signal.getsignal(signal.SIGINT)
        self._interrupts.install()
        try:
            self.outlet.send(Ready(self.outlet.position, os.getpid(), ""))
            self._desk.serve_for_ever()
        finally:
            signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
        return self._interrupted

    def say_goodbye(self) -> None:
        """The last word. Streams of ours that somebody keeps write to the program's own descriptors now."""
        self.outlet.send(Left(self.outlet.position))
        self.outlet.forked = True  # as in a child: this process is no worker any more
        self._channel.close()

    def become_a_child(self) -> None:
        """This process was just forked by the program, or by a cell."""
        self.outlet.forked = True
        self._channel.ended = True
        self._channel.sock.close()

    def _on_terminal_interrupt(self) -> None:
        self._interrupted = True
        self._loop.call_soon_threadsafe(self._desk.leave)

    def _on_link_lost(self) -> None:
        """The supervisor is gone: the program goes on. What runs may wait for an answer for ever."""
        self._desk.leave()
        if self._interrupts.busy:
            raise KeyboardInterrupt

    def _end_loop(self) -> None:
        """End the tasks that cells have left."""
        loop = self._loop
        if tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE_SECONDS))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@contextlib.contextmanager
def _faults_to(pipe: int) -> Iterator[None]:
    """A crash tells the session where it was, unless the program has arranged for that itself."""
    if faulthandler.is_enabled():
        yield
        return
    faulthandler.enable(pipe, all_threads=True)
    try:
        yield
    finally:
        faulthandler.disable()


@contextlib.contextmanager
def _alone(program: dict[str, Any]) -> Iterator[None]:
    """IPython has one shell at a time: the program's own, if it has one, is set aside meanwhile."""
    shells: Any = InteractiveShell
    own = shells._instance
    if own is not None:
        type(own).clear_instance()
    had_builtin = "__builtin__" in program
    try:
        yield
    finally:
        shells.clear_instance()
        ZMQInteractiveShell.clear_instance()
        if own is not None:
            for kind in type(own)._walk_mro():
                kind._instance = own
        if not had_builtin:
            program.pop("__builtin__", None)


_guests: list[tuple[Guest, Any]] = []
"""Who is in this process now, and the program's SIGINT handler; at most one."""


@contextlib.contextmanager
def _apart_from_forks(guest: Guest) -> Iterator[None]:
    """A process that is forked meanwhile is not the worker, and must never speak as one."""
    _watch_forks()
    _guests.append((guest, signal.getsignal(signal.SIGINT)))
    try:
        yield
    finally:
        _guests.clear()


@functools.cache
def _watch_forks() -> None:
    """Once: what is registered for forks stays registered."""

    def in_child() -> None:
        for guest, handler in _guests:
            guest.become_a_child()
            signal.signal(signal.SIGINT, handler)
        _guests.clear()

    os.register_at_fork(after_in_child=in_child)
