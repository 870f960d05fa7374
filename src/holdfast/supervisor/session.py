"""One session, from the start of its supervisor to its end: its parts, and what follows what.

a request arrives        desk → enqueue → journal → stage.start when its turn comes
the worker speaks        lineage → on_frame → output first (text before the message), then stage
the worker dies          lineage → on_death (everything it wrote goes out) → on_return → stage.on_crash
a launcher goes          its door waits for the next launcher; an unnamed session ends without one
"""

from __future__ import annotations

import os
import platform
import time
import uuid
from pathlib import Path
from typing import Any, Final

import msgspec
import zmq

from holdfast import paths
from holdfast.access import doors
from holdfast.access.doorbell import Doorbell, Ringer, Watcher
from holdfast.access.doors import Door
from holdfast.errors import HoldfastError, MalformedMessage
from holdfast.journal.history import History
from holdfast.journal.journal import Journal
from holdfast.link.messages import Answer, Done, Frame, NeedInput, Publish, Segment, Wonder
from holdfast.protocol import codec, operations
from holdfast.protocol.connection import Channel
from holdfast.protocol.content import HistoryRequest
from holdfast.settings import Settings
from holdfast.supervisor import recovery as words
from holdfast.supervisor.broadcast import NOBODY, Broadcast
from holdfast.supervisor.desk import Desk
from holdfast.supervisor.lineage import Death, Lineage, State
from holdfast.supervisor.loop import Loop, Timer
from holdfast.supervisor.queue import Job, Queue
from holdfast.supervisor.recovery import Recovery
from holdfast.supervisor.stage import Ended, Stage
from holdfast.supervisor.wires import Wires

_QUEUED: Final[tuple[Channel, ...]] = ("shell", "control")
"""Channels on which cells come."""


