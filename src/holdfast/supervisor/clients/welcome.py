"""What whoever opens a session again is told, once, in the output of their first cell.

How it ended before, which every client but our own console could not know; what went on while nobody was
there (see `absence`); and a death of the interpreter that nobody heard of.
"""

from __future__ import annotations

from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.clients.absence import Absence
from holdfast.supervisor.disk.arrival import Arrival


class Welcome:
    """Of one run of the supervisor."""

    def __init__(self, stage: Stage, absence: Absence, arrival: Arrival) -> None:
        self._stage = stage
        self._absence = absence
        self._arrival = arrival
        self._told = False
        self._seen = True  # somebody listened when the interpreter died
        self._unheard: list[str] = []  # of the last death, in lines

    def died(self, *, seen: bool) -> None:
        """The interpreter has just died. Who comes to listen from now on does not know what it hears of."""
        self._seen = seen

    def note(self, notice: list[str], *, heard: bool) -> None:
        """Another one is there: this was said of the death, and `heard` by somebody or not."""
        self._unheard = [] if heard and self._seen else notice
        self._seen = True

    def on_start(self, job: Job) -> None:
        """A job starts."""
        if not self._told and job.request is not None and not job.request.silent:
            self._told = True
            self._arrival.told()
            if self._arrival.story and not job.door.ours:  # our own console has told it
                self._stage.publish_text(job.number, "stderr", f"holdfast: {self._arrival.story}\n")
        if self._unheard and job.request is not None and not job.request.silent:
            lines, self._unheard = ["holdfast: while nobody listened,", *self._unheard], []
            self._stage.publish_text(job.number, "stderr", "\n".join(lines) + "\n")
        self._absence.tell(job, self._stage)
