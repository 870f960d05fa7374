"""A connection file may ask for what can't be: that is an error in words, and nothing stays open."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from holdfast import settings
from holdfast.access.sockets import Sockets
from holdfast.errors import ConnectionFileError
from holdfast.protocol import connection
from holdfast.protocol.connection import ConnectionInfo
from kit.kernel import scratch


def _missing(folder: Path) -> ConnectionInfo:
    return ConnectionInfo(transport="ipc", ip=str(folder / "none" / "door"), key="k")


def _loop(folder: Path) -> ConnectionInfo:
    (folder / "one").symlink_to(folder / "two")
    (folder / "two").symlink_to(folder / "one")
    return ConnectionInfo(transport="ipc", ip=str(folder / "one" / "door"), key="k")


def _no_key(_: Path) -> ConnectionInfo:
    return ConnectionInfo(key="k", curve_publickey="#" * 40, curve_secretkey="#" * 40)


def test_a_door_without_a_key_is_opened_by_nobody(tmp_path: Path) -> None:
    with zmq.Context() as context, pytest.raises(ConnectionFileError, match="anybody could run code"):
        Sockets(tmp_path / "door.json", ConnectionInfo(key=""), context, settings.Wire())


@pytest.mark.parametrize("asked", [_missing, _loop, _no_key])
def test_what_can_not_be_opened_is_refused_in_words(asked: Callable[[Path], ConnectionInfo]) -> None:
    with scratch() as folder, zmq.Context() as context:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ConnectionFileError, match="can't open"):
            Sockets(folder / "door.json", asked(folder), context, settings.Wire())
        context.term()
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_socket_that_can_not_be_mended_now_can_be_later() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with scratch() as folder, zmq.Context() as context:
        file = folder / "door.json"
        opened = Sockets(file, connection.new_ipc(folder / "door"), context, settings.Wire())
        gone = folder / "door-1"
        gone.unlink()
        resource.setrlimit(resource.RLIMIT_NOFILE, (_least_free(), hard))
        try:
            with pytest.raises(ConnectionFileError, match="Too many open files"):
                opened.mend()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        opened.mend()
        assert gone.is_socket()
        opened.close()


def _least_free() -> int:
    free = os.dup(0)
    os.close(free)
    return free
