"""A run's outputs on their way into its notebook: which cell gets what, and when the file is written.

What an output looks like, and how a file is written, is said in `cellfiles/`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast.cellfiles.document import Document, Step
from holdfast.cellfiles.files import Place
from holdfast.cellfiles.outputs import CellOutputs, Outputs
from holdfast.cellfiles.plan import Ran
from holdfast.cli.cellruns.session import CellSession
from holdfast.cli.logs.transcript import OMITTED, as_message
from holdfast.errors import HoldfastError

WRITE_SECONDS = 2.0
"""Between two writes while cells run: a notebook of many quick cells and large plots is not written for each.
What is not written when everything is killed is in the session's journal; `--resume` has it from there."""


class Record:
    """Of one run. Without a place (a script's) nothing is kept."""

    def __init__(
        self, document: Document, place: Place | None, tell: Callable[[str], object], *, anew: bool
    ) -> None:
        """`anew`: the notebook at that place has no outputs but those of this run."""
        self._document = document
        self._place = place
        self._tell = tell
        self._outputs = Outputs()
        self._of: dict[str, CellOutputs] = {}  # by the request that ran the cell: some are heard of later
        self._dirty = False
        self.trouble: HoldfastError | None = None
        """Why it could not be written. The cells have run all the same."""
        self._written = time.monotonic()
        if anew:
            for step in document.steps():
                document.cells[step.place].update(outputs=[], execution_count=None)

    def begin(self, step: Step, msg_id: str) -> None:
        """A cell begins: its outputs are those that come for this request."""
        if self._place is not None:
            self._of[msg_id] = self._outputs.of(self._document.cells[step.place])
            self._dirty = True

    def take(self, msg_id: str, msg_type: str, content: Mapping[str, Any]) -> None:
        """Something has come for a request."""
        if msg_id in self._of and self._of[msg_id].take(msg_type, content):
            self._dirty = True

    def skip(self, session: CellSession, steps: Sequence[Step], done: Sequence[Ran]) -> None:
        """Cells that have run before: the journal has their outputs.

        What it did not keep is in the file, if the number there is the cell's; those of another session's run
        have the same numbers, so the file is asked for no more than that.
        """
        if self._place is None or not done:
            return
        known = session.outputs_since(min(ran.id for ran in done))
        for step, ran in zip(steps, done, strict=False):
            cell, entries = self._document.cells[step.place], known.get(ran.id, [])
            before = cell.get("outputs"), cell.get("execution_count")
            if before[1] == ran.count and any(each["msg_type"] == OMITTED for each in entries):
                continue
            outputs = self._outputs.of(cell)
            for each in entries:
                outputs.take(*as_message(each["msg_type"], each["content"]))
            cell["execution_count"] = ran.count
            self._dirty = self._dirty or before != (cell["outputs"], ran.count)

    def ended(self) -> None:
        """A cell has ended: now and then that is written."""
        if self._dirty and time.monotonic() - self._written > WRITE_SECONDS:
            self._write()

    def close(self) -> None:
        """Nothing more comes."""
        if self._dirty:
            self._write()

    def _write(self) -> None:
        self._dirty = False
        if self._place is None:
            return
        try:
            moved = self._place.write(self._document)
        except HoldfastError as error:
            self.trouble, self._place = error, None
            return
        if moved:
            self._tell(f"somebody has changed the notebook meanwhile: the outputs are in {self._place.path}")
        self._written = time.monotonic()
