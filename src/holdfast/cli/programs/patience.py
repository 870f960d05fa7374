"""How long a cell is waited for, and what Ctrl-C, --timeout and SIGTERM make of it.

What waits for its turn is taken out of the queue: only what runs is interrupted, and only ours. Alarms come
as interrupts (KeyboardInterrupt), since those break any wait and may come at any time.
"""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import NoReturn, Self

from holdfast.cli.programs.output import Sink, interrupt
from holdfast.cli.usage import tell
from holdfast.client.blocking import Client, Execution
from holdfast.client.exchange import Incoming
from holdfast.console.ladder import Ladder, Step

GRACE_SECONDS = 5.0
"""For an interrupted cell to come to its end: `finally` blocks and native code that looks at times fit."""

TRIES = 3
"""A cell that was not begun, since one of somebody else's failed before it, is sent so often."""

TIMED_OUT, INTERRUPTED, TERMINATED = 124, 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit statuses, as of timeout(1) and of shells."""


class StillRunning(Exception):
    """The cell does not heed its interrupt, and is left to run."""


class Alarm(KeyboardInterrupt):
    """Time is up, or we are to end. `status`: what our exit status is then."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Patience:
    """Of one command. Passes on to the sink what it sees itself."""

    def __init__(self, client: Client, timeout: float | None, *, force: bool) -> None:
        """`force`: what does not heed an interrupt after `timeout` is stopped with its interpreter."""
        self.status: int | None = None
        """What ended it, as an exit status; None: it came to its end by itself."""
        self._client = client
        self._timeout = timeout
        self._force = force
        self._forced = False
        self._ladder = Ladder()

    def __enter__(self) -> Self:
        self._before = {
            signal.SIGALRM: signal.signal(signal.SIGALRM, _time_is_up),
            signal.SIGTERM: signal.signal(signal.SIGTERM, _told_to_end),
        }
        signal.setitimer(signal.ITIMER_REAL, self._timeout or 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def watch(self, execution: Execution, sink: Sink) -> None:
        """This one, from now on."""
        self._execution = execution
        self._sink = sink
        self._started = False

    def take(self, message: Incoming) -> None:
        """A message of the cell."""
        self._started = self._started or message.content.get("execution_state") == "busy"
        self._sink.take(message)

    def end(self, reply: Incoming) -> None:
        """It has ended."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        if reply.content.get("status") != "aborted":
            self._sink.end(reply)

    def interrupt(self, why: KeyboardInterrupt) -> None:
        """Do what is to be done now."""
        if not self._started and self._withdrawn():
            self.status = why.status if isinstance(why, Alarm) else INTERRUPTED
            tell("it has not run, and will not")
        elif isinstance(why, Alarm):
            self._alarmed(why)
        else:
            self._pressed()

    def _withdrawn(self) -> bool:
        """Whether it waited still, and will not run."""
        done: bool = self._client.operation("withdraw", msg_id=self._execution.msg_id)["done"]
        return done

    def _alarmed(self, why: Alarm) -> None:
        if self.status is None:
            self.status = why.status
            if why.status == TIMED_OUT:
                tell(f"holdfast: time is up: interrupted after {self._timeout:g} s")
            interrupt(self._client)
        elif self._force and not self._forced:
            self._forced = True
            interrupt(self._client, force=True)
        else:
            raise StillRunning
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)

    def _pressed(self) -> None:
        step = self._ladder.press(time.monotonic())
        if step is Step.WARN:
            tell("still running. Ctrl-C again: stop the interpreter, and restore the state before")
        interrupt(self._client, force=step is Step.FORCE)


def _time_is_up(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Alarm(TIMED_OUT)


def _told_to_end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Alarm(TERMINATED)
