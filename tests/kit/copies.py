"""A sleeping copy of the test's process, made as the worker makes them, that can be woken with a question."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

from holdfast.worker.standby.privatise import Private, make_private, wake
from holdfast.worker.standby.survey import Survey, survey

STANDARD = frozenset({0, 1, 2})
_Answer = TypeVar("_Answer")


class Copy(Generic[_Answer]):
    """Forks at once, and is there when the copy is private. Woken, the copy answers `question` and ends."""

    def __init__(self, question: Callable[[Private], _Answer], ours: frozenset[int] = STANDARD) -> None:
        before = survey(ours)
        self._mine, its = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            self._mine.close()
            _sleep(its, question, before, ours | {its.fileno()})
        its.close()
        assert self._mine.recv(1) == b"s", "the copy could not become private"

    def wake(self) -> _Answer:
        """The answer of the woken copy; an exception there is one here."""
        self._mine.sendall(b"w")
        with self._mine.makefile("rb") as answers:
            answer = pickle.load(answers)
        self.drop()
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]

    def drop(self) -> None:
        """Let it go."""
        self._mine.close()
        os.waitpid(self.pid, 0)


def _sleep(
    control: socket.socket, question: Callable[[Private], Any], before: Survey, ours: frozenset[int]
) -> NoReturn:
    try:
        private = make_private(before, ours)
        control.sendall(b"s")
        if control.recv(1):
            try:
                wake(private)
                answer = question(private)
            except BaseException as error:  # noqa: BLE001 - raised where it was asked
                answer = error
            control.sendall(pickle.dumps(answer))
    finally:
        os._exit(0)
