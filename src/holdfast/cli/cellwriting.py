"""A run's outputs on their way into its notebook: which cell gets what, and when the file is written.

What an output looks like, and how a file is written, is said in `cellfiles/`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from holdfast.cellfiles.document import Document, Step
from holdfast.cellfiles.files import Place
from holdfast.cellfiles.outputs import CellOutputs, Outputs
from holdfast.cellfiles.plan import Ran
from holdfast.cli.cellsession import CellSession

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
        self._dirty = False
        self._written = time.monotonic()
        if anew:
            for step in document.steps():
                document.cells[step.place].update(outputs=[], execution_count=None)

    def of(self, step: Step) -> CellOutputs:
        """A cell begins: its outputs are those that come now."""
        self._dirty = True
        return self._outputs.of(self._document.cells[step.place])

    def skip(self, session: CellSession, steps: Sequence[Step], done: Sequence[Ran]) -> None:
        """Cells that have run before: the file has their outputs, or else the journal."""
        missing = [
            (step, ran)
            for step, ran in zip(steps, done, strict=False)
            if self._document.cells[step.place].get("execution_count") != ran.count
        ]
        if self._place is None or not missing:
            return
        known = session.outputs_since(min(ran.id for _, ran in missing))
        for step, ran in missing:
            cell = self._document.cells[step.place]
            outputs = self._outputs.of(cell)
            for each in known.get(ran.id, []):
                outputs.take(each["msg_type"], each["content"])
            cell["execution_count"] = ran.count
            self._dirty = True

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
        if self._place.write(self._document):
            self._tell(f"somebody has changed the notebook meanwhile: the outputs are in {self._place.path}")
        self._written = time.monotonic()
