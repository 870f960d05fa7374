"""Who answers when the worker can't: one double of the newest standby, asked one question at a time.

The double is made for the first question and kept for more, since each costs a fork. What it says is as of
the standby that it was copied from. Nothing here knows whose the questions are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from holdfast.link.messages import Ask, Done, Frame
from holdfast.settings import Meanwhile
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.doubles import Double
from holdfast.supervisor.processes.standbys import Standby, Standbys

_NO_TURN = -1
"""Of an `Ask` to a double: interrupts are not for it."""


class Answer(msgspec.Struct, frozen=True):
    """What a double has said."""

    content: bytes
    after: int
    """The last cell whose effects it held, by its number in the journal (0: none)."""


class Question(msgspec.Struct, frozen=True, eq=False):
    """Something that a copy of the interpreter can tell: an `Ask`, and who is told."""

    msg_type: str
    content: bytes
    answered: Callable[[Answer], None]
    unanswered: Callable[[bool], None]
    """No answer will come. Whether that is the question's own fault: a double has failed at it."""
    header: bytes = b"{}"
    metadata: bytes = b"{}"


class StandIn:
    """Of one session."""

    def __init__(self, loop: Loop, standbys: Standbys, bounds: Meanwhile) -> None:
        self._loop = loop
        self._standbys = standbys
        self._bounds = bounds
        self._waiting: deque[Question] = deque()
        self._asked = 0  # questions asked so far
        self._open = False  # the last of them is not answered yet: it is the first that waits
        self._double: Double | None = None
        self._copied: Standby | None = None  # whose copy the double is
        self._leisure = Deadline(loop)  # when a double that nobody asks anything goes

    @property
    def there(self) -> bool:
        """Whether anybody can be asked now."""
        return self._standbys.newest is not None

    def ask(self, question: Question) -> None:
        """Have a question answered, after those that were asked before."""
        self._waiting.append(question)
        self._next()

    def dismiss(self) -> None:
        """Let the double go. What it has not answered yet will not be."""
        self._let_go()
        unanswered, self._waiting = self._waiting, deque()
        for question in reversed(unanswered):  # so that who puts them back in front has them in order
            question.unanswered(False)

    def _next(self) -> None:
        """Ask what waits longest; without a question, wait for one, but not for ever."""
        if self._open:
            return
        if not self._waiting:
            self._leisure.set(self._bounds.idle_seconds, self._let_go)
            return
        self._leisure.cancel()
        double = self._of_newest()
        if double is None:
            self.dismiss()
            return
        asked = self._waiting[0]
        self._asked, self._open = self._asked + 1, True
        ask = Ask(-self._asked, _NO_TURN, asked.msg_type, asked.content, asked.header, asked.metadata)
        double.send(ask, self._bounds.answer_seconds)

    def _of_newest(self) -> Double | None:
        """The double; a new one, if a newer standby has been taken since."""
        newest = self._standbys.newest
        if newest is not self._copied:
            self._let_go()
        if self._double is None and newest is not None:
            self._double, self._copied = Double(self._loop, newest, self._hear, self._on_end), newest
        return self._double

    def _hear(self, frame: Frame) -> None:
        if isinstance(frame, Done) and self._open and self._double is not None and self._copied is not None:
            self._double.answered()
            self._open = False
            self._waiting.popleft().answered(Answer(frame.content, self._copied.after))
            self._next()

    def _on_end(self, _how: str) -> None:
        """It took too long, or has died: of what it was asked. The next question gets another double."""
        self._double = self._copied = None
        if self._open:
            self._open = False
            self._waiting.popleft().unanswered(True)
        self._next()

    def _let_go(self) -> None:
        self._leisure.cancel()
        if self._double is not None:
            self._double.let_go()
        self._double = self._copied = None
        self._open = False
