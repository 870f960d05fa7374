"""One session, from the start of its supervisor to its end: its parts, and what follows what.

a request arrives        desk → enqueue → turns (ledger first) → stage.start when its turn comes
the worker speaks        lineage → on_frame → output first (text before the message), then stage
the worker dies          lineage → on_death (everything it wrote goes out) → on_return → stage.on_crash
the session ends         end → lineage.leave (exit handlers run) → on_left → everything is closed
"""

from __future__ import annotations

import os
import platform
import uuid
from functools import partial

import msgspec

from holdfast import paths
from holdfast.access.doors import Door
from holdfast.errors import DIED, HoldfastError
from holdfast.link.messages import Done, Frame, NeedInput, Publish, Segment, Wonder
from holdfast.settings import Settings
from holdfast.supervisor.aftermath.coroner import Coroner
from holdfast.supervisor.aftermath.recovery import Recovery, described
from holdfast.supervisor.aftermath.standstill import Standstill
from holdfast.supervisor.cells.answers import Answers
from holdfast.supervisor.cells.interrupts import Interrupts
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.room import Room
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.cells.turns import Turns
from holdfast.supervisor.clients.absence import Absence
from holdfast.supervisor.clients.account import Account
from holdfast.supervisor.clients.broadcast import NOBODY, Broadcast
from holdfast.supervisor.clients.company import Company
from holdfast.supervisor.clients.desk import Desk
from holdfast.supervisor.clients.entrance import Entrance
from holdfast.supervisor.clients.operator import Operator
from holdfast.supervisor.clients.presence import Presence
from holdfast.supervisor.clients.welcome import Welcome
from holdfast.supervisor.clients.wires import Wires
from holdfast.supervisor.debugging.debugger import Debugger
from holdfast.supervisor.disk.ondisk import OnDisk
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.hangs import Hangs
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import AnyWorker, Program
from holdfast.supervisor.processes.returns import Death, Return
from holdfast.supervisor.succession.safekeeping import Safekeeping
from holdfast.supervisor.succession.takeover import Takeover
from holdfast.supervisor.succession.unsent import Unsent
from holdfast.supervisor.travel.undo import Undo


