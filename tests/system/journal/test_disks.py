"""A disk that is full or fails: the journal says so, keeps what it has, and promises nothing more."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError, JournalError, SessionLocked
from holdfast.journal.history import History
from holdfast.journal.journal import Journal, read_only
from holdfast.journal.lock import Holder, SessionLock
from holdfast.settings import Output

LIMITS = Output(journal_head_bytes=50_000, journal_tail_bytes=50_000)


def accept(journal: Journal, code: str) -> int:
    return journal.accept(
        msg_id="m", header=b"{}", code=code, client="", silent=False, store_history=True, at=1.0
    )


def fill(journal: Journal) -> list[int]:
    """Accept cells until there is no room for another one, however small; those that were accepted."""
    cells: list[int] = []
    for size in (10_000, 1):
        with pytest.raises(JournalError, match=r"journal\.db") as refusal:  # noqa: PT012 - which one fails is open
            while True:
                cells.append(accept(journal, "x" * size))
        assert refusal.value.remedy
    return cells


def check_that_nothing_is_lost(journal: Journal, cells: list[int]) -> None:
    """While the disk is full: all that was accepted can be told, and the rest waits or is refused."""
    assert [cell.id for cell in journal.cells()] == cells
    journal.output(cells[0], 1, "stream", bytes(40_000), 1.0)
    for write in (journal.flush, lambda: journal.finish(cells[0], "ok", 2.0), lambda: accept(journal, "x")):
        with pytest.raises(JournalError):
            write()
    assert [len(row.content) for row in journal.outputs(cells[0])] == [40_000]
    assert [cell.id for cell in journal.cells()] == cells
    assert journal.unfinished() == journal.cells()


def check_that_it_goes_on(folder: Path, journal: Journal, cells: list[int]) -> None:
    """With room again: what waited is written, and new cells are accepted."""
    assert journal.finish(cells[0], "ok", 3.0)
    last = accept(journal, "y")
    journal.close()
    records = read_only(folder)
    assert [cell.id for cell in records.cells()] == [*cells, last]
    assert [len(row.content) for row in records.outputs(cells[0])] == [40_000]
    records.close()


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Writes beyond `size` fail with EFBIG (setrlimit(2)); Python ignores the signal SIGXFSZ."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_must_not_grow_refuses_new_cells_and_keeps_the_old(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    journal = Journal.open(folder, LIMITS)
    journal.begin()
    with files_no_larger_than(300_000):
        cells = fill(journal)
        assert len(cells) > 10
        check_that_nothing_is_lost(journal, cells)
    check_that_it_goes_on(folder, journal, cells)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.getuid() != 0:
        pytest.skip("only root can mount")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"can't mount a tmpfs here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill_up(disk: Path) -> None:
    """Leave no byte free on `disk`."""
    room = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize))
    assert os.statvfs(disk).f_bavail == 0


def test_a_full_disk_refuses_new_cells_and_keeps_the_old(small_disk: Path) -> None:
    folder = small_disk / "session"
    ballast = small_disk / "ballast"
    journal = Journal.open(folder, LIMITS)
    journal.begin()
    ballast.write_bytes(bytes(1_000_000))
    cells = fill(journal)
    assert len(cells) > 10
    check_that_nothing_is_lost(journal, cells)
    ballast.unlink()
    check_that_it_goes_on(folder, journal, cells)


def test_a_supervisor_killed_on_a_full_disk_leaves_all_that_was_accepted(small_disk: Path) -> None:
    folder = small_disk / "session"
    journal = Journal.open(folder, LIMITS)
    journal.begin()
    cells = fill(journal)
    copy = small_disk.parent / "as it was at the kill"
    shutil.copytree(folder, copy)
    with pytest.raises(JournalError):
        journal.end("stopped")
    journal.close()
    records = read_only(copy)
    assert records.ending().kind == "unclean"
    assert [cell.id for cell in records.cells()] == cells
    records.close()


def test_on_a_full_disk_nothing_new_is_made_and_the_disk_is_named(small_disk: Path) -> None:
    fill_up(small_disk)
    folder = small_disk / "session"
    folder.mkdir(mode=0o700)
    attempts = (
        lambda: Journal.open(folder, LIMITS),
        lambda: Journal.open(folder, LIMITS),  # what the first one left is no obstacle to an honest answer
        lambda: History.open(small_disk / "history.db"),
    )
    for attempt in attempts:
        with pytest.raises(HoldfastError, match=str(small_disk)) as refusal:
            attempt()
        assert refusal.value.remedy
    (small_disk / "ballast").unlink()
    Journal.open(folder, LIMITS).close()
    History.open(small_disk / "history.db").close()


def test_on_a_disk_without_any_room_even_reading_is_refused_and_the_disk_is_named(small_disk: Path) -> None:
    journal = Journal.open(small_disk / "session", LIMITS)
    accept(journal, "x")
    journal.close()
    for leftover in (small_disk / "session").glob("*-shm"):
        leftover.unlink()
    fill_up(small_disk)
    for attempt in (read_only, lambda folder: Journal.open(folder, LIMITS)):
        with pytest.raises(JournalError, match="no space left") as refusal:
            attempt(small_disk / "session")
        assert refusal.value.remedy
    (small_disk / "ballast").unlink()
    records = read_only(small_disk / "session")
    assert len(records.cells()) == 1
    records.close()


def test_a_lock_holds_on_a_full_disk_even_if_it_can_not_say_whose_it_is(small_disk: Path) -> None:
    fill_up(small_disk)
    lock = SessionLock.acquire(small_disk / "lock")
    assert SessionLock.holder(small_disk / "lock") == Holder()
    with pytest.raises(SessionLocked, match="another process"):
        SessionLock.acquire(small_disk / "lock")
    lock.release()


FAILING_SYNC = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
static int sync_fails(void) {
    const char *wanted = getenv("SYNC_FAILS");
    if (wanted && *wanted == '1') { errno = EIO; return -1; }
    return 0;
}
int fsync(int descriptor) { (void)descriptor; return sync_fails(); }
int fdatasync(int descriptor) { (void)descriptor; return sync_fails(); }
"""

DISTRUST = """
import os, sys
from pathlib import Path
from holdfast.errors import JournalError
from holdfast.journal.journal import Journal
from holdfast.settings import Output

journal = Journal.open(Path(sys.argv[1]), Output(), "power")
journal.set("before", "kept")
for fails in "101":
    os.environ["SYNC_FAILS"] = fails
    try:
        journal.set("after", fails)
        print("kept")
    except JournalError as error:
        print(error.what)
"""


def test_a_disk_that_once_failed_to_sync_is_not_trusted_again(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a failing fsync with")
    library = tmp_path / "failing_sync.so"
    build = [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
    subprocess.run(build, input=FAILING_SYNC.encode(), check=True)
    told = subprocess.run(
        [sys.executable, "-c", DISTRUST, str(tmp_path / "session")],
        env={**os.environ, "LD_PRELOAD": str(library), "SYNC_FAILS": "0"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "I/O error" in told[0]
    assert all("lost writes" in line for line in told[1:])
    assert len(told) == 3
    records = read_only(tmp_path / "session")
    assert records.get("before") == "kept"
    records.close()
