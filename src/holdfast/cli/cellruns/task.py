"""One cell of a file, from its sending to its end: shown, recorded, interrupted when its time is over.

What becomes of the session afterwards is decided in `run.py`.
"""

from __future__ import annotations

import getpass
import sys
import time
from enum import Enum
from typing import Any

import msgspec

from holdfast.cellfiles.document import Step
from holdfast.cli.cellruns.session import CellSession
from holdfast.cli.cellruns.show import TICK_SECONDS, Show, seconds
from holdfast.cli.cellruns.writing import Record
from holdfast.cli.programs import ending
from holdfast.cli.programs.output import exit_number, interrupt
from holdfast.cli.programs.patience import GRACE_SECONDS, INTERRUPTED, TIMED_OUT, TRIES
from holdfast.client.blocking import Execution
from holdfast.client.exchange import Incoming
from holdfast.console import ladder
from holdfast.console.sieve import sifted


class Ended(Enum):
    """How a cell came to its end."""

    OK = "ok"
    FAILED = "error"
    DIED = "crashed"
    TIMED_OUT = "timeout"
    INTERRUPTED = "interrupted"


class Outcome(msgspec.Struct, frozen=True):
    """What became of a cell."""

    step: Step
    ended: Ended
    seconds: float
    count: int | None = None
    """Its execution count."""
    ename: str = ""
    evalue: str = ""
    died_with: int | None = None
    """The exit status of the interpreter, if it died."""
    is_as_before: bool = False
    """The state before it is back, as it died."""
    exits: bool = False
    """It asked for the end of the run (`exit`), and that was well."""

    @property
    def fails(self) -> bool:
        """It has not come to the end that it should."""
        return self.ended is not Ended.OK and not (self.ended is Ended.FAILED and self.step.may_fail)

    @property
    def exit_status(self) -> int:
        """That of the whole run, if it stops here."""
        if self.ended is Ended.DIED:
            return 1 if self.died_with is None else self.died_with
        if self.ename == "SystemExit" and (number := exit_number(self.evalue)) is not None:
            return number & 0xFF
        statuses = {Ended.OK: 0, Ended.TIMED_OUT: TIMED_OUT, Ended.INTERRUPTED: INTERRUPTED}
        return statuses.get(self.ended, 1)

    def in_words(self, took: str) -> str:
        """How it ended, and when."""
        if self.ended is Ended.OK:
            return took
        if self.ended is Ended.FAILED:
            first = self.evalue.split("\n")[0]
            return f"failed after {took}: {self.ename}{f': {first}' if first else ''}"
        if self.ended is Ended.DIED:
            return f"ended the interpreter after {took}: {self.evalue}"
        return f"{'stopped' if self.ended is Ended.TIMED_OUT else 'interrupted'} after {took}"

    def described(self) -> dict[str, object]:
        """As JSON."""
        error = {"ename": self.ename, "evalue": self.evalue} if self.ename else None
        return {
            "number": self.step.number,
            "title": self.step.title,
            "status": self.ended.value,
            "execution_count": self.count,
            "elapsed": round(self.seconds, 3),
            **({"error": error} if error else {}),
        }


