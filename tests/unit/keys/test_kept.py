"""The files of keys: made private, and not believed where they are not."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.errors import KeysError, RefusedPath
from holdfast.keys import authorized, kept, known

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
OTHER = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    return tmp_path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_pair_is_made_once_and_for_its_owner_alone(umask):
    before = os.umask(umask)
    try:
        made = kept.pair_or_new(kept.ID)
        kept.change_authorized(lambda _: "# nobody\n")
        kept.remember("tcp://a:5555", KEY)
    finally:
        os.umask(before)
    assert kept.pair_or_new(kept.ID) == made
    assert kept.pair_or_new(kept.HOST) != made
    assert mode(kept.folder()) == 0o700
    assert {mode(each) for each in kept.folder().iterdir()} == {0o600}
    assert made.secret not in repr(made)


def test_without_files_there_is_no_pair_nobody_may_come_in_and_no_host_is_known():
    assert kept.pair(kept.ID) is None
    assert kept.people() == authorized.Authorized()
    assert kept.known_key("tcp://a:5555") is None


@pytest.mark.parametrize("name", ["id", "authorized_keys", "known_hosts"])
def test_a_file_that_others_may_read_a_link_or_a_second_name_is_refused(name, home):
    kept.pair_or_new(kept.ID)
    kept.change_authorized(lambda _: "")
    kept.remember("tcp://a:5555", KEY)
    path = kept.folder() / name

    def refused():
        with pytest.raises(RefusedPath) as error:
            {"id": lambda: kept.pair("id"), "authorized_keys": kept.people}.get(
                name, lambda: kept.known_key("tcp://a:5555")
            )()
        assert str(path) in error.value.what
        assert error.value.remedy

    path.chmod(0o640)
    refused()
    path.chmod(0o600)
    os.link(path, home / "second")
    refused()
    (home / "second").unlink()
    path.rename(home / "moved")
    path.symlink_to(home / "moved")
    refused()
    path.unlink()
    os.mkfifo(path, 0o600)
    refused()


def test_a_folder_that_others_may_enter_or_could_replace_is_refused(home):
    kept.pair_or_new(kept.ID)
    kept.folder().chmod(0o750)
    with pytest.raises(RefusedPath, match="open to others"):
        kept.pair(kept.ID)
    kept.folder().chmod(0o700)
    home.chmod(0o777)
    with pytest.raises(RefusedPath, match="others may write"):
        kept.pair(kept.ID)
    home.chmod(0o1777)  # sticky, as /tmp
    assert kept.pair(kept.ID)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give folders away")
def test_a_group_may_write_above_it_if_nobody_else_is_in_it(home):
    kept.pair_or_new(kept.ID)
    home.chmod(0o775)  # as with a umask of 002; our group is our own
    assert kept.pair(kept.ID)
    os.chown(home, -1, 1234)
    with pytest.raises(RefusedPath, match="others may write"):
        kept.pair(kept.ID)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused():
    kept.pair_or_new(kept.ID)
    os.chown(kept.folder() / "id", 1234, -1)
    with pytest.raises(RefusedPath, match="belongs to user 1234"):
        kept.pair(kept.ID)


@pytest.mark.parametrize("content", [b"", b"no keys\n", b"\xff\n", f"curve:{KEY}\n{OTHER}\n".encode()])
def test_what_is_no_pair_is_not_used(content):
    made = kept.pair_or_new(kept.ID)
    (kept.folder() / "id").write_bytes(content)
    with pytest.raises(KeysError) as error:
        kept.pair_or_new(kept.ID)
    assert made.secret not in error.value.what
    assert error.value.remedy


def test_a_host_keeps_the_key_it_was_first_known_by():
    kept.remember("tcp://a:5555", KEY)
    kept.remember("tcp://b:5555", OTHER)
    kept.remember("tcp://a:5555", OTHER)
    assert kept.known_key("tcp://a:5555") == known.Known(KEY, 1)
    assert kept.known_key("tcp://b:5555") == known.Known(OTHER, 2)
    assert kept.known_key("tcp://c:5555") is None


def at_once(many, do):
    """What `do(0)` … give, begun in the same moment."""
    begin = threading.Barrier(many)

    def one(number):
        begin.wait()
        return do(number)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def test_who_changes_a_file_at_the_same_time_loses_nothing_of_the_others():
    at_once(8, lambda number: kept.remember(f"tcp://a:{number}", KEY))
    assert all(kept.known_key(f"tcp://a:{number}") for number in range(8))
    at_once(8, lambda number: kept.change_authorized(lambda before: f"{before}# {number}\n"))
    assert sorted(kept.authorized_text().split()) == sorted("#" * 8 + "01234567")


def test_two_first_starts_at_the_same_time_make_one_pair():
    assert len(set(at_once(8, lambda _: kept.pair_or_new(kept.ID)))) == 1
