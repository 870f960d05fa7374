"""A worker's parts as guests in a foreign process: what they do differently there, each by a few lines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from comm.base_comm import CommManager
from traitlets import Bool

from holdfast.link.messages import Ask, NoStandby, Run
from holdfast.link.ring import RingWriter
from holdfast.worker.cells import Cells
from holdfast.worker.embedding.costume import Costume, Outputs
from holdfast.worker.interrupts import Interrupts
from holdfast.worker.ipython import shell
from holdfast.worker.outlet import Outlet
from holdfast.worker.requests import Requests
from holdfast.worker.stdin import Keyboard


class ZMQInteractiveShell(shell.ZMQInteractiveShell):
    """IPython's shell as a guest: it leaves environment, modules and debuggers alone. Named as its base."""

    keepkernel_on_exit = Bool(False)

    def init_environment(self) -> None:
        """Leave the environment as it is."""

    def init_sys_modules(self) -> None:
        """`__main__` is the program."""

    def ask_exit(self) -> None:
        """`exit`: the client leaves and the program goes on; with keep_kernel=True it only leaves."""
        super().ask_exit()
        self.exit_now = not self.keepkernel_on_exit
        self.keepkernel_on_exit = False


class ProgramInterrupts(Interrupts):
    """SIGINT that nobody of ours sent, while nothing runs, is Ctrl-C on the program's terminal."""

    def __init__(self, ring: RingWriter, on_terminal: Callable[[], None]) -> None:
        super().__init__(ring)
        self.busy = False
        self._on_terminal = on_terminal

    def begin(self, turn: int, cancel: Callable[[], object]) -> None:
        """A job runs."""
        self.busy = True
        super().begin(turn, cancel)

    def end(self) -> None:
        """No job runs."""
        super().end()
        self.busy = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.busy or self._ring.interrupted_turn():
            super()._handle(number, frame)
        else:
            self._on_terminal()


class Dress:
    """The way onto the stage and off it again."""

    def __init__(self, costume: Costume, outputs: Outputs, settle: Callable[[], None]) -> None:
        self._costume = costume
        self._outputs = outputs
        self._settle = settle

    @contextlib.contextmanager
    def worn(self) -> Iterator[None]:
        """For a cell, or another request."""
        with self._outputs.to_the_client():
            self._costume.put_on()
            try:
                yield
            finally:
                self._costume.take_off()
                self._settle()


class GuestCells(Cells):
    """Cells that leave nothing of ours behind."""

    def __init__(
        self,
        made: ZMQInteractiveShell,
        outlet: Outlet,
        interrupts: Interrupts,
        keyboard: Keyboard,
        dress: Dress,
        leave: Callable[[], None],
    ) -> None:
        super().__init__(made, outlet, interrupts, keyboard)
        self._made = made
        self._dress = dress
        self._leave = leave

    async def run(self, request: Run) -> None:
        """Execute the cell, and leave if it said so."""
        await super().run(request)
        if self._made.exit_now:
            self._leave()

    async def _execute(self, request: Run) -> dict[str, Any]:
        """Here, and not around it all: who has got the reply finds the program as itself again."""
        with self._dress.worn():
            return await super()._execute(request)


class GuestRequests(Requests):
    """Requests that leave nothing of ours behind: the user's objects print, too."""

    def __init__(
        self,
        made: ZMQInteractiveShell,
        outlet: Outlet,
        interrupts: Interrupts,
        manager: CommManager,
        dress: Dress,
    ) -> None:
        super().__init__(made, outlet, interrupts, manager)
        self._dress = dress

    def handle(self, request: Ask) -> bool:
        """Do what was asked."""
        with self._dress.worn():
            return super().handle(request)


class Uncopied:
    """In a freezer's place: no standby is ever taken of a foreign program."""

    REASON = "an embedded program is not copied"

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def take(self) -> bool:
        """Say why there is none."""
        self._outlet.send(NoStandby(self._outlet.position, 0, self.REASON))
        return False

    def before(self, *, changes: bool) -> bool:  # noqa: ARG002 - a freezer's signature
        """Nothing has woken."""
        return False

    def changed(self, cell: int | None) -> None:
        """Nothing follows from it."""

    def after(self) -> None:
        """Nothing is to be kept."""
