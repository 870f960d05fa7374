"""A sleeping copy harms nobody and a woken one goes on: real forks, in an interpreter for each test."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import random
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from holdfast.worker.standby.privatise import Private, make_private, wake
from holdfast.worker.standby.survey import survey
from kit.alone import alone
from kit.copies import STANDARD, Copy


def kinds(private: Private) -> list[str]:
    return [each.kind for each in private.severed]


# While the copy sleeps, the live worker does not feel it


@alone
def test_a_closed_pipe_ends_for_a_child_although_a_copy_sleeps(tmp_path: Path) -> None:
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    copy = Copy(kinds)
    assert cat.stdin
    assert cat.stdout
    cat.stdin.write(b"all")
    cat.stdin.close()
    assert cat.stdout.read() == b"all"
    cat.wait()
    assert copy.wake() == ["pipe to another process"] * 2


@alone
def test_the_port_of_a_closed_server_is_free_although_a_copy_sleeps(tmp_path: Path) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    copy = Copy(lambda private: private.severed)
    server.close()
    with socket.socket() as again:  # without SO_REUSEADDR, which would hide the copy's hold
        again.bind(("127.0.0.1", port))
        again.listen()
    ((_, kind, target),) = copy.wake()
    assert (kind, target) == ("listening socket", f"127.0.0.1:{port}")


@alone
def test_a_lock_is_released_by_closing_its_file_although_a_copy_sleeps(tmp_path: Path) -> None:
    locked = (tmp_path / "lock").open("w")
    fcntl.flock(locked, fcntl.LOCK_EX)
    copy = Copy(lambda _: locked.closed)
    locked.close()
    with (tmp_path / "lock").open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert copy.wake() is False


@alone
def test_a_program_just_written_can_be_run_although_a_copy_sleeps(tmp_path: Path) -> None:
    script = tmp_path / "program"
    writing = script.open("w")
    copy = Copy(lambda _: None)
    writing.write("#!/bin/sh\necho ran\n")
    writing.close()
    script.chmod(0o700)
    assert subprocess.check_output([script]) == b"ran\n"  # "text file busy", if the copy had it open
    copy.wake()


@alone
def test_a_connection_ends_for_the_other_side_although_a_copy_sleeps(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        other, _ = server.accept()
        copy = Copy(lambda _: None)
        client.close()
        other.settimeout(10)
        assert other.recv(1) == b""
        other.close()
    copy.drop()


@alone
def test_an_epoll_set_and_an_eventfd_of_the_copy_are_its_own(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    counter = os.eventfd(3)
    ready = select.epoll()
    ready.register(reading, select.EPOLLIN)

    def question(_: Private) -> tuple[list[tuple[int, int]], int]:
        os.write(writing, b"x")
        return ready.poll(5), os.eventfd_read(counter)

    copy = Copy(question)
    ready.unregister(reading)
    assert os.eventfd_read(counter) == 3
    assert copy.wake() == ([(reading, select.EPOLLIN)], 3)
    os.set_blocking(reading, False)
    with pytest.raises(BlockingIOError):  # the copy wrote into a pipe of its own
        os.read(reading, 1)


# Files


@alone
def test_a_reader_goes_on_where_it_was_when_the_copy_was_made(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("".join(f"{i}\n" for i in range(50_000)))
    lines = (tmp_path / "lines").open()
    assert next(lines) == "0\n"
    copy = Copy(lambda _: sum(1 for _ in lines))
    assert sum(1 for _ in lines) == 49_999
    assert copy.wake() == 49_999


@alone
def test_unflushed_text_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "text"
    text = path.open("w")
    text.write("A")

    def question(_: Private) -> None:
        text.write("C")
        text.close()

    copy = Copy(question)
    assert path.read_text() == "A"
    copy.wake()
    assert path.read_text() == "AC"
    text.close()


@alone
def test_what_the_live_worker_appends_is_not_overwritten_by_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = path.open("ab")
    log.write(b"1")

    def question(_: Private) -> None:
        log.write(b"3")
        log.close()

    copy = Copy(question)
    log.write(b"2")
    log.close()
    copy.wake()
    assert path.read_bytes() == b"123"


@alone
def test_a_deleted_temporary_file_is_still_there_in_the_copy(tmp_path: Path) -> None:
    with tempfile.TemporaryFile(dir=tmp_path) as unnamed, (tmp_path / "gone").open("w+b") as unlinked:
        for file in (unnamed, unlinked):
            file.write(b"content")
            file.seek(3)
        (tmp_path / "gone").unlink()
        copy = Copy(lambda _: (unnamed.read(), unlinked.read(), unnamed.write(b"!")))
    assert copy.wake() == (b"tent", b"tent", 1)


@alone
def test_dups_of_a_file_share_one_offset_in_the_copy_too(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        other = os.dup(file.fileno())

        def question(private: Private) -> tuple[int, list[str]]:
            file.write(b"12345")
            return os.lseek(other, 0, os.SEEK_CUR), kinds(private)

        assert Copy(question).wake() == (5, [])


@alone
def test_a_file_found_open_before_is_not_searched_for_again(tmp_path: Path) -> None:
    import gc

    with (tmp_path / "file").open("w") as file:
        first = survey(STANDARD).python_files
        gc.freeze()  # hides the file object from a search
        assert survey(STANDARD).python_files == first == {file.fileno()}
    assert not survey(STANDARD).foreign


@alone
def test_a_full_disk_does_not_keep_the_copy_from_being_made(tmp_path: Path) -> None:
    with contextlib.suppress(OSError), open("/dev/full", "w") as full, (tmp_path / "x").open("w") as file:
        full.write("x")
        file.write("x")
        Copy(lambda _: None).wake()


# Files of native code


def _database(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("CREATE TABLE t(x)")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    return connection


def _transaction_goes_on(path: Path, mode: str) -> None:
    connection = _database(path, mode)

    def question(private: Private) -> tuple[list[str], str]:
        try:
            connection.execute("INSERT INTO t VALUES (4)")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            connection.close()
            return sorted({each.target for each in private.severed}), type(error).__name__
        return [], "no error"

    copy = Copy(question)
    connection.execute("INSERT INTO t VALUES (2)")
    severed, error = copy.wake()
    assert str(path) in severed
    assert error == "OperationalError"
    connection.execute("INSERT INTO t VALUES (3)")
    connection.execute("COMMIT")
    connection.close()
    with contextlib.closing(sqlite3.connect(path)) as fresh:
        assert fresh.execute("SELECT x FROM t").fetchall() == [(1,), (2,), (3,)]
        assert fresh.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@alone
def test_a_copy_of_an_open_transaction_errs_and_damages_nothing(tmp_path: Path) -> None:
    _transaction_goes_on(tmp_path / "db", "delete")


@alone
def test_a_copy_of_an_open_transaction_damages_no_write_ahead_log(tmp_path: Path) -> None:
    _transaction_goes_on(tmp_path / "db", "wal")


# Pipes and sockets


@alone
def test_what_waits_in_pipes_and_pairs_of_our_own_waits_in_the_copy_too(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    one, other = socket.socketpair()
    os.write(writing, b"in the pipe")
    one.sendall(b"in the pair")
    one.shutdown(socket.SHUT_WR)

    def question(private: Private) -> tuple[bytes, bytes, bytes, list[str]]:
        return os.read(reading, 99), other.recv(99), other.recv(99), kinds(private)

    copy = Copy(question)
    assert os.read(reading, 99) == b"in the pipe"
    assert other.recv(99) == b"in the pair"
    assert copy.wake() == (b"in the pipe", b"in the pair", b"", [])


@alone
def test_what_a_finished_child_left_in_its_pipe_can_be_read_in_the_copy(tmp_path: Path) -> None:
    echo = subprocess.Popen(["echo", "done"], stdout=subprocess.PIPE)
    assert echo.wait() == 0
    assert echo.stdout
    copy = Copy(lambda private: (echo.stdout.read(), kinds(private)))  # type: ignore[union-attr]
    assert copy.wake() == (b"done\n", [])
    assert echo.stdout.read() == b"done\n"


@alone
def test_a_severed_connection_says_end_of_file_and_keeps_its_family(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as other,
    ):
        client.settimeout(5)

        def question(private: Private) -> tuple[bytes, str, float | None, list[str]]:
            return client.recv(1), client.getsockname()[0], client.gettimeout(), kinds(private)

        assert Copy(question).wake() == (
            b"", "127.0.0.1", 5.0, ["listening socket", "open socket", "open socket"],
        )  # fmt: skip
        other.sendall(b"x")
        assert client.recv(1) == b"x"


@alone
def test_looking_at_a_socket_does_not_make_it_non_blocking_in_the_live_worker(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        socket.setdefaulttimeout(5)
        Copy(lambda _: None).wake()
        assert os.get_blocking(client.fileno())


@alone
def test_a_socket_that_was_not_used_yet_can_be_used_in_the_copy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as unused:

        def question(private: Private) -> list[str]:
            unused.connect(server_address)
            return kinds(private)

        server_address = server.getsockname()
        copy = Copy(question)
        assert copy.wake() == ["listening socket"]


@alone
def test_asyncio_goes_on_in_the_copy_with_its_readers_and_calls_from_threads(tmp_path: Path) -> None:
    one, other = socket.socketpair()
    server = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    for sock in (one, other, server):
        sock.setblocking(False)
    seen: list[bytes] = []
    arrived = asyncio.Event()

    def receive() -> None:
        seen.append(other.recv(9))
        arrived.set()

    loop.add_reader(other, receive)
    loop.add_reader(server, lambda: seen.append(b"server"))  # a dead end that must not spin
    loop.run_until_complete(asyncio.sleep(0))

    def question(_: Private) -> list[bytes]:
        async def probe() -> None:
            done = asyncio.Event()
            await loop.sock_sendall(one, b"hello")
            await loop.run_in_executor(None, loop.call_soon_threadsafe, done.set)
            await asyncio.wait_for(done.wait(), 10)
            await asyncio.wait_for(arrived.wait(), 10)

        loop.run_until_complete(probe())
        return seen

    copy = Copy(question)
    loop.remove_reader(other)  # neither the removal
    one.send(b"live")  # nor this is the copy's
    assert copy.wake() == [b"hello"]
    loop.remove_reader(server)
    loop.close()


# The rest of a process


@alone
def test_a_timer_is_armed_again_when_the_copy_wakes(tmp_path: Path) -> None:
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 100, 7)
    left, interval = Copy(lambda _: signal.getitimer(signal.ITIMER_REAL)).wake()
    assert 90 < left <= 100
    assert interval == 7


@alone
def test_a_timer_descriptor_goes_off_in_the_copy_too(tmp_path: Path) -> None:
    from holdfast.worker.standby import libc

    timer = libc.timerfd(1)
    libc.timerfd_arm(timer, 1_000_000, 0)
    ready, _, _ = select.select([timer], [], [], 10)
    assert ready
    copy = Copy(lambda private: (len(os.read(timer, 8)), kinds(private)))
    assert len(os.read(timer, 8)) == 8
    assert copy.wake() == (8, [])


@alone
def test_a_terminal_hangs_up_for_its_other_side_although_a_copy_sleeps(tmp_path: Path) -> None:
    outer, inner = pty.openpty()
    copy = Copy(kinds)
    os.close(inner)
    with pytest.raises(OSError, match="Input/output error"):
        os.read(outer, 1)
    assert copy.wake() == ["terminal", "terminal"]


@alone
def test_descriptors_that_are_ours_are_neither_changed_nor_reported(tmp_path: Path) -> None:
    mine, its = socket.socketpair()
    link = frozenset({mine.fileno()})

    def question(private: Private) -> tuple[int, list[str]]:
        mine.sendall(b"still connected")
        return os.fstat(mine.fileno()).st_ino, kinds(private)

    copy = Copy(question, ours=STANDARD | link)
    inode, severed = copy.wake()
    assert inode == os.fstat(mine.fileno()).st_ino
    assert severed == ["socket to another process"]  # the other end, which is not ours here
    assert its.recv(99) == b"still connected"


@alone
def test_what_was_ours_but_is_not_the_copys_is_not_reported(tmp_path: Path) -> None:
    mine, its = socket.socketpair()
    before = survey(STANDARD | {mine.fileno(), its.fileno()})
    assert not before.foreign
    if not (pid := os.fork()):
        private = make_private(before, STANDARD)
        wake(private)
        os._exit(len(private.severed))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Whatever is open


def _any_descriptors(choose: random.Random, folder: Path) -> list[int]:
    """Open something of every kind there is, in any mixture; only numbers, nothing that closes them."""

    def file(flags: int) -> list[int]:
        return [os.open(folder / str(choose.randrange(5)), flags | os.O_CREAT, 0o600)]

    def sockets(*made: socket.socket) -> list[int]:
        return [each.detach() for each in made]

    def nested() -> list[int]:
        outer, inner = os.eventfd(2), os.dup(1)
        sets = [select.epoll() for _ in range(2)]
        numbers = [os.dup(each.fileno()) for each in sets]
        for number in (outer, numbers[0]):
            sets[1].register(number, select.EPOLLIN)
        return [outer, inner, *numbers, os.dup(numbers[1])]

    def listening(family: int) -> list[int]:
        sock = socket.socket(family)
        with contextlib.suppress(OSError):
            sock.listen()
        return sockets(sock)

    makers = [
        lambda: file(os.O_RDONLY),
        lambda: file(os.O_RDWR | os.O_APPEND),
        lambda: file(os.O_WRONLY | os.O_DIRECT),
        lambda: file(os.O_PATH),
        lambda: [os.open(folder, os.O_RDONLY | os.O_DIRECTORY)],
        lambda: [os.open(folder, os.O_RDWR | os.O_TMPFILE)],
        lambda: [os.memfd_create("m")],
        lambda: [os.open("/proc/self/stat", os.O_RDONLY), os.open("/dev/null", os.O_RDWR)],
        lambda: list(os.pipe()),
        lambda: list(os.pipe())[:1],
        lambda: list(pty.openpty()),
        lambda: [os.pidfd_open(os.getpid())],
        lambda: sockets(*socket.socketpair(type=choose.choice([1, 2, 5]))),
        lambda: sockets(socket.socketpair()[0]),
        lambda: sockets(socket.socket(choose.choice([1, 2, 10, 16]), choose.choice([2, 3]))),
        lambda: listening(choose.choice([1, 2, 10])),
        lambda: [os.eventfd(choose.choice([0, 2**31]))],
        nested,
    ]
    made: list[int] = []
    for make in choose.choices(makers, k=choose.randrange(1, 20)):
        with contextlib.suppress(OSError):
            made += make()
    if made:
        made += [os.dup(choose.choice(made)) for _ in range(3)]
        for fd in choose.sample(made, k=len(made) // 5):
            with contextlib.suppress(OSError):
                os.close(fd)
    return made


def _seen(fds: frozenset[int]) -> list[object]:
    """What can be told of descriptors: if one was exchanged, something of it differs.

    A terminal whose other side was closed is the same terminal, although its name says "deleted" then.
    """
    return [
        (
            fd,
            os.readlink(f"/proc/self/fd/{fd}").removesuffix(" (deleted)"),
            os.fstat(fd).st_ino,
            fcntl.fcntl(fd, fcntl.F_GETFL),
            os.get_inheritable(fd),
        )
        for fd in sorted(fds)
    ]


@alone
def test_whatever_is_open_a_copy_can_be_made_and_ours_are_not_touched(tmp_path: Path) -> None:
    for seed in range(60):
        choose = random.Random(seed)
        # A child each, so that what one round opens is gone in the next.
        if pid := os.fork():
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, f"seed {seed}"
            continue
        try:
            made = _any_descriptors(choose, tmp_path)
            still = [fd for fd in made if Path(f"/proc/self/fd/{fd}").exists() or _is_open(fd)]
            ours = STANDARD | frozenset(choose.sample(still, k=len(still) // 4))
            before = _seen(ours)
            numbers = set(still)
            private = make_private(survey(ours), ours)
            assert _seen(ours) == before, "changed while it fell asleep"
            wake(private)
            assert _seen(ours) == before, "changed while it woke"
            assert all(_is_open(fd) for fd in numbers), "a number came free"
            json.dumps(private.severed)
            os._exit(0)
        finally:  # only with an exception on its way
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@alone
def test_numbers_a_library_has_put_into_epoll_beside_its_descriptors_are_kept(tmp_path: Path) -> None:
    from holdfast.worker.standby import libc
    from holdfast.worker.standby.descriptors import fdinfo

    counter, ready = os.eventfd(1), libc.epoll()
    libc.epoll_add(ready, counter, select.EPOLLIN, 0xDEAD_BEEF_CAFE)
    copy = Copy(lambda _: fdinfo(ready))
    assert "deadbeefcafe" in copy.wake()
