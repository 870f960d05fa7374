"""The table of ends, between real processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.processes import look
from holdfast.worker.ends import REMEMBERED, Ends

NEVER = 0.01
"""Seconds after which nobody has told."""


@contextmanager
def _fork(code: int) -> Iterator[tuple[int, int]]:
    """A child that has ended with `code`, and when it began; it has not been waited for."""
    if not (pid := os.fork()):
        os._exit(code)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    found = look(pid)
    assert found is not None
    assert found.ended
    yield pid, found.started
    os.waitpid(pid, 0)


def test_what_one_process_notes_another_one_reads() -> None:
    ends = Ends()
    with _fork(7) as (pid, began):
        if not (writer := os.fork()):
            ends.note(pid, began, 7 << 8)
            os._exit(0)
        assert ends.of(pid, began, 5.0) == 7 << 8
        os.waitpid(writer, 0)


def test_who_asks_early_is_told_as_soon_as_it_is_noted() -> None:
    ends, told = Ends(), []
    asker = threading.Thread(target=lambda: told.append(ends.of(4711, 10, 30.0)))
    began = time.monotonic()
    asker.start()
    ends.note(4712, 5, 0)  # another one: it waits on
    ends.note(4711, 5, 9)
    asker.join(10.0)
    assert told == [9]
    assert time.monotonic() - began < 5.0


def test_another_process_that_had_the_same_id_later_is_not_taken_for_it() -> None:
    ends = Ends()
    ends.note(4711, 5, 256)
    ends.note(4711, 20, 0)
    assert ends.of(4711, 10, NEVER) == 256


def test_what_nobody_noted_is_not_known_after_a_while() -> None:
    assert Ends().of(4711, 10, NEVER) is None


def test_only_the_latest_ends_are_remembered() -> None:
    ends = Ends()
    for number in range(REMEMBERED + 1):
        ends.note(100 + number, 1, number)
    assert ends.of(100, 1, NEVER) is None
    assert ends.of(101, 1, NEVER) == 1
    assert ends.of(100 + REMEMBERED, 1, NEVER) == REMEMBERED