class Session:
    """The session `name`; `named` ones outlive their launchers."""

    def __init__(
        self,
        name: str,
        *,
        named: bool,
        settings: Settings,
        ledger: Ledger,
        wires: Wires,
        loop: Loop,
        lineage: AnyWorker,
        takes_over: bool = False,
    ) -> None:
        """`takes_over`: the lineage's processes were another supervisor's, which was killed."""
        self.name = name
        self._settings = settings
        self._ledger = ledger
        self._loop = loop
        self.run = loop.run  # until the session ends
        self._lineage = lineage
        epoch = ledger.journal.begin(pid=os.getpid(), cwd=os.getcwd(), python=platform.python_version())
        self._broadcast = Broadcast(ledger, epoch, name)
        self._presence = presence = Presence(self._broadcast.doors)
        self._stage = Stage(lineage, self._broadcast, ledger, presence, loop, settings.life)
        self._output = self._stage.output = wires.output(loop, settings.output, self._stage.publish_text)
        self.has_enough = self._output.has_enough
        self._disk = OnDisk(
            name, settings.checkpoint, loop, self._stage, lineage, ledger, takes_over=takes_over
        )
        self._turns = Turns(settings, loop, self._stage, lineage, self._broadcast)
        self.variables = self._turns.meanwhile.variables
        self.interrupt = Interrupts(settings, loop, self._stage, lineage, ledger).interrupt
        self._debugger = Debugger(self, self._broadcast, self._stage, loop, name, Room(settings.wire))
        embedded = isinstance(lineage, Program)
        self._desk = Desk(
            self, self._broadcast, self._stage, ledger, self._debugger, presence, embedded=embedded
        )
        self._turns.take_in = self._desk.hold_back
        self._undo = Undo(self._stage, lineage, ledger, self._disk.checkpoints)
        account = Account(name, ledger, self._stage, lineage, self._disk, takes_over=takes_over)
        company = Company(presence, self._stage, self._turns)
        self.operate = Operator(self, account, company, loop, self._undo, ledger, self._broadcast).operate
        self._absence = Absence(name, self._broadcast, ledger.journal)
        self._entrance = Entrance(
            name,
            named=named,
            settings=settings,
            loop=loop,
            doors_list=self._broadcast.doors,
            absence=self._absence,
            arrival=self._disk.arrival,
            presence=presence,
        )
        self._safekeeping = Safekeeping(lineage, ledger, self._broadcast, wires.ring, loop)
        self._unsent = Unsent(name, ledger.journal, self._broadcast, wires.ring)
        self._coroner = Coroner(self._stage, wires.last_words)
        Hangs(loop, settings.standby.fork_seconds, self._stage, lineage)
        Standstill(loop, settings.standby.standstill_seconds, self._stage)
        self._answers = Answers(ledger, account, company, self._entrance, self._stage, self._undo, self._disk)
        self._welcome = Welcome(self._stage, self._absence, self._disk.arrival)
        self._turns.on_start = self._welcome.on_start
        self._ending: str | None = None  # why the session ends, once it does
        self._takeover = Takeover(ledger, self._stage, self._turns, loop) if takes_over else None
        if self._takeover is not None:
            self._entrance.renew(self._takeover.namespace())
        else:
            ledger.begin_anew(DIED, named=named)
            self._new_namespace()

    def open(self) -> None:
        """Open the session's own door and the doorbell, and start the worker."""
        self._safekeeping.begin(self._output, self._stage.comms)
        listen = partial(self._output.listen_with, self._lineage.listen)
        if self._takeover is not None:
            self._entrance.open(self, self._desk.arrived, self._takeover.doors())
            self._unsent.send(self._stage.parent_of)
            self._takeover.go_on(self, self._lineage, self._output, self._entrance, self._coroner)
            self._entrance.when_back(listen)
        else:
            self._lineage.begin(self)  # first: what it imports takes longest
            listen()
            self._entrance.open(self, self._desk.arrived)
            self._broadcast.status("starting", NOBODY)

    def end(self, reason: str) -> None:
        """End the session's processes in order; its state stays on disk."""
        if self._ending is not None:
            return
        self._ending = reason
        self._turns.abort_all()
        self._disk.finish(reason, self._lineage.leave)

    def end_if_unused(self, reason: str) -> None:
        """End the session if it has never run a cell."""
        if not self._ledger.journal.count_cells():
            self._loop.later(0, lambda: self.end(reason))  # after the reply that says why

    # What the desk and the entrance ask for

    def enqueue(self, job: Job) -> None:
        """Take a job for the worker: it starts at once, or waits its turn. HoldfastError if it can't be."""
        if self._lineage.state is State.PARKED:
            log = paths.session_runtime(self.name) / "supervisor.log"
            raise HoldfastError("the interpreter does not start", f"see {log}, then restart")
        if self._ending is not None:
            raise HoldfastError("the session ends")
        self._turns.enqueue(job)

    def shut_down(self, door: Door, *, restart: bool) -> None:
        """A client asks for the end of the kernel behind `door`, or for a fresh namespace."""
        restart = restart and not isinstance(self._lineage, Program)  # a program only goes on
        if restart:
            self._restart()
        if not self._entrance.dismiss(door, restart=restart):
            self.end("shutdown")

    # What the lineage tells

    def look(self) -> None:
        """The worker has said something: it is heard in order with what it wrote."""
        self._output.look()

    def on_frame(self, frame: Frame) -> None:
        """The worker said something: what it printed before comes first."""
        output = self._output
        self._safekeeping.heard(frame)
        if isinstance(frame, Segment):
            output.begin_segment(frame)
        elif isinstance(frame, Publish):
            output.read_ring(frame.at)
            output.read_pipes()
            output.flush()
            self._stage.on_publish(frame)
            self._safekeeping.relieve()
        elif isinstance(frame, Done):
            output.settle(frame.at)
            self._on_done(frame)
        elif isinstance(frame, NeedInput):
            output.settle(frame.at)
            self._stage.on_input_needed(frame)
        elif isinstance(frame, Wonder):
            self._lineage.send(self._answers.to(frame))

    def on_death(self, death: Death) -> str | None:
        """The worker is dead: what it wrote goes out. The code that ran, if another one is to take over."""
        self._undo.forget()
        self._welcome.died(seen=bool(self._presence.names()))
        self._silenced("the interpreter died")
        if self._settings.standby.on_crash == "exit":
            self._ledger.event("crash", self._turns.running_cell(), status=death.status)
            self.end("crash")
            return None
        self._coroner.see(death, self._lineage.refusal)
        return self._turns.running_code()

    def on_left_behind(self) -> None:
        """The worker is dead, as we went back to an older state: what it wrote goes out."""
        self._silenced("the session went back to an earlier state")

    def on_return(self, back: Return) -> None:
        """A worker is there; if it takes over from a dead one, tell what happened."""
        self._safekeeping.arrived()
        recovery = self._coroner.report(back)
        if recovery is not None:
            self._stage.rejoin_comms(back.comms)
            self._recovered(recovery)
        elif self._undo.under_way:
            self._stage.rejoin_comms(back.comms)
            self._undo.arrived(back)
        elif back.notes:
            self._broadcast.stream("stderr", "\n".join(back.notes) + "\n", NOBODY)
        self._disk.returned(back)
        self._turns.next()

    def on_gone(self) -> None:
        """The worker is dead and nobody takes over: tell what happened, and end."""
        recovery = self._coroner.report(Return("none"))
        if recovery is not None:
            self._recovered(recovery)
        self._broadcast.status("dead", NOBODY)
        self.end("the program has ended")

    def on_parked(self) -> None:
        """No worker can be started: everything that waits gets an error, the session stays attachable."""
        self._output.settle()
        self._ledger.event("parked")
        self._disk.arrival.given_up()
        self._undo.forget()
        self._coroner.forget()
        cause = "the interpreter died again and again while it started"
        self._turns.give_up_all(cause)
        self._broadcast.status("dead", NOBODY)

    def on_left(self) -> None:
        """The worker has left: the last act."""
        self._output.settle()
        self._debugger.end()
        if self._ending == "crash":
            self._ledger.end_what_was_running(DIED)  # no answer: who asked is to see that nobody is there
        else:
            self._turns.give_up("the session ended")
        self._lineage.end()
        self._entrance.close(self._ending or "end")
        self._ledger.close(self._ending or "end")
        self._loop.stop()

    def _on_done(self, frame: Done) -> None:
        ended = self._stage.on_done(frame)
        if ended is not None:
            self._disk.ended(ended.job)
            self._undo.ended(ended.job)  # before the next one begins
        self._turns.ended(ended)

    def _silenced(self, why: str) -> None:
        """The worker is dead, or will be at once: what it wrote goes out, nothing of it is continued."""
        self._disk.stop()
        self._output.over(self._stage.running_turn)
        self._debugger.over(why)

    def _recovered(self, recovery: Recovery) -> None:
        cell = None if recovery.count is None else self._turns.running_cell()
        self._ledger.event("crash", cell, recovery=msgspec.to_builtins(recovery))
        self._welcome.note(described(recovery), heard=bool(self._presence.names()))
        self._turns.ended(self._stage.on_crash(recovery))

    def _restart(self) -> None:
        """A fresh namespace, on purpose: a barrier that no recovery crosses."""
        self._silenced("the session was restarted")
        self._turns.give_up("the session was restarted")
        self._turns.abort_all()
        self._coroner.forget()
        self._undo.restarting()
        self._disk.checkpoints.forget()
        self._ledger.restart()
        self._lineage.restart()
        self._stage.forget()
        self._new_namespace()

    def _new_namespace(self) -> None:
        """A namespace begins: its own header.session towards clients, its own number in the history."""
        session_id = str(uuid.uuid4())
        self._ledger.set("session_id", session_id)
        self._ledger.begin_namespace(self.name)
        self._entrance.renew(session_id)
