"""What a standby is worth, known before it is needed.

`resume`: it can go on as the worker. `salvage`: it can't, but its values can be had. `none`: it is worth
nothing. A standby without libraries or threads that a fork could harm (no fingerprint) needs no examination;
of the others one of each kind is examined in the background, in a double: what hangs or ends that one would
have hung or ended the session. Where threads are at work each is a case of its own: until it is examined, the
last one like it tells what is likely, and before it is woken it is examined itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import msgspec

from holdfast.link.messages import RESTLESS, Examine, Examined, Frame, Probing
from holdfast.settings import Standby as Settings
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.doubles import Double
from holdfast.supervisor.processes.standbys import Standby

Grade = Literal["resume", "salvage", "none"]


class Verdict(msgspec.Struct, frozen=True):
    """Of one standby, and of all that are like it."""

    grade: Grade
    reasons: list[str] = []
    """Why it is no better, in words."""


RESUME = Verdict("resume")

REMEMBERED = 256
"""Verdicts: with each library, pool or thread that comes or goes standbys are another kind."""


def is_restless(standby: Standby) -> bool:
    """Whether threads were at work when it was forked."""
    return standby.fingerprint.startswith(RESTLESS)


class Grades:
    """Verdicts by fingerprint, and the examination that is under way."""

    def __init__(self, loop: Loop, settings: Settings, newest: Callable[[], Standby | None]) -> None:
        """`newest` tells the standby that would be woken now."""
        self._loop = loop
        self._settings = settings
        self._newest = newest
        self._known: OrderedDict[str, Verdict] = OrderedDict()
        self._examination: Examination | None = None
        self._planned = False
        self._examined = 0  # generation of the standby that was examined last

    def of(self, standby: Standby) -> Verdict | None:
        """What is known of it, or of the last one like it; None if none has been examined yet."""
        return self._known.get(standby.fingerprint) if standby.fingerprint else RESUME

    def note(self, standby: Standby) -> None:
        """It sleeps. If nobody like it has been examined, that is done soon."""
        if not self._is_settled(standby) and not self._planned and self._examination is None:
            self._planned = True
            self._loop.later(self._settings.examine_after_seconds, self._examine_newest)

    def tell(self, standby: Standby, then: Callable[[Verdict], None]) -> None:
        """`then` is told its verdict: at once if it is known, else within the deadline for one who waits."""
        verdict = self.of(standby)
        if verdict is not None and self._is_settled(standby):
            then(verdict)
            return
        self.forget()
        self._examine(standby, self._settings.examine_seconds, then)

    def forget(self) -> None:
        """Nobody wants to know any more."""
        if self._examination is not None:
            self._examination.stop()
            self._examination = None

    def _is_settled(self, standby: Standby) -> bool:
        if is_restless(standby) and standby.generation != self._examined:
            return False
        return self.of(standby) is not None

    def _examine_newest(self) -> None:
        self._planned = False
        standby = self._newest()
        if standby is not None and not self._is_settled(standby) and self._examination is None:
            patience = self._settings.examine_seconds * self._settings.examine_patience
            self._examine(standby, patience, lambda _: None)

    def _examine(self, standby: Standby, seconds: float, then: Callable[[Verdict], None]) -> None:
        def done(verdict: Verdict | None) -> None:
            self._examination = None
            if verdict is not None:
                self._examined = standby.generation
                self._known[standby.fingerprint] = verdict
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            then(verdict or RESUME)  # no copy could be made: who waits had better try the thing itself

        self._examination = Examination(self._loop, standby, seconds, done)


class Examination:
    """Of one standby, in a double of it."""

    def __init__(
        self, loop: Loop, standby: Standby, seconds: float, done: Callable[[Verdict | None], None]
    ) -> None:
        """`seconds` for each thing that is tried. `done` gets None if it could not be examined at all."""
        self._seconds = seconds
        self._done = done
        self._trying: str | None = None
        self._double = Double(loop, standby, self._heard, self._gone)
        self._double.send(Examine(), seconds)

    def stop(self) -> None:
        """Without a verdict; `done` is not called."""
        self._double.let_go()

    def _heard(self, frame: Frame) -> None:
        if isinstance(frame, Probing):
            self._trying = frame.what
            self._double.within(self._seconds)
        elif isinstance(frame, Examined):
            self._double.let_go()
            self._done(msgspec.convert({"grade": frame.grade, "reasons": frame.reasons}, Verdict))

    def _gone(self, _how: str) -> None:
        if self._trying is None:
            self._done(None)
        else:
            self._done(Verdict("salvage", [f"{self._trying} does not come through a fork"]))
