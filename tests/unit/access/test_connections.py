"""Who is connected to a port of ours, as the system tells; who is hung up on, and who is not heard at all."""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import zmq

from holdfast import listening
from holdfast.access.connections import Connection, hang_up, held
from holdfast.access.turnaway import turn_away
from kit.abroad import knock, new_keys
from kit.deadline import Deadline

SECONDS = 10.0
QUIET_SECONDS = 0.3


@contextmanager
def door() -> Iterator[tuple[frozenset[int], dict[str, object]]]:
    """A socket of libzmq's with Curve, at which all who have a key come in: its port, and the way there."""
    server, client = new_keys(), new_keys()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as opened:
        opened.linger = 0
        opened.curve_secretkey = server.secret.encode()
        opened.curve_publickey = server.public.encode()
        opened.curve_server = True
        port = opened.bind_to_random_port("tcp://127.0.0.1")
        info: dict[str, object] = {"ip": "127.0.0.1", "control_port": port, "curve_serverkey": server.public}
        yield frozenset([port]), info | {"curve_publickey": client.public, "curve_secretkey": client.secret}


def until_held(ports: frozenset[int], count: int) -> list[Connection]:
    """As many as there should be: libzmq accepts in a thread of its own."""
    deadline = Deadline(SECONDS)
    while len(found := held(ports)) != count:
        assert not deadline.passed, found
    return found


def test_who_is_let_in_is_told_from_who_is_not() -> None:
    with door() as (ports, info), zmq.Context() as context, context.socket(zmq.DEALER) as guest:
        guest.linger = 0
        for name in ("serverkey", "publickey", "secretkey"):
            setattr(guest, f"curve_{name}", str(info[f"curve_{name}"]).encode())
        guest.connect(f"tcp://127.0.0.1:{min(ports)}")
        deadline = Deadline(SECONDS)
        while [each.let_in for each in held(ports)] != [True]:
            assert not deadline.passed
        with socket.create_connection(("127.0.0.1", min(ports))) as stranger:
            found = until_held(ports, 2)
            assert {each.port: each.let_in for each in found}[stranger.getsockname()[1]] is False


def test_what_somebody_has_brought_is_counted_read_or_not() -> None:
    with door() as (ports, _), socket.create_connection(("127.0.0.1", min(ports))) as stranger:
        stranger.sendall(b"\xff" * 9)
        deadline = Deadline(SECONDS)
        while [each.received for each in held(ports)] != [9]:
            assert not deadline.passed


def test_who_is_hung_up_on_hears_it_and_nobody_else_does() -> None:
    with door() as (ports, info), ExitStack() as opened:
        one, other = (opened.enter_context(socket.create_connection(("127.0.0.1", min(ports)))) for _ in "ab")
        wanted = {each.port: each for each in until_held(ports, 2)}[one.getsockname()[1]]
        hang_up(wanted, ports)
        one.settimeout(SECONDS)
        while one.recv(4096):  # its greeting, and then the end
            pass
        assert [each.port for each in until_held(ports, 1)] == [other.getsockname()[1]]
        hang_up(
            wanted._replace(descriptor=until_held(ports, 1)[0].descriptor), ports
        )  # that number is another's
        assert knock(info) == "SUCCEEDED"
        assert len(held(ports)) >= 1


def test_what_is_looked_at_keeps_its_locks(tmp_path: Path) -> None:
    with door() as (ports, _), (tmp_path / "locked").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        held(ports)
        pid = os.fork()
        if pid == 0:
            try:
                with (tmp_path / "locked").open("w") as again:
                    fcntl.lockf(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_where_no_descriptor_is_left_people_are_hung_up_on_all_the_same() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with door() as (ports, _), socket.create_connection(("127.0.0.1", min(ports))) as stranger:
        until_held(ports, 1)
        highest = max(map(int, os.listdir("/proc/self/fd")))
        with ExitStack() as taken:
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
            try:
                with suppress(OSError):
                    while True:
                        taken.callback(os.close, os.dup(0))
                with pytest.raises(OSError, match="Too many open files"):
                    os.dup(0)
                (found,) = held(ports)
                hang_up(found, ports)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        stranger.settimeout(SECONDS)
        while stranger.recv(4096):
            pass


def comes(port: int, address: str, host: str = "127.0.0.1") -> bool:
    """Whether somebody from there is heard."""
    try:
        source = (address, 0)
        socket.create_connection((host, port), QUIET_SECONDS, source_address=source).close()
    except TimeoutError:
        return False
    return True


def test_who_is_turned_away_is_not_heard_others_are_and_who_is_there_stays() -> None:
    with listening.tcp("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        before = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.5", 0))
        turn_away(sock, ["10.0.0.1", "2001:db8::/64", "127.0.0.5"])
        assert not comes(port, "127.0.0.5")
        assert comes(port, "127.0.0.6")
        accepted, _ = sock.accept()
        before.send(b"still here")
        accepted.settimeout(SECONDS)
        assert accepted.recv(100) == b"still here"
        turn_away(sock, [])
        assert comes(port, "127.0.0.5")
        for each in (before, accepted):
            each.close()


def test_a_network_is_turned_away_by_its_first_64_bits() -> None:
    try:
        sock = listening.tcp("::1", 0)
    except OSError:
        pytest.skip("this host has no IPv6")
    with sock:
        port = sock.getsockname()[1]
        turn_away(sock, ["2001:db8::/64", "127.0.0.1", "0:0:0:1::/64"])
        assert comes(port, "::1", "::1")
        turn_away(sock, [*(f"2001:db8:0:{number:x}::/64" for number in range(63)), "::/64"])
        assert not comes(port, "::1", "::1")


def test_looking_while_people_come_and_go_fails_for_nobody() -> None:
    with door() as (ports, _):
        over = threading.Event()

        def come_and_go() -> None:
            while not over.is_set():
                socket.create_connection(("127.0.0.1", min(ports))).close()

        coming = threading.Thread(target=come_and_go)
        coming.start()
        for _ in range(300):
            for each in held(ports):
                hang_up(each, ports)
        over.set()
        coming.join()