class Session:
    """The session `name`; `named` ones outlive their launchers."""

    def __init__(
        self,
        name: str,
        *,
        named: bool,
        settings: Settings,
        journal: Journal,
        history: History,
        wires: Wires,
        loop: Loop,
        lineage: Lineage,
    ) -> None:
        self.name = name
        self._named = named
        self._settings = settings
        self._journal = journal
        self._history = history
        self._wires = wires
        self._loop = loop
        self._lineage = lineage
        self._started = time.time()
        self._unclean = _unclean_end(journal)
        self._epoch = journal.begin(pid=os.getpid(), cwd=os.getcwd(), python=platform.python_version())
        self._broadcast = Broadcast(journal, self._epoch, name)
        self._queue = Queue(settings.wire.queue_cells)
        self._stage = Stage(lineage, self._broadcast, journal, history, settings.life.parents_kept)
        self._desk = Desk(self, self._broadcast, self._stage, history)
        self._oom = words.OomCounter()
        self._death: Death | None = None  # of the worker whose successor is on its way
        self._dump = ""  # its last words
        self._holders: dict[Door, Ringer | None] = {}  # doors of launchers, and who holds each now
        self._grace: Timer | None = None  # until the session ends for want of a launcher
        self._commit: Timer | None = None  # until waiting output is committed
        self._stage.count = int(journal.get("execution_count") or 0)
        self._session_id = ""
        self._new_life()

    def open(self) -> None:
        """Open the session's own door and the doorbell, and start the worker."""
        folder = paths.session_runtime(self.name)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._own_file = folder / "connection.json"
        for number in range(1, 6):
            (folder / f"door-{number}").unlink(missing_ok=True)
            paths.socket_path(folder / f"door-{number}")
        doors.open_own(folder / "door", self._own_file)
        self._open_door(self._own_file)
        watcher = Watcher(self._loop.on_readable, self._loop.on_writable, self._loop.forget)
        self._bell = Doorbell(folder / "doorbell", watcher, self._rung, self._left)
        self._stage.output = self._wires.output(self._loop, self._settings.output, self._on_text)
        self._lineage.begin(self)
        if not self._named:
            self._wait_for_a_launcher()

    def run(self) -> None:
        """Serve until the session ends."""
        self._broadcast.status("starting", NOBODY)
        self._loop.run()

    def end(self, reason: str) -> None:
        """End the session's processes in order; its state stays on disk."""
        self._stage.output.settle()
        for job in self._queue.take_all():
            if job.request is not None:
                self._stage.abort(job)
        self._lineage.end()
        for ringer in list(self._holders.values()):
            if ringer is not None:
                ringer.send({"event": "door_closed", "reason": reason})
        self._bell.close()
        for door in self._broadcast.doors:
            door.close()
        self._history.end(self._stage.history_session, time.time())
        self._journal.end(reason)
        self._journal.close()
        self._history.close()
        self._context.term()
        self._loop.stop()

    # What the desk asks for

    def enqueue(self, job: Job) -> None:
        """Take a job for the worker: it starts at once, or waits its turn."""
        if self._lineage.state is State.PARKED:
            raise HoldfastError("the interpreter does not start", f"see {self._log_file()}, then restart")
        if self._queue.full:
            raise HoldfastError(f"{len(self._queue)} requests wait already", "wait, or interrupt")
        starts = self._free() and not len(self._queue)
        if job.request is not None:
            self._stage.accept(job, starts=starts)
        if starts:
            self._start(job)
        else:
            self._queue.add(job)

    def interrupt(self) -> None:
        """Interrupt the running cell; without one, nothing."""
        self._journal.event("interrupt", time.time(), self._running_cell())
        if self._stage.job is not None:
            self._stage.output.aim_interrupt(self._stage.turn)
            self._lineage.interrupt()

    def shut_down(self, door: Door, *, restart: bool) -> None:
        """A client asks for the end of the kernel behind `door`, or for a fresh namespace."""
        if restart:
            self._restart()
        holder = self._holders.get(door)
        if holder is not None:
            self._holders[door] = None
            holder.send({"event": "door_closed", "reason": "restart" if restart else "shutdown"})
        if restart:
            self._wait_for_a_launcher()
        elif self._named and door in self._holders:
            self._close_door(door)
        else:
            self.end("shutdown")

    def operate(self, name: str, request: msgspec.Struct) -> msgspec.Struct:
        """Do one of our own operations."""
        if isinstance(request, operations.Interrupt):
            if request.force:
                self._lineage.kill("stopped on request, because it did not stop by itself")
            else:
                self.interrupt()
        elif isinstance(request, operations.Stop):
            self._loop.later(0, lambda: self.end("stop"))  # after the reply
        elif isinstance(request, operations.LogRequest):
            return operations.Log([self._entry(cell) for cell in self._journal.cells(request.last)])
        elif isinstance(request, operations.ClientsRequest):
            return operations.Clients(self._clients())
        elif isinstance(request, operations.InfoRequest):
            return self._info()
        else:
            raise MalformedMessage(f"{name} is not offered yet")
        return operations.Done()

    # What the lineage tells

    def on_frame(self, frame: Frame) -> None:
        """The worker said something: what it printed before comes first."""
        output = self._stage.output
        at: int | None = getattr(frame, "at", None)
        if isinstance(frame, Segment):
            output.begin_segment(frame)
            return
        if at is None:
            output.on_bell()
            return
        if isinstance(frame, Publish):
            output.read_ring(at)
            output.flush()
            self._stage.on_publish(frame)
        elif isinstance(frame, Done):
            output.settle(at)
            self._ended(self._stage.on_done(frame))
        elif isinstance(frame, NeedInput):
            output.settle(at)
            self._stage.on_input_needed(frame)
        elif isinstance(frame, Wonder):
            self._lineage.send(Answer(frame.wonder, self._known(frame)))
        self._commit_later()

    def on_death(self, death: Death) -> None:
        """The worker is dead: what it wrote goes out, and its last words are kept for the report."""
        output = self._stage.output
        output.settle()
        output.reset()
        self._dump = self._wires.last_words()
        self._death = death

    def on_return(self, level: str, after: int, not_restored: list[str]) -> None:
        """A worker is there; if it takes over from a dead one, tell what happened."""
        if self._death is not None:
            self._recovered(self._death, level, after, not_restored if level == "standby" else [])
            self._death = None
        elif not_restored:
            self._broadcast.stream("stderr", "\n".join(not_restored) + "\n", NOBODY)
        self._next()

    def on_parked(self) -> None:
        """No worker can be started: everything that waits gets an error, the session stays attachable."""
        self._stage.output.settle()
        self._journal.event("parked", time.time())
        why = "the interpreter died three times while it started"
        self._death = None
        if self._stage.job is not None:
            self._ended(self._stage.on_crash(Recovery(why, None, "fresh", 0, 0.0)))
        for job in self._queue.take_all():
            self._stage.start(job)
            self._stage.on_crash(Recovery(why, job.count, "fresh", 0, 0.0))
        self._broadcast.status("dead", NOBODY)

    # Jobs

    def _free(self) -> bool:
        return self._stage.job is None and self._lineage.state is State.ALIVE

    def _start(self, job: Job) -> None:
        self._stage.start(job)
        if job.request is not None and job.request.store_history:
            self._journal.set("execution_count", str(self._stage.count))

    def _next(self) -> None:
        if self._free() and (job := self._queue.next()) is not None:
            self._start(job)

    def _ended(self, ended: Ended | None) -> None:
        if ended is None:
            return
        request = ended.job.request
        if request is not None and ended.status != "ok" and request.stop_on_error and not request.silent:
            self._abort_what_waits()
        self._next()

    def _abort_what_waits(self) -> None:
        """An error: every cell that was sent before it was known is answered `aborted`."""
        for door in self._broadcast.doors:
            for channel in _QUEUED:
                self._desk.arrived(door, channel)  # sent already, not yet read
        for job in self._queue.take_cells():
            self._stage.abort(job)

    def _recovered(self, death: Death, level: str, after: int, not_restored: list[str]) -> None:
        job = self._stage.job
        cell = job if job is not None and job.request is not None else None
        recovery = Recovery(
            cause=words.cause_of(
                death.status, oom=self._oom.moved(), severed=death.severed, asked=death.asked
            ),
            count=cell.count if cell else None,
            level=level,
            after=after,
            took_ms=(time.monotonic() - death.seen) * 1e3,
            not_restored=not_restored,
            traceback=words.traceback_of(self._dump, dict(self._stage.sources)),
            exit_status=words.shell_status(death.status),
        )
        self._journal.event(
            "crash", time.time(), cell.number if cell else None, recovery=msgspec.to_builtins(recovery)
        )
        self._ended(self._stage.on_crash(recovery))

    def _restart(self) -> None:
        """A fresh namespace, on purpose: a barrier that no recovery crosses."""
        self._stage.output.settle()
        job = self._stage.job
        if job is not None:
            self._stage.on_crash(Recovery("restarted on request", job.count, "fresh", 0, 0.0))
        for waiting in self._queue.take_all():
            if waiting.request is not None:
                self._stage.abort(waiting)
        self._death = None
        self._journal.event("restart", time.time())
        self._history.end(self._stage.history_session, time.time())
        self._lineage.restart()
        self._stage.count = 0
        self._stage.comms.clear()
        self._journal.set("execution_count", "0")
        self._new_life()

    def _new_life(self) -> None:
        """A namespace begins: its own header.session towards clients, its own number in the history."""
        self._session_id = str(uuid.uuid4())
        self._journal.set("session_id", self._session_id)
        for door in self._broadcast.doors:
            door.renew(self._session_id)
        self._stage.history_session = self._history.begin(self.name, time.time())

    def _known(self, frame: Wonder) -> bytes:
        """What the worker asked for. It may ask for nonsense; it gets nothing then."""
        try:
            request = codec.decode(frame.arguments, HistoryRequest, frame.what)
            return codec.encode(self._desk.history(request))
        except HoldfastError:
            return b"[]"

    def _on_text(self, number: int, stream: str, text: str) -> None:
        self._stage.publish_text(number, stream, text)
        self._commit_later()

    def _commit_later(self) -> None:
        if self._commit is None and self._journal.pending:
            self._commit = self._loop.later(self._settings.output.commit_ms / 1e3, self._commit_now)

    def _commit_now(self) -> None:
        self._commit = None
        self._journal.flush()

    # Doors and those who hold them

    def _open_door(self, file: Path) -> Door:
        for door in self._broadcast.doors:
            if door.file == file and not door.matches(file):
                self._close_door(door)
                break
            if door.file == file:
                return door
        door = Door(file, self._context, self._session_id, self._settings.wire)
        doors.serve(door, self._loop.on_readable, self._desk.arrived)
        self._broadcast.doors.append(door)
        return door

    def _close_door(self, door: Door) -> None:
        self._broadcast.doors.remove(door)
        self._holders.pop(door, None)
        for _, socket in door.sources():
            self._loop.forget(socket)
        door.close()

    def _rung(self, request: dict[str, Any], ringer: Ringer) -> object:
        """Somebody rang the doorbell."""
        name = request.pop("op", None)
        if name == "leave":
            ringer.close()
            return None
        if not isinstance(name, str):
            raise MalformedMessage('a request without "op"')
        asked = operations.arguments(name, request)
        if isinstance(asked, operations.OpenDoor):
            door = self._open_door(Path(asked.file))
            if asked.hold:
                self._holders[door] = ringer
                self._stop_waiting()
            done: msgspec.Struct = operations.Done()
        else:
            done = self.operate(name, asked)
        return {"ok": True, **msgspec.to_builtins(done)}

    def _left(self, ringer: Ringer) -> None:
        """A connection to the doorbell ended; if it held a door, the next launcher may come."""
        held = [door for door, holder in self._holders.items() if holder is ringer]
        for door in held:
            self._holders[door] = None
        if held:
            self._wait_for_a_launcher()

    def _wait_for_a_launcher(self) -> None:
        self._stop_waiting()
        self._grace = self._loop.later(self._settings.life.launcher_grace_seconds, self._nobody_came)

    def _stop_waiting(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    def _nobody_came(self) -> None:
        for door in [door for door, holder in self._holders.items() if holder is None]:
            self._close_door(door)
        if not self._named and not self._holders:
            self.end("its launcher is gone")

    # What it says of itself

    def _info(self) -> operations.Info:
        job, standbys = self._stage.job, self._lineage.standbys
        running = None
        if job is not None and job.request is not None:
            running = operations.Running(job.count, job.message.header.username, self._stage.since)
        standby = None
        if standbys:
            newest = standbys[-1]
            age = time.monotonic() - newest.taken_at
            standby = operations.StandbyInfo(newest.generation, newest.after or None, age)
        return operations.Info(
            name=self.name,
            state="busy" if job is not None else "idle" if self._free() else "starting",
            pid=os.getpid(),
            worker_pid=self._lineage.worker_pid,
            python=platform.python_version(),
            execution_count=self._stage.count,
            cells=self._journal.count_cells(),
            clients=self._clients(),
            running=running,
            standby=standby,
            started=self._started,
            cwd=os.getcwd(),
            unclean=self._unclean,
            connection_file=str(self._own_file),
            epoch=self._epoch,
        )

    def _entry(self, cell: Any) -> operations.CellEntry:
        outputs = [
            operations.OutputEntry(each.msg_type, msgspec.json.decode(each.content))
            for each in self._journal.outputs(cell.id)
        ]
        return operations.CellEntry(
            id=cell.id,
            count=cell.count,
            code=cell.code,
            client=cell.client,
            started=cell.started,
            ended=cell.ended,
            status=cell.status or "running",
            outputs=outputs,
        )

    def _clients(self) -> list[str]:
        return sorted(set(self._desk.clients.values()))

    def _running_cell(self) -> int | None:
        job = self._stage.job
        return job.number if job is not None and job.request is not None else None

    def _log_file(self) -> Path:
        return paths.session_runtime(self.name) / "supervisor.log"


def _unclean_end(journal: Journal) -> str | None:
    """What to say about the last run, if it did not end as it should."""
    previous = journal.previous
    if previous.kind != "unclean":
        return None
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(previous.since))
    what = f"while In[{previous.running.count}] ran" if previous.running else "between cells"
    return f"not closed properly: its processes ended {when}, {what}; its variables are gone, its log is kept"
