"""Processes that another worker had started, in a copy that has woken."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from pathlib import Path

from holdfast.worker import ends
from holdfast.worker.standby.orphans import disown
from kit.alone import alone
from kit.copies import Copy


@alone
def test_one_whose_end_nobody_knows_keeps_no_other_from_starting(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    reading, writing = os.pipe()
    known_here = fork.Process(target=os.read, args=(reading, 1))
    known_here.start()
    ends.table()

    def go_on(_: object) -> tuple[list[object], int | None]:
        disown()
        other = fork.Process(target=abs, args=(1,))
        other.start()
        other.join()
        return list(multiprocessing.active_children()), other.exitcode

    copy = Copy(go_on)
    os.write(writing, b"x")
    known_here.join()
    assert copy.wake() == ([], 0)


@alone
def test_who_has_put_something_else_in_the_place_of_subprocess_keeps_the_rest(tmp_path: Path) -> None:
    class Other:
        """As gevent's: it waits in ways of its own."""

    subprocess.Popen = Other  # type: ignore[assignment,misc]
    disown()
    assert not vars(Other).keys() & {"_execute_child", "_internal_poll", "_wait"}
