"""What a woken copy says of the user's variables: real forks, in an interpreter for each test."""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.sharedctypes import RawArray
from pathlib import Path

from holdfast.link.messages import SHARED_MEMORY, Child, LeftBehind
from holdfast.worker.standby.lost import left_behind
from kit.alone import alone
from kit.copies import Copy


def _left(**namespace: object) -> LeftBehind:
    """What a copy of this process has not."""
    return Copy(lambda private: left_behind(namespace, private)).wake()


def _lost(**namespace: object) -> list[tuple[str, str]]:
    """What did not come along, by the names it is told."""
    return [(each.name, each.what) for each in _left(**namespace).not_restored]


@alone
def test_nothing_is_lost_of_plain_values_and_open_files(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert _lost(x=1, text="t", data=[1, {2: 3}], file=file, pair=socket.socketpair()) == []


@alone
def test_a_connection_is_named_by_its_variable_and_its_other_side(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        port = server.getsockname()[1]
        assert _lost(_=client, server=server, client=client) == [
            ("server", f"listening socket (127.0.0.1:{port})"),
            ("client", f"open socket (127.0.0.1:{port})"),
        ]


@alone
def test_things_in_lists_and_dicts_are_named_by_their_place(tmp_path: Path) -> None:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    found = _lost(pool=[None, servers[0]], by_name={"main": servers[1]}, nested=[[servers]])
    assert [name for name, _ in found] == ["pool[1]", "by_name['main']"]
    for server in servers:
        server.close()


@alone
def test_what_no_variable_holds_is_told_without_a_name(tmp_path: Path) -> None:
    number = os.open(tmp_path / "raw", os.O_RDWR | os.O_CREAT)
    assert _lost() == [("", f"file written by native code ({tmp_path / 'raw'})")]
    os.close(number)


@alone
def test_a_running_child_is_named_once_and_its_pipes_with_it(tmp_path: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert _left(child=child) == LeftBehind(children=[Child(child.pid, "cat", "child")])


@alone
def test_a_child_that_has_ended_is_not_lost(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
        assert _left(child=child) == LeftBehind()


@alone
def test_memory_that_others_share_is_named_by_its_variable_and_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(4096))
    with (tmp_path / "file").open("r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        private, nameless = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE), mmap.mmap(-1, 4096)
        found = _left(view=view, private=private).not_rolled_back
    assert {(each.kind, each.name, each.what) for each in found} == {
        (SHARED_MEMORY, "view", f"memory shared with {tmp_path / 'file'}"),
        (SHARED_MEMORY, "", "memory shared with child processes"),
    }
    nameless.close()


@alone
def test_arrays_that_lie_in_shared_memory_are_named(tmp_path: Path) -> None:
    import numpy as np

    mapped = np.memmap(tmp_path / "array", "u1", "w+", shape=10)
    segment = SharedMemory(create=True, size=100)
    array = np.ndarray(100, "u1", segment.buf)
    counter = RawArray("i", 3)
    named = {
        each.name: each.what
        for each in _left(mapped=mapped, segment=segment, array=array, counter=counter).not_rolled_back
    }
    assert named["mapped"] == f"memory shared with {tmp_path / 'array'}"
    assert named["segment"] == f"shared memory {segment.name}"
    assert "counter" in named, named
    del array
    segment.close()
    segment.unlink()


@alone
def test_a_database_connection_is_named_by_its_file_and_one_in_memory_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with (
        contextlib.closing(sqlite3.connect(path)) as stored,
        contextlib.closing(sqlite3.connect(":memory:")) as in_memory,
    ):
        stored.execute("CREATE TABLE t(x)")
        assert ("stored", f"database connection ({path})") in _lost(stored=stored, in_memory=in_memory)
        assert "in_memory" not in dict(_lost(in_memory=in_memory))


@alone
def test_threads_are_named_by_variable_or_by_their_own_name(tmp_path: Path) -> None:
    end = threading.Event()
    threads = [threading.Thread(target=end.wait, name=name) for name in ("ticker", "hidden")]
    for each in threads:
        each.start()
    assert _lost(ticker=threads[0]) == [("ticker", "thread ticker"), ("", "thread hidden")]
    end.set()


@alone
def test_a_used_thread_pool_is_lost_and_an_unused_one_is_not(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as used, ThreadPoolExecutor(1) as unused:
        used.submit(int).result()
        assert _lost(used=used, unused=unused) == [("used", "thread pool")]


@alone
def test_a_pool_of_processes_is_lost(tmp_path: Path) -> None:
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = _lost(pool=pool)
        assert found[0] == ("pool", "process pool")
        assert not any("thread" in what for _, what in found)


class _Hostile:
    """An object of the user's whose every answer is an error."""

    def fileno(self) -> int:
        raise RuntimeError

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


@alone
def test_objects_that_err_when_looked_at_do_no_harm(tmp_path: Path) -> None:
    number = os.open(tmp_path / "raw", os.O_RDWR | os.O_CREAT)
    closed = socket.socket()
    closed.close()
    loop: list[object] = []
    loop.append(loop)
    found = _lost(hostile=_Hostile(), closed=closed, kind=socket.socket, loop=loop, module=sys)
    assert [name for name, _ in found] == [""]
    os.close(number)


@alone
def test_what_can_not_be_looked_at_hides_nothing_else(tmp_path: Path) -> None:
    class Strange:
        __module__ = None  # type: ignore[assignment]

        def fileno(self) -> int:
            return 0

    with socket.create_server(("127.0.0.1", 0)) as server:
        namespace: dict[object, object] = {0: server, "a": Strange(), "server": server}
        left = Copy(lambda private: left_behind(namespace, private)).wake()  # type: ignore[arg-type]
        assert [each.name for each in left.not_restored] == ["server"]
