"""A fresh worker from its first breath: a fork of the template puts its parts together here and serves."""

from __future__ import annotations

import asyncio
import mmap
import os
import platform
import resource
import selectors
import signal
import sys

import IPython

from holdfast import __version__
from holdfast.link.channel import Channel
from holdfast.link.messages import Ask, Examine, Ready, Start, Write
from holdfast.link.ring import RingWriter
from holdfast.worker.cells import Cells
from holdfast.worker.desk import Desk
from holdfast.worker.interrupts import Interrupts
from holdfast.worker.ipython import comms, connect, imports, kernel, recover, shims, status, undo
from holdfast.worker.ipython.debugging import Debugging
from holdfast.worker.ipython.display import Publisher
from holdfast.worker.ipython.filenames import compiler_in
from holdfast.worker.ipython.gui import Guis
from holdfast.worker.ipython.keeping import Keeping
from holdfast.worker.ipython.profile import IPKernelApp
from holdfast.worker.ipython.system import System
from holdfast.worker.outlet import Outlet
from holdfast.worker.parents import Parents
from holdfast.worker.program import magics as programs
from holdfast.worker.requests import Requests
from holdfast.worker.standby.descriptors import inventory
from holdfast.worker.standby.double import examination
from holdfast.worker.standby.freeze import Freezer
from holdfast.worker.standby.sleeper import Sleeper, begin_as_worker
from holdfast.worker.standby.userforks import keep_apart
from holdfast.worker.stdin import Keyboard
from holdfast.worker.streams import OutStream
from holdfast.worker.threads import pass_parents_on


def live(start: Start, channel: Channel) -> None:
    """Be a worker on `channel`; returns when the session ends, so that exit handlers run."""
    os.setpgid(0, 0)
    begin_as_worker()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    for number in (signal.SIGTERM, signal.SIGCHLD):  # the template's own
        signal.signal(number, signal.SIG_DFL)
    loop, guis, loop_fds = _make_loop()
    ring = RingWriter(mmap.mmap(start.ring, 0))
    interrupts = Interrupts(ring)
    interrupts.install()
    parents = Parents()
    outlet = Outlet(channel, ring, start.room, interrupts)
    sys.stdout, sys.stderr = OutStream("stdout", outlet, parents), OutStream("stderr", outlet, parents)
    publisher = Publisher(outlet, parents)
    shared = _open_now() - loop_fds - {channel.fileno()}  # nothing of the user's is open yet
    desk = Desk(loop, channel, outlet, parents, interrupts, guis)
    keyboard = Keyboard(desk)
    keyboard.install()
    manager = comms.install(publisher)

    pass_parents_on(parents)
    shims.install(IPKernelApp)

    app = IPKernelApp.instance(
        kernel_parts=kernel.parts(publisher, connect.install(desk.ask_supervisor), manager, loop),
        shell_traits={
            "publisher": publisher,
            "ask": desk.ask_supervisor,
            "programs": System(keyboard, interrupts),
            "guis": guis,
            "compiler_class": compiler_in(start.cells),
        },
    )
    notes = app.start_up(start.arguments)
    recover.register(app.shell)
    undo.register(app.shell)
    status.register(app.shell)
    programs.register(app.shell, interrupts)
    sleeper = Sleeper(loop, channel, outlet, shared, app.shell.user_ns, desk.woken)
    sleeper.meeting, sleeper.life = start.meeting, start.life
    known = shared | loop_fds | {channel.fileno()}  # the loop's: each process has its own, rebuilt
    freezer = Freezer(loop, channel, outlet, known, sleeper, start.quiet_wait_ms)
    keep_apart(freezer, outlet)
    outlet.send(Ready(outlet.position, os.getpid(), banner(), notes))
    requests = Requests(app.shell, outlet, interrupts, manager, Debugging(app.shell, freezer))
    keeping = Keeping(app.shell, outlet)
    sleeper.double.tasks = {
        Ask: requests.handle,
        Write: keeping.write,
        Examine: examination(sleeper.double, outlet, app.shell.user_ns),
    }
    cells = Cells(app.shell, outlet, interrupts, keyboard)
    imports.suit_to(cells.terminal)
    desk.open(cells, requests, freezer, keeping.load)
    desk.serve_for_ever()


def banner() -> str:
    """What clients show when they attach."""
    return (
        f"Python {platform.python_version()} · IPython {IPython.__version__} · Holdfast {__version__}\n"
        "A crash of this interpreter costs one cell, not the session. '?' for help."
    )


def _make_loop() -> tuple[asyncio.AbstractEventLoop, Guis, frozenset[int]]:
    """The one event loop, who may wait in its place, and the descriptors it made for itself."""
    before = _open_now()
    selector = selectors.EpollSelector()
    loop = asyncio.SelectorEventLoop(selector)
    asyncio.set_event_loop(loop)
    return loop, Guis(loop, selector), _open_now() - before


def _open_now() -> frozenset[int]:
    """Every open descriptor."""
    return frozenset(each.fd for each in inventory(()))
