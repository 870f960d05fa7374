"""Kinds 34 to 37, 45, 46, 48 to 50: descriptors run out, are taken away, or hold what memory does not."""

from __future__ import annotations

import http.server
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from faults.deaths import SEGFAULT
from faults.held import descriptors
from faults.kind import Kind, Level
from faults.scene import MESS, Scene
from kit.deadline import Deadline
from kit.processes import wait_for_end
from kit.wire import Cell, Client

_FILL = """
def fill():
    import os, resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    try:
        while True: held.append(os.dup(0))
    except OSError as error:
        return held, error
full, why = fill()
"""
_EMPTY = """
def empty():
    import os, resource
    for each in full: os.close(each)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, limits[1]), limits[1]))
empty()
del full, fill, why, empty
"""


def worker_full(scene: Scene) -> None:
    """Not one descriptor is left: cells run on, a crash costs at most what is said, and it can be mended."""
    scene.client.do(_FILL)
    assert scene.client.value("why.errno") == 24
    scene.client.do(_EMPTY)
    scene.rest()


def supervisor_full(scene: Scene) -> None:
    """More come than there are descriptors for: libzmq ends the supervisor, and another one takes over."""
    supervisor = scene.family.supervisor
    limits = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (len(descriptors(supervisor)) + 20, limits[1]))
    crowd = [scene.things.enter_context(closing(Client(scene.kernel.info))) for _ in range(10)]
    assert wait_for_end(supervisor, Deadline(scene.kind.within))
    assert scene.client.value("6 * 7") == 42
    for client in crowd:
        client.close()
    scene.client.do("None")
    newcomer = scene.kernel.client("newcomer")
    assert newcomer.value("6 * 7") == 42
    newcomer.close()


def response_of_another_cell(scene: Scene) -> Cell:
    """The cell asks a server and dies before it has read: the next question gets its own answer."""
    with _server() as port:
        scene.client.do(
            f"import http.client; line = http.client.HTTPConnection('127.0.0.1', {port}, timeout=5)\n"
            "line.request('GET', '/first'); first = line.getresponse().read()"
        )
        cell = scene.client.run(MESS + f"line.request('GET', '/secret')\n{SEGFAULT}")
        code = "line.request('GET', '/second'); print(line.getresponse().read().decode())"
        for _ in range(2):  # the first may learn that the connection is gone
            again = scene.client.run(code)
            if again.status == "ok":
                break
            assert again.error["ename"] != "TimeoutError"
            scene.client.do("line.close()")
        assert again.text() == "/second\n"
        scene.client.do("line.close(); del line, first, http")
    return cell


@contextmanager
def _server() -> Iterator[int]:
    """Answers with the path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that dies is what it is for."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def committed_after_the_freeze(scene: Scene) -> Cell:
    """A transaction is open when the state is put to sleep, and is committed by the cell that dies."""
    number = scene.kept["databases"] = scene.kept.get("databases", 0) + 1
    file = f"rows-{number}.db"
    scene.client.do(
        f"import sqlite3; database = sqlite3.connect({file!r}); database.execute('create table rows (n)')\n"
        "database.commit(); _ = database.execute('insert into rows values (1)')"
    )
    scene.rest()
    cell = scene.client.run(MESS + f"database.commit()\n{SEGFAULT}")
    assert "database" in cell.notice
    assert scene.client.run("database.commit()").status == "error"
    with closing(sqlite3.connect(scene.folder / file)) as outside:
        assert outside.execute("select n from rows").fetchall() == [(1,)]
        assert outside.execute("pragma integrity_check").fetchall() == [("ok",)]
    scene.client.do("database.close(); del database, sqlite3")
    return cell


def appended(scene: Scene) -> Cell:
    """What the cell wrote stays; what is written next comes after it."""
    number = scene.kept["lines"] = scene.kept.get("lines", 0) + 1
    scene.client.do("log = open('log.txt', 'a')")
    cell = scene.client.run(MESS + f"log.write('lost {number}\\n'); log.flush()\n{SEGFAULT}")
    scene.client.do(f"log.write('kept {number}\\n'); log.close(); del log")
    lines = "".join(f"lost {n + 1}\nkept {n + 1}\n" for n in range(number))
    assert (scene.folder / "log.txt").read_text() == lines
    return cell


def inherited(scene: Scene) -> Cell:
    """The standard descriptors lead elsewhere: output of C code is lost, nothing else."""
    return scene.client.run(
        "def redirect():\n"
        "    import os\n"
        "    kept = os.dup(1), os.dup(2); null = os.open('/dev/null', os.O_WRONLY)\n"
        "    os.dup2(null, 1); os.dup2(null, 2); print('heard'); os.system('echo lost')\n"
        "    for each, number in zip(kept, (1, 2)): os.dup2(each, number); os.close(each)\n"
        "    os.close(null)\n"
        "redirect(); del redirect"
    )


_LOOP = """
import asyncio, socket
here, there = socket.socketpair()
here.setblocking(False); there.setblocking(False)
heard = []
loop = asyncio.get_running_loop()
loop.add_reader(there, lambda: heard.append(there.recv(100)))
bell = asyncio.Event()
waiting = asyncio.create_task(bell.wait())
"""


def reader_removed(scene: Scene) -> Cell:
    """The cell takes a reader off the loop, cancels a task, and dies: both are there again."""
    cell = scene.client.run(MESS + f"loop.remove_reader(there); waiting.cancel()\n{SEGFAULT}")
    assert scene.client.value("waiting.done()") is False
    scene.client.do("_ = here.send(b'hello')\nwhile not heard: await asyncio.sleep(0.01)")
    assert scene.client.value("heard.pop()") == b"hello"
    return cell


_SHARED = """
import mmap
file = open("shared.bin", "w+b"); file.truncate(4096)
shared_view = mmap.mmap(file.fileno(), 4096)
private_view = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE)
"""


def shared_mapping(scene: Scene) -> Cell:
    """What the cell wrote to memory that is shared with others stays written; what is private does not."""
    cell = scene.client.run(MESS + f"shared_view[:3] = b'bad'; private_view[:3] = b'bad'\n{SEGFAULT}")
    assert scene.client.value("shared_view[:3], private_view[:3]") == (b"bad", b"\0\0\0")
    return cell


KINDS = [
    Kind(34, "worker's descriptors used up", worker_full, Level.GOES_ON),
    Kind(
        35,
        "supervisor's descriptors used up",
        supervisor_full,
        Level.GOES_ON,
        rounds=1,
        within=20,
    ),
    Kind(
        36,
        "every descriptor closed",
        "import os; os.closerange(3, 9999)\nwhile True: pass",
        cause="connection",
    ),
    Kind(37, "standard descriptors overwritten", inherited, Level.GOES_ON),
    Kind(
        37,
        "every descriptor overwritten",
        "import os\nnull = os.open('/dev/null', os.O_RDWR)\n"
        "for number in range(3, 500): os.dup2(null, number)\nwhile True: pass",
        cause="connection",
    ),
    Kind(45, "response to a dead cell's request", response_of_another_cell, cause="SIGSEGV"),
    Kind(46, "transaction open at the freeze", committed_after_the_freeze, cause="SIGSEGV"),
    Kind(
        48,
        "shared mapping written",
        shared_mapping,
        setup=_SHARED,
        cause="SIGSEGV",
        lost=["shared_view"],
    ),
    Kind(49, "file appended", appended, cause="SIGSEGV"),
    Kind(50, "tasks and readers", reader_removed, setup=_LOOP, cause="SIGSEGV"),
]
