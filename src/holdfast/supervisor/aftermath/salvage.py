"""The values of a standby that can't go on: a double of it writes them where checkpoints are.

What is on disk already is not written again, and nothing is synchronised to it: they are read at once.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from holdfast.link.messages import Frame, LeftBehind, NotWritten, Write, Written
from holdfast.protocol import codec
from holdfast.settings import Checkpoint
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.doubles import Double
from holdfast.supervisor.processes.standbys import Standby


class Salvaged(msgspec.Struct, frozen=True):
    """What was written."""

    checkpoint: str
    left: LeftBehind
    """What can't be."""


class Salvage:
    """Of one standby."""

    def __init__(
        self,
        loop: Loop,
        standby: Standby,
        folder: str,
        limits: Checkpoint,
        done: Callable[[Salvaged | str], None],
    ) -> None:
        """`done` gets in words why there is nothing, if so."""
        self._done = done
        self._double = Double(loop, standby, self._heard, done)
        facts = codec.encode({"after": standby.after, "salvage": True})
        self._double.send(Write(folder, facts, durable=False, keep=None, limits=limits), limits.write_seconds)

    def stop(self) -> None:
        """It is not wanted any more; `done` is not called."""
        self._double.let_go()

    def _heard(self, frame: Frame) -> None:
        if isinstance(frame, Written):
            self._double.let_go()
            self._done(Salvaged(frame.checkpoint, self._double.left))
        elif isinstance(frame, NotWritten):
            self._double.let_go()
            self._done(frame.what)
