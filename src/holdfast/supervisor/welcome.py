"""What whoever opens a session again is told, once, in the output of their first cell.

How it ended before, which every client but our own console could not know; and what went on while nobody was
there (see `absence`).
"""

from __future__ import annotations

from pathlib import Path

from holdfast.supervisor.absence import Absence
from holdfast.supervisor.arrival import Arrival
from holdfast.supervisor.queue import Job
from holdfast.supervisor.stage import Stage


class Welcome:
    """Of one run of the supervisor."""

    def __init__(self, stage: Stage, absence: Absence, own_file: Path, arrival: Arrival) -> None:
        """`own_file`: of the door by which our own console comes, which has told the story already."""
        self._stage = stage
        self._absence = absence
        self._own_file = own_file
        self._arrival = arrival
        self._told = False

    def on_start(self, job: Job) -> None:
        """A job starts."""
        if not self._told and job.request is not None and not job.request.silent:
            self._told = True
            if self._arrival.story and job.door.file != self._own_file:
                self._stage.publish_text(job.number, "stderr", f"holdfast: {self._arrival.story}\n")
        self._absence.tell(job, self._stage)
