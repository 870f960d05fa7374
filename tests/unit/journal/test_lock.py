"""The lock of a session, within one process; tests/system has the races between processes."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from holdfast.errors import JournalError, RefusedPath, SessionLocked
from holdfast.journal.lock import Holder, SessionLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_lock_is_taken_once_and_the_refusal_names_who_has_it(path: Path) -> None:
    lock = SessionLock.acquire(path)
    with pytest.raises(SessionLocked, match=f"process {os.getpid()} on {socket.gethostname()}") as refusal:
        SessionLock.acquire(path)
    assert refusal.value.remedy
    lock.release()
    SessionLock.acquire(path).release()


def test_asking_who_holds_a_lock_does_not_take_it(path: Path) -> None:
    assert SessionLock.holder(path) is None
    assert not path.exists()
    lock = SessionLock.acquire(path)
    for _ in range(3):
        holder = SessionLock.holder(path)
        assert holder is not None
        assert (holder.pid, holder.host) == (os.getpid(), socket.gethostname())
        assert holder.started > 0
    with pytest.raises(SessionLocked):
        SessionLock.acquire(path)
    lock.release()
    assert SessionLock.holder(path) is None


def test_asking_and_being_refused_does_not_lose_the_lock(path: Path) -> None:
    lock = SessionLock.acquire(path)
    SessionLock.holder(path)
    with pytest.raises(SessionLocked):
        SessionLock.acquire(path)
    path.read_bytes()  # with a POSIX lock, closing this descriptor would have given it up
    with pytest.raises(SessionLocked):
        SessionLock.acquire(path)
    lock.release()


def test_a_released_lock_keeps_its_file_and_can_be_released_again(path: Path) -> None:
    lock = SessionLock.acquire(path)
    inode = path.stat().st_ino
    lock.release()
    lock.release()
    again = SessionLock.acquire(path)
    assert path.stat().st_ino == inode
    again.release()


def test_a_second_release_does_not_close_somebody_elses_descriptor(path: Path, tmp_path: Path) -> None:
    lock = SessionLock.acquire(path)
    lock.release()
    other = os.open(tmp_path, os.O_RDONLY)  # gets the number that the lock had
    lock.release()
    os.fstat(other)
    os.close(other)


def test_the_file_is_private_and_tells_people_who_holds_it(path: Path) -> None:
    before = os.umask(0)
    try:
        lock = SessionLock.acquire(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes()).keys() == {"pid", "boot_id", "started", "host"}
    lock.release()


def test_what_a_longer_predecessor_wrote_leaves_no_trace(path: Path) -> None:
    path.touch(mode=0o600)
    path.write_bytes(b"x" * 5_000)
    lock = SessionLock.acquire(path)
    assert json.loads(path.read_bytes())["pid"] == os.getpid()
    lock.release()


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[1]", b'{"host": "\xff"}', b'{"pid": "x"}', b"x" * 9_999]
)
def test_a_holder_that_wrote_nonsense_is_still_a_holder(path: Path, content: bytes) -> None:
    lock = SessionLock.acquire(path)
    path.write_bytes(content)
    assert SessionLock.holder(path) == Holder()
    with pytest.raises(SessionLocked, match="another process"):
        SessionLock.acquire(path)
    lock.release()


def test_a_planted_link_is_refused_and_what_it_leads_to_left_alone(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch(mode=0o600)
    precious.write_bytes(b"precious")
    path.symlink_to(precious)
    for attempt in (SessionLock.acquire, SessionLock.holder):
        with pytest.raises(RefusedPath, match="symbolic link"):
            attempt(path)
    assert precious.read_bytes() == b"precious"


def test_a_planted_hard_link_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch(mode=0o600)
    precious.write_bytes(b"precious")
    path.hardlink_to(precious)
    with pytest.raises(RefusedPath, match="another name"):
        SessionLock.acquire(path)
    assert precious.read_bytes() == b"precious"


def test_a_planted_fifo_is_refused_without_waiting_for_its_other_end(path: Path) -> None:
    os.mkfifo(path, 0o600)
    for attempt in (SessionLock.acquire, SessionLock.holder):
        with pytest.raises(RefusedPath, match="not a regular file"):
            attempt(path)


def test_a_lock_that_others_may_open_is_refused(path: Path) -> None:
    path.touch(mode=0o600)
    path.chmod(0o644)
    with pytest.raises(RefusedPath, match="open to others"):
        SessionLock.acquire(path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_lock_of_another_user_is_refused(path: Path) -> None:
    path.touch(mode=0o600)
    os.chown(path, 12_345, 12_345)
    with pytest.raises(RefusedPath, match="belongs to user 12345"):
        SessionLock.acquire(path)


def test_a_lock_in_a_folder_that_is_gone_is_an_error_with_advice(path: Path) -> None:
    with pytest.raises(JournalError, match="No such file") as refusal:
        SessionLock.acquire(path.parent / "gone" / "lock")
    assert refusal.value.remedy
    assert SessionLock.holder(path.parent / "gone" / "lock") is None
