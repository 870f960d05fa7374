"""`python -P -m holdfast.supervisor --session NAME …`: one session's supervisor. `client.start` starts it.

Says one line of JSON on the ready descriptor: {"ok": true}, or what stands in the way and what to do.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time

from holdfast import paths
from holdfast.access import abroad
from holdfast.config import inforce, layers
from holdfast.errors import HoldfastError
from holdfast.journal.history import History
from holdfast.journal.journal import Journal
from holdfast.journal.lock import SessionLock
from holdfast.link.messages import Start
from holdfast.settings import Settings
from holdfast.supervisor.clients.wires import Wires
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.lineage import Lineage
from holdfast.supervisor.processes.nursery import Nursery
from holdfast.supervisor.processes.program import AnyWorker, Program
from holdfast.supervisor.session import Session
from holdfast.supervisor.succession import adoption
from holdfast.supervisor.succession.adoption import Inheritance

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

FILES = 65_536
"""Descriptors that a supervisor may have, if the system allows so many: four for each client. With none left,
libzmq ends the process that a client comes to."""


def main() -> int:
    """Serve the session; returns the exit status."""
    options = _options()
    try:
        session, lock = _open(options)
    except HoldfastError as error:
        _say(options.ready_fd, {"ok": False, "what": error.what, "remedy": error.remedy})
        return 1
    _say(options.ready_fd, {"ok": True})
    if options.turn_fd is not None:
        os.close(options.turn_fd)
    session.run()
    lock.release()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m holdfast.supervisor", allow_abbrev=False)
    parser.add_argument("--session", required=True)
    parser.add_argument("--ready-fd", type=int, default=1)
    parser.add_argument("--turn-fd", type=int, help="a lock on starting: held until we can be reached")
    parser.add_argument("--cwd")
    parser.add_argument("--named", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="nothing that is on disk comes back")
    parser.add_argument("--takes-over", action="store_true", help="only from one that was killed, or not")
    parser.add_argument("--link-fd", type=int, help="the link to a program that is the worker itself")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting")
    parser.add_argument("flags", nargs="*", help="options for IPython, after --")
    return parser.parse_args()


def _open(options: argparse.Namespace) -> tuple[Session, SessionLock]:
    """Take the lock, open the journal, start everything."""
    chosen = _settings(options)
    tree = chosen.tree()
    if not adoption.is_there(paths.session_meeting(options.session)):
        abroad.planned(tree.listen)  # what may not be is refused before anything is there
    paths.private_folder(paths.runtime_folder())
    paths.private_folder(paths.session_runtime(options.session))
    for folder in (paths.state_folder(), paths.state_folder() / "sessions"):
        paths.private_folder(folder)
    folder = paths.private_folder(paths.session_state(options.session))
    if options.cwd:
        with contextlib.suppress(OSError):  # gone since: the session starts where it can
            os.chdir(options.cwd)
    lock = SessionLock.acquire(folder / "lock")
    with contextlib.suppress(OSError):  # a full disk: it runs, and only a successor would miss them
        inforce.keep(options.session, chosen)
    journal = Journal.open(folder, tree.output, tree.durability)
    if options.fresh:
        journal.event("fresh", time.time())
        journal.set("numbered_after", str(journal.count_cells()))
    history = History.open(paths.history_file())
    files = _raise_limit_of_files()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # should the template die
    loop = Loop()
    found = adoption.find(paths.session_meeting(options.session)) if options.link_fd is None else None
    if options.takes_over and found is None:
        raise HoldfastError(f"nothing of session {options.session!r} is left that could be taken over")
    wires = Wires.new(tree.output.ring_bytes) if found is None else Wires(found.wires)
    lineage = _worker(options, tree, loop, wires, found, files)
    ledger = Ledger(journal, history, loop, tree.output.commit_ms)
    session = Session(
        options.session,
        named=options.named if found is None else ledger.is_named,
        settings=tree,
        ledger=ledger,
        wires=wires,
        loop=loop,
        lineage=lineage,
        takes_over=found is not None,
    )
    loop.on_signal(
        {
            signal.SIGINT: session.interrupt,
            signal.SIGTERM: lambda: session.end("terminated"),
            signal.SIGHUP: lambda: None,
            signal.SIGCHLD: lineage.reap,
        }
    )
    try:
        session.open()
    except HoldfastError:
        if found is None:  # else what was taken over waits for the next one
            lineage.end()
        raise
    return session, lock


def _settings(options: argparse.Namespace) -> layers.Found:
    """Those of the folder; who takes a session over goes on with the ones that it has."""
    left = options.link_fd is None and adoption.is_there(paths.session_meeting(options.session))
    kept = inforce.kept(options.session) if left else None
    if kept is not None:
        return kept
    found = layers.look(options.cwd, options.set)
    if not left:
        found.refuse()
    return found


def _worker(
    options: argparse.Namespace,
    tree: Settings,
    loop: Loop,
    wires: Wires,
    found: Inheritance | None,
    files: int,
) -> AnyWorker:
    """Where cells run: in processes of our own, in those that another supervisor left, or in a program.

    `files`: of descriptors, so many may each of them have.
    """
    if options.link_fd is not None:
        return Program(loop, options.link_fd, wires.outfit(), tree.life)
    start = Start(
        *(-1, -1, -1, -1),
        arguments=options.flags if found is None else found.start.arguments,
        quiet_wait_ms=tree.standby.quiet_wait_ms,
        cells=str(paths.session_cells(options.session)),
        meeting=str(paths.socket_path(paths.session_meeting(options.session))),
        adopt_seconds=tree.life.adopt_seconds,
        files=files if found is None else found.start.files,
    )
    folder = str(paths.session_checkpoints(options.session))
    nursery = Nursery(loop, wires.connected(start), wires.write_ends, found)
    return Lineage(loop, nursery, tree, folder)


def _raise_limit_of_files() -> int:
    """As far as it is good for something; what it was before, which is what users know of."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return soft


def _say(descriptor: int, line: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(descriptor, json.dumps(line).encode() + b"\n")
    if descriptor > 2:
        os.close(descriptor)


sys.exit(main())
