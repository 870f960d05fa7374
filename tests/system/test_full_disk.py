"""What is said of a session whose disk is full: never that something is kept which is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults import machine
from kit.kernel import scratch
from kit.shell import Shell

pytestmark = pytest.mark.skipif(machine.no_mounts() is not None, reason="needs root, to mount")

ROOM = 200_000
"""Bytes: enough for the journal, not for the variable."""

LARGE = "import os; x = os.urandom(3_000_000)"


@pytest.fixture
def work() -> Iterator[Shell]:
    """With a session `work`, on a disk of its own."""
    with scratch() as folder:
        home = folder / "disk"
        home.mkdir()
        with machine.small_disk(home):
            shell = Shell(home)
            try:
                shell.good("new", "work", "-d")
                yield shell
            finally:
                (home / "ballast").unlink(missing_ok=True)
                shell.close()


def test_stop_says_that_the_variables_could_not_be_written(work: Shell) -> None:
    machine.fill(work.home, but=ROOM)
    work.good("run", "-s", "work", "-c", LARGE)
    done = work.run("stop", "work")
    assert (done.returncode, done.stdout) == (1, "")
    assert "work ended, and its variables could not be written (" in done.stderr
    assert "No space left on device); its log is kept\ntry: df -h /" in done.stderr


def test_stop_says_that_the_sessions_end_could_not_be_written(work: Shell) -> None:
    machine.fill(work.home)
    done = work.run("stop", "work")
    assert (done.returncode, done.stdout) == (1, "")
    assert "work ended, but that could not be written: the last variables" in done.stderr
    assert "not closed properly" in work.good("ls")


def test_stop_says_that_the_state_is_kept_when_there_is_room_again(work: Shell) -> None:
    ballast = machine.fill(work.home, but=ROOM)
    work.good("run", "-s", "work", "-c", LARGE)
    ballast.unlink()
    assert "its state is kept" in work.good("stop", "work")
    assert work.good("run", "-s", "work", "-c", "len(x)") == "3000000\n"
