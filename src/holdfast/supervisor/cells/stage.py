"""The one cell or request that the worker works on: from its start to its reply, also if the worker dies."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from holdfast.errors import DIED, MalformedMessage
from holdfast.journal.records import CellRecord, Status
from holdfast.link.messages import Done, NeedInput, Publish, Rejoin
from holdfast.protocol import codec
from holdfast.protocol.content import ExecuteRequest
from holdfast.protocol.operations import Running
from holdfast.settings import Life
from holdfast.supervisor.aftermath import offspring
from holdfast.supervisor.aftermath import recovery as words
from holdfast.supervisor.aftermath.recovery import Recovery
from holdfast.supervisor.cells import replies
from holdfast.supervisor.cells.comms import Comms
from holdfast.supervisor.cells.questions import Questions
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.replies import Replies
from holdfast.supervisor.clients.broadcast import NOBODY, Broadcast, Parent
from holdfast.supervisor.clients.output import Output
from holdfast.supervisor.clients.presence import Presence
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.program import AnyWorker
from holdfast.supervisor.succession.origin import Answer, origin_of
from holdfast.supervisor.travel.effects import Effects


class Ended(msgspec.Struct, frozen=True):
    """How a job ended."""

    job: Job
    status: str
    """`ok` or `error`."""
    by_worker: bool
    """The worker said so; else it has died."""


class Stage:
    """Starts jobs, relays what they say, answers for them."""

    def __init__(
        self,
        lineage: AnyWorker,
        broadcast: Broadcast,
        ledger: Ledger,
        presence: Presence,
        loop: Loop,
        life: Life,
    ) -> None:
        self.job: Job | None = None
        self.since = 0.0  # when it started, seconds since the epoch
        self.began = 0.0  # the same by the clock of `offspring`
        self.count = ledger.last_count()
        self.comms = Comms()
        self.effects = Effects(life.parents_kept)
        self.sources: OrderedDict[int, str] = OrderedDict()  # code of recent cells by count, for tracebacks
        self.output: Output
        self._lineage = lineage
        self._broadcast = broadcast
        self._ledger = ledger
        self._parents: OrderedDict[int, Parent] = OrderedDict()  # by job number, most recent last
        self._life = life
        first = broadcast.epoch << 32  # what an earlier supervisor has counted is never meant
        self.turn = first  # grows with each job that is given to a worker
        self.running_turn = first  # of the job that runs, or ran last: what an interrupt is aimed at
        self._requests = -first  # the same for other requests than cells: their numbers are negative
        self._last = 0  # number of the last cell
        self.questions = Questions(lineage, ledger, broadcast, presence, loop)
        self.replies = Replies(broadcast, ledger)
        self.resumed: int | None = None  # the worker, if it was a standby when another one died
        self.on_start: list[Callable[[], None]] = []
        """Called when a cell has been given to the worker."""
        self.on_question: Callable[[], None] = lambda: None
        """Called when a client is asked for input."""

    @property
    def worker_pid(self) -> int | None:
        """Who does the work."""
        return self._lineage.worker_pid

    def accept(self, job: Job, *, starts: bool) -> None:
        """Write a cell to the journal, before anything else is done. JournalError: it must not run.

        One that `starts` at once gets its number now, and one commit instead of two.
        """
        assert job.request is not None
        job.count = self.count + 1 if starts else None
        header = job.message.header
        job.number = self._ledger.accept(
            msg_id=header.msg_id,
            header=job.message.header_raw,
            code=job.request.code,
            client=header.username,
            silent=job.request.silent,
            store_history=job.request.store_history,
            count=job.count,
            turn=self.turn + 1,
            request=origin_of(job),
        )

    def resume(self, job: Job, since: float, turn: int) -> None:
        """A cell that another supervisor has started."""
        self.job, self.since, self.began, self.running_turn = job, since, offspring.now(), turn
        self._keep_parent(job)
        self.questions.resume(job, self._life.return_seconds)

    def send_again(self) -> None:
        """Give the cell that runs to the worker once more: it takes no notice if it was begun already."""
        if self.job is not None and self.job.request is not None:
            self._lineage.send(self.job.run(self.running_turn))

    @property
    def running(self) -> Running | None:
        """The cell that runs, as clients are told of it."""
        job = self.job
        if job is None or job.request is None:
            return None
        header = job.message.header
        return Running(job.count, header.username, self.since, header.session)

    @property
    def begun(self) -> bool:
        """Whether a worker has done anything of the job."""
        return self.job is not None and self.output.has_begun(self.running_turn)

    def remember(self, cells: list[CellRecord]) -> None:
        """What ran before us, oldest first."""
        self._last = cells[-1].id if cells else 0
        self.sources.update((cell.count, cell.code) for cell in cells if cell.count and cell.started)

    def drop_effects(self, after: int) -> list[int]:
        """The worker does not hold what cells after `after` did; their execution counts."""
        self._ledger.drop_effects(after)
        return self.effects.drop_since(after)

    def start(self, job: Job) -> None:
        """Give a job to the worker."""
        self.job, self.since, self.began = job, time.time(), offspring.now()
        self.turn += 1
        self.running_turn = self.turn
        if job.request is None:
            self._requests -= 1
            job.number = self._requests
            job.parent = Parent(job.message.header_raw)
        else:
            job.parent = Parent(job.message.header_raw, job.number)
            if job.count is None:
                job.count = self.count + 1
                self._ledger.start(job.number, job.count, self.turn)
        self._keep_parent(job)
        if job.request is None:
            self._start_request(job)
            if job.errand is None:
                self._broadcast.status("busy", job.parent)
        else:
            self._start_cell(job, job.request)
            for call in self.on_start:
                call()

    def on_publish(self, frame: Publish) -> None:
        """The worker shows something."""
        self.comms.note(frame.msg_type, frame.content)
        self._broadcast.publish(
            frame.msg_type, frame.content, self.parent_of(frame.parent), frame.metadata, frame.buffers
        )

    def on_input_needed(self, frame: NeedInput) -> None:
        """input() waits: ask the client that runs the cell."""
        if self.job is not None:
            self.on_question()
            self.questions.ask(self.job, frame)

    def on_done(self, frame: Done) -> Ended | None:
        """The worker is through with the job."""
        job = self.job
        if job is None or frame.cell != job.number:
            return None
        answer = Answer(frame.content, codec.encode(_metadata(frame)))
        if job.request is not None and job.count is not None:
            self._finish_cell(job, frame, answer)
            if frame.output is not None:
                self._ledger.add_result(job.count, frame.output)
        return self._end(job, answer, frame.status, by_worker=True)

    def on_crash(self, recovery: Recovery) -> Ended | None:
        """The worker died and another one is there: answer for the job. Without one at fault, tell who looks.

        A cell that had not begun is not at fault: it is the other one's to run.
        """
        self.resumed = self.worker_pid if recovery.level == "standby" else None
        job, error = self.job, replies.error_of(recovery)
        spared = job is not None and job.request is not None and recovery.count is None
        if job is None or spared or (job.errand is not None and recovery.level != "none"):
            self.tell_last("\n".join(words.described(recovery)) + "\n")
        if spared:
            self.send_again()
        if job is None or spared:
            return None
        answer = replies.of_crash(job, self.since, recovery, error)
        if job.request is not None:
            if not job.request.silent:
                self._broadcast.publish("error", error, job.parent)
            self._ledger.finish(job.number, "crashed", DIED, recovery.cause, reply=answer.kept())
        return self._end(job, answer, "error", by_worker=False)

    def rejoin_comms(self, living: list[str]) -> None:
        """The worker is another one, with these comms: what it lacks is closed, of what it has it tells anew.

        A widget that a browser still shows would else be half-dead: shown, and heard by nobody.
        """
        for gone in self.comms.keep(living):
            self._broadcast.publish("comm_close", {"comm_id": gone, "data": {}}, NOBODY)
        if living:
            self._lineage.send(Rejoin(self.comms.ids()))

    def forget(self) -> None:
        """The namespace is gone, on purpose: numbering begins anew, comms have no other half."""
        self.count = 0
        self.comms.clear()
        self.effects = Effects(self._life.parents_kept)

    def tell_last(self, text: str) -> None:
        """Words of our own on stderr, below the last cell."""
        self._broadcast.stream("stderr", text, self.parent_of(self._last))

    def parent_of(self, number: int) -> Parent:
        """Whom the worker's number means; what was forgotten is in the journal."""
        known = self._parents.get(number)
        if known is not None:
            return known
        header = self._ledger.journal.header_of(number) if number > 0 else None
        return NOBODY if header is None else Parent(header, number)

    def publish_text(self, number: int, stream: str, text: str) -> None:
        """Text of the worker, ready to go."""
        self._broadcast.stream(stream, text, self.parent_of(number))

    def _start_cell(self, job: Job, request: ExecuteRequest) -> None:
        """The worker begins while we still tell: what it says is read afterwards, in the right order."""
        assert job.count is not None
        self._lineage.send(job.run(self.turn))
        self._broadcast.status("busy", job.parent)
        if not request.silent:
            content = {"code": request.code, "execution_count": job.count}
            self._broadcast.publish("execute_input", content, job.parent)
        self._last = job.number
        self.sources[job.count] = request.code
        if len(self.sources) > self._life.parents_kept:
            self.sources.popitem(last=False)
        if request.store_history:
            self.count = job.count
            self._ledger.add_input(job.count, request.code)

    def _start_request(self, job: Job) -> None:
        message = job.message
        self.comms.note(message.header.msg_type, message.content_raw)
        self._lineage.send(job.asked(self.turn))

    def _finish_cell(self, job: Job, frame: Done, answer: Answer) -> None:
        status: Status = "ok"
        ename = evalue = ""
        if frame.status != "ok":
            with contextlib.suppress(MalformedMessage):  # a cell may speak in the worker's name
                error = codec.decode(frame.content, _Error, "reply")
                ename, evalue = error.ename, error.evalue
            status = "interrupted" if ename == "KeyboardInterrupt" else "error"
        shown = job.request is not None and job.request.store_history and not job.looks_back
        self._ledger.finish(job.number, status, ename, evalue, reply=answer.kept(), held=shown)
        self.effects.add(job.number, job.count or 0, shown=shown)

    def _end(self, job: Job, answer: Answer, status: str, *, by_worker: bool) -> Ended:
        self.job = None
        self.questions.forget()
        if job.errand is not None:
            job.errand.then(answer.content)
            return Ended(job, status, by_worker)
        self.replies.send(job, answer)
        self._broadcast.status("idle", job.parent)
        return Ended(job, status, by_worker)

    def _keep_parent(self, job: Job) -> None:
        self.output.foreground = job.number
        self._parents[job.number] = job.parent
        if len(self._parents) > self._life.parents_kept:
            self._parents.popitem(last=False)


def _metadata(frame: Done) -> dict[str, object]:
    """Of a cell's reply; a request's has none."""
    if not frame.started:
        return {}
    return {"started": frame.started, "dependencies_met": True, "engine": "", "status": frame.status}


class _Error(msgspec.Struct):
    ename: str = ""
    evalue: str = ""