class CellTask:
    """Of one cell."""

    def __init__(
        self,
        session: CellSession,
        step: Step,
        show: Show,
        record: Record,
        timeout: float | None,
    ) -> None:
        self._session = session
        self._client = session.client
        self._step = step
        self._show = show
        self._record = record
        self._timeout = timeout
        self._deadline: float | None = None  # of what comes next: the interrupt, or the force after it
        self._begun = False
        """It is this cell's turn: others may run cells in the session, too."""
        self._timed_out = False
        self._ladder = ladder.Ladder()
        self._interrupted = False  # by Ctrl-C

    def run(self) -> Outcome:
        """Run it to its end. HoldfastError if the session goes away."""
        self._show.begin(self._step)
        began = time.monotonic()
        for _ in range(TRIES):
            reply = self._execute()
            if reply.content.get("status") != "aborted":
                break
        outcome = self._judged(reply, time.monotonic() - began)
        self._show.end(outcome.in_words(seconds(outcome.seconds)), well=outcome.ended is Ended.OK)
        return outcome

    def _execute(self) -> Incoming:
        execution = self._client.execute(
            self._step.code,
            stop_on_error=not self._step.may_fail,
            on_input=self._asked if sys.stdin.isatty() and sys.stderr.isatty() else None,
        )
        self._record.begin(self._step, execution.msg_id)
        self._begun = waits = False
        while True:
            try:
                if self._heard_all(execution):
                    return execution.reply()
                if not self._begun and not waits and (words := self._session.waits_for()) is not None:
                    waits = True
                    self._show.tell(words)
            except KeyboardInterrupt:
                if not self._begun:
                    gone = self._session.withdraw(execution.msg_id)
                    will = "has not run" if gone else "waits in the session, and runs when its turn comes"
                    self._show.tell(f"cell {self._step.number} {will}")
                    raise
                self._pressed()

    def _heard_all(self, execution: Execution) -> bool:
        """Wait a moment and take in what comes; whether that was all."""
        over = execution.wait(self._patience()) and not self._heard(execution)
        while self._client.foreign:
            if (late := self._client.foreign.popleft()).mine:  # of threads that an earlier cell has started
                self._take(late)
        if over:
            return True
        self._show.tick()
        if self._deadline is not None and time.monotonic() > self._deadline:
            force, self._timed_out = self._timed_out, True
            self._deadline = None if force else time.monotonic() + GRACE_SECONDS
            interrupt(self._client, force=force)
        return False

    def _heard(self, execution: Execution) -> bool:
        """Take the next message; False if there is none any more."""
        message = next(execution, None)
        if message is None:
            return False
        self._take(message)
        if message.content.get("execution_state") == "busy" and not self._begun:
            self._begun = True
            self._deadline = None if self._timeout is None else time.monotonic() + self._timeout
        return True

    def _asked(self, prompt: str, password: bool) -> str:
        """What the user types for a cell that asks."""
        self._show.make_room()
        shown = sifted(prompt, others=False)
        return getpass.getpass(shown) if password else input(shown)

    def _patience(self) -> float:
        left = TICK_SECONDS if self._deadline is None else self._deadline - time.monotonic()
        return max(0.0, min(TICK_SECONDS, left))

    def _take(self, message: Incoming) -> None:
        self._record.take(message.parent.msg_id, message.msg_type, message.content)
        self._show.take(message.msg_type, message.content)

    def _pressed(self) -> None:
        """Ctrl-C, which means more each time, as in the console."""
        self._interrupted = True
        step = self._ladder.press(time.monotonic())
        if step is ladder.Step.WARN:
            self._show.tell(
                "still running. Ctrl-C again: stop the interpreter, and restore the state before the cell"
            )
        interrupt(self._client, force=step is ladder.Step.FORCE)

    def _judged(self, reply: Incoming, took: float) -> Outcome:
        content = reply.content
        recovery = ending.recovery(reply)
        ended, exits = self._ended(content, died=recovery is not None), _exits(content)
        as_before = recovery is not None and recovery.get("level") == "standby" and not recovery.get("lost")
        status = recovery.get("exit_status") if recovery is not None else None
        return Outcome(
            self._step,
            Ended.OK if ended is Ended.FAILED and exits else ended,
            took,
            content.get("execution_count"),
            str(content.get("ename", "")),
            str(content.get("evalue", "")),
            status if isinstance(status, int) else None,
            as_before,
            exits,
        )

    def _ended(self, content: dict[str, Any], *, died: bool) -> Ended:
        if self._timed_out:
            return Ended.TIMED_OUT
        if content.get("status") == "ok":
            return Ended.OK
        if self._interrupted:
            return Ended.INTERRUPTED
        return Ended.DIED if died else Ended.FAILED


def _exits(content: dict[str, Any]) -> bool:
    """Whether a cell has called `exit`, or `sys.exit` with nothing to complain of."""
    if content.get("ename") == "SystemExit":
        return exit_number(str(content.get("evalue", ""))) == 0
    payload = content.get("payload") or []
    return any(isinstance(each, dict) and each.get("source") == "ask_exit" for each in payload)
