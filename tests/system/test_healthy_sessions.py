"""A session that never crashes must not notice that it could: standbys harm nobody.

The first part are the six ways in which a naive frozen fork breaks a live session; the rest is what people do
across cells. Everything here is plain Python that also works in ipykernel.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from kit.gate import Gate
from kit.kernel import Kernel, only_holdfast, running
from kit.wire import Client

PAUSES = 3
"""Idle moments between the cells of a scenario: each is a chance to fork, and to do harm."""


def idle_moments(client: Client) -> None:
    """Cells that do nothing, each with its own idle after it."""
    for _ in range(PAUSES):
        client.do("pass")


def play(client: Client, *cells: str) -> str:
    """Run cells with idle moments between them; return what the last one printed."""
    for code in cells[:-1]:
        client.do(textwrap.dedent(code))
        idle_moments(client)
    return client.do(textwrap.dedent(cells[-1])).text()


# --- the six ways of a naive fork


def test_a_child_sees_the_end_of_a_pipe_that_a_later_cell_closes(client: Client) -> None:
    told = play(
        client,
        "import subprocess; cat = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)",
        "cat.stdin.write(b'over'); cat.stdin.flush()",
        "cat.stdin.close(); print(cat.stdout.read(), cat.wait())",
    )
    assert told == "b'over' 0\n"


def test_a_closed_port_can_be_bound_again(client: Client) -> None:
    told = play(
        client,
        # At an address of its own: who connects elsewhere meanwhile is not given this port there.
        "import socket; server = socket.create_server(('127.0.0.47', 0)); address = server.getsockname()",
        "server.close()",
        "plain = socket.socket(); plain.bind(address); plain.listen(); print(plain.getsockname() == address)",
    )
    assert told == "True\n"


def test_a_peer_sees_the_end_of_a_connection_that_a_later_cell_closes(client: Client) -> None:
    told = play(
        client,
        "import socket; ours, theirs = socket.socketpair(); server = socket.create_server(('127.0.0.1', 0))",
        "near = socket.create_connection(server.getsockname()); far, _ = server.accept()",
        "near.close(); ours.close()",
        "far.settimeout(10); theirs.settimeout(10); print(far.recv(1), theirs.recv(1))",
    )
    assert told == "b'' b''\n"


def test_a_file_lock_goes_with_its_file(client: Client) -> None:
    told = play(
        client,
        "import fcntl; locked = open('lock', 'w'); fcntl.flock(locked, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "locked.close()",
        "again = open('lock', 'w'); fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB); print('locked')",
    )
    assert told == "locked\n"


CHILDREN = """
def children():
    import glob
    return {int(pid) for path in glob.glob('/proc/self/task/*/children') for pid in open(path).read().split()}
"""


def test_waiting_for_any_child_finds_only_the_users_own(client: Client) -> None:
    told = play(
        client,
        "import os, subprocess\ntry: print(os.wait())\nexcept ChildProcessError: print('none')",
        "one = subprocess.Popen(['sh', '-c', 'exit 4'])",
        "pid, status = os.wait(); print(pid == one.pid, os.waitstatus_to_exitcode(status))\n"
        "try: print(os.wait())\nexcept ChildProcessError: print('none')",
    )
    assert told == "True 4\nnone\n"


def test_no_child_is_seen_but_the_users_own(client: Client) -> None:
    told = play(
        client,
        "import subprocess" + CHILDREN,
        "print(children())",
        "one = subprocess.Popen(['sleep', '300'])",
        "print(children() == {one.pid}); one.kill(); one.wait()",
        "import signal, os\nprint(children(), signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)",
    )
    assert told == "set() True\n"


def test_files_are_read_on_where_the_last_cell_stopped(client: Client) -> None:
    client.do("open('lines', 'w').writelines(f'line {n}\\n' for n in range(20_000))")
    client.do("text, raw = open('lines'), open('lines', 'rb', 0)")
    for number in range(12):
        assert client.value("text.readline(), raw.read(5)")[0] == f"line {number}\n"
    assert client.value("raw.tell(), sum(1 for _ in text)") == (60, 20_000 - 12)


def test_half_written_files_get_every_byte_once(kernel: Kernel, client: Client) -> None:
    client.do(
        "import csv, os\n"
        "text = open('text', 'w'); appended = open('appended', 'a'); binary = open('binary', 'wb')\n"
        "raw = os.open('raw', os.O_CREAT | os.O_WRONLY); rows = csv.writer(open('rows', 'w', newline=''))"
    )
    for number in range(10):
        client.do(
            f"print('t', {number}, file=text); appended.write('a{number}\\n'); binary.write(b'b{number}')\n"
            f"os.write(raw, b'r{number}'); _ = rows.writerow([{number}, 'x'])"
        )
        idle_moments(client)
    client.do("text.close(); appended.close(); binary.close(); os.close(raw); del rows")
    kernel.shut_down()  # a fork that flushed its copy of a buffer when it ended would show now
    work = kernel.folder / "work"
    assert (work / "text").read_text() == "".join(f"t {n}\n" for n in range(10))
    assert (work / "appended").read_text() == "".join(f"a{n}\n" for n in range(10))
    assert (work / "binary").read_text() == "".join(f"b{n}" for n in range(10))
    assert (work / "raw").read_text() == "".join(f"r{n}" for n in range(10))
    assert (work / "rows").read_bytes() == b"".join(b"%d,x\r\n" % n for n in range(10))


def test_an_epoll_set_is_the_sessions_own(client: Client) -> None:
    told = play(
        client,
        "import os, select; reader, writer = os.pipe(); other, _ = os.pipe(); watched = select.epoll()",
        "watched.register(reader, select.EPOLLIN); watched.register(other, select.EPOLLIN)",
        "watched.unregister(other); os.write(writer, b'x')",
        "print(watched.poll(10) == [(reader, select.EPOLLIN)])",
    )
    assert told == "True\n"


def test_readers_of_the_event_loop_work_across_cells(client: Client) -> None:
    told = play(
        client,
        "import asyncio, os; reader, writer = os.pipe(); heard = asyncio.Queue()\n"
        "loop = asyncio.get_running_loop()\n"
        "loop.add_reader(reader, lambda: heard.put_nowait(os.read(reader, 10)))",
        "os.write(writer, b'one')",
        "print(await asyncio.wait_for(heard.get(), 10), loop.remove_reader(reader))",
        "os.write(writer, b'two'); print(os.read(reader, 10), heard.empty())",
    )
    assert told == "b'two' True\n"


# --- what people do across cells


def test_threads_go_on_between_cells(client: Client) -> None:
    told = play(
        client,
        "import queue, threading; asked, answered = queue.Queue(), queue.Queue()\n"
        "def serve():\n    while (item := asked.get()) is not None: answered.put(item * 2)\n"
        "server = threading.Thread(target=serve, daemon=True); server.start()",
        "for number in range(100): asked.put(number)",
        "print(sum(answered.get(timeout=10) for _ in range(100)), server.is_alive())",
        "asked.put(None); server.join(10); print(server.is_alive())",
    )
    assert told == "False\n"


BUSY_THREADS = {
    "counting": "while not stop.is_set(): sum(range(1000))",
    "logging": "while not stop.is_set(): logging.getLogger('x').warning('again')",
    "allocating": "while not stop.is_set(): [bytearray(n) for n in range(500)]",
    "writing": "file = open('busy', 'w')\n    while not stop.is_set(): print('x', file=file, flush=True)",
    "multiplying": "while not stop.is_set(): matrix @ matrix",
    "importing": "while not stop.is_set(): import json.tool; sys.modules.pop('json.tool')",
}


@pytest.mark.parametrize("body", BUSY_THREADS.values(), ids=BUSY_THREADS.keys())
def test_cells_run_while_a_thread_is_busy(client: Client, body: str) -> None:
    """Forking at the wrong moment would deadlock the live worker (OpenBLAS joins its threads at a fork)."""
    client.do(
        "import io, logging, sys, threading, numpy\n"
        "logging.basicConfig(stream=io.StringIO(), force=True); matrix = numpy.ones((300, 300))\n"
        f"stop = threading.Event()\ndef work():\n    {body}\n"
        "worker = threading.Thread(target=work); worker.start()"
    )
    for number in range(25):
        assert client.value(f"{number} + int(matrix[0] @ matrix[0])") == number + 300
    client.do("stop.set(); worker.join(10); assert not worker.is_alive()")


def test_executors_go_on_between_cells(client: Client) -> None:
    told = play(
        client,
        "from concurrent.futures import ThreadPoolExecutor; executor = ThreadPoolExecutor(3)",
        "futures = [executor.submit(pow, 2, n) for n in range(20)]",
        "print(sum(future.result(10) for future in futures))",
        "print(list(executor.map(str, range(3)))); executor.shutdown()",
    )
    assert told == "['0', '1', '2']\n"


def test_tasks_go_on_between_cells(client: Client) -> None:
    client.do(
        "import asyncio; steps = []\n"
        "async def walk():\n"
        "    for step in range(5): await asyncio.sleep(0.005); steps.append(step)\n"
        "    print('walked', flush=True)\n    return sum(steps)\n"
        "walking = asyncio.create_task(walk())"
    )
    client.until(
        lambda: "walked\n" in "".join(m["content"].get("text", "") for m in client.published), "task's text"
    )
    assert client.do("print(await asyncio.wait_for(walking, 10), steps)").text() == "10 [0, 1, 2, 3, 4]\n"


def test_an_async_server_and_its_client_live_in_different_cells(client: Client) -> None:
    told = play(
        client,
        "import asyncio\n"
        "async def shout(reader, writer):\n"
        "    while line := await reader.readline(): writer.write(line.upper()); await writer.drain()\n"
        "    writer.close()\n"
        "server = await asyncio.start_server(shout, '127.0.0.1', 0)",
        "reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())",
        "writer.write(b'hello\\n'); print(await asyncio.wait_for(reader.readline(), 10))",
        "writer.write(b'again\\n'); print(await asyncio.wait_for(reader.readline(), 10))\n"
        "writer.close(); await writer.wait_closed(); server.close()",
    )
    assert told == "b'AGAIN\\n'\n"


def test_a_pool_of_forked_processes_serves_several_cells(client: Client) -> None:
    told = play(
        client,
        "import multiprocessing, os\ndef square(n): return n * n\n"
        "pool = multiprocessing.get_context('fork').Pool(2)",
        "print(pool.map(square, range(5)))",
        "late = pool.map_async(square, range(5))",
        "print(late.get(10)); pool.close(); pool.join()",
    )
    assert told == "[0, 1, 4, 9, 16]\n"


def test_a_process_executor_serves_several_cells(client: Client) -> None:
    told = play(
        client,
        "import concurrent.futures, multiprocessing\n"
        "fork = multiprocessing.get_context('fork')\n"
        "executor = concurrent.futures.ProcessPoolExecutor(2, mp_context=fork)",
        "print(list(executor.map(abs, [-1, -2])))",
        "print(executor.submit(len, 'four').result(10)); executor.shutdown()",
    )
    assert told == "4\n"


def test_a_crash_in_a_child_process_is_the_childs_own(client: Client) -> None:
    told = play(
        client,
        "import multiprocessing, os; fork = multiprocessing.get_context('fork'); pid = os.getpid()",
        "child = fork.Process(target=os.abort); child.start()",
        "child.join(10); print(child.exitcode, os.getpid() == pid)",
    )
    assert told == "-6 True\n"


def test_what_forked_children_print_arrives(client: Client) -> None:
    client.do("import multiprocessing, os; fork = multiprocessing.get_context('fork')")
    cell = client.start(
        "child = fork.Process(target=print, args=['from the child']); child.start(); child.join(10)"
    )
    client.text(cell, "from the child")
    client.finish(cell)
    cell = client.start(
        "pid = os.fork()\nif not pid: os.write(1, b'raw child'); os._exit(0)\n_ = os.waitpid(pid, 0)"
    )
    client.text(cell, "raw child")
    client.finish(cell)
    assert client.value("child.exitcode") == 0


def test_a_program_is_talked_to_over_many_cells(client: Client) -> None:
    client.do(
        "import subprocess, sys\n"
        "code = 'import sys\\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)\\nsys.exit(7)'\n"
        "talker = subprocess.Popen([sys.executable, '-c', code], text=True, bufsize=1,\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)"
    )
    for word in ("one", "two", "three"):
        client.do(f"_ = talker.stdin.write('{word}\\n')")
        idle_moments(client)
        assert client.value("talker.stdout.readline()") == word[::-1] + "\n"
    assert client.value("talker.poll()  is None") is True
    assert client.value("talker.stdin.close(); talker.wait(10)") == 7


def test_a_finished_child_is_still_there_to_be_waited_for(client: Client) -> None:
    told = play(
        client,
        "import subprocess; short = subprocess.Popen(['sh', '-c', 'exit 9'], stdout=subprocess.PIPE)",
        "short.stdout.read()",
        "print(short.wait(10))",
    )
    assert told == "9\n"


RANDOM = [
    "import random, numpy; random.seed(1); numpy.random.seed(2)",
    "new = numpy.random.default_rng(3); own = random.Random(4)",
    *["print(random.random(), numpy.random.random(), new.random(), own.random())"] * 4,
    "print(random.sample(range(1000), 5), numpy.random.permutation(6), new.integers(1000))",
    *["print(random.gauss(0, 1), numpy.random.normal(), new.normal(), own.choice('abcdef'))"] * 3,
]


def test_seeded_random_numbers_are_those_of_a_plain_python(client: Client) -> None:
    plain = subprocess.run(
        [sys.executable, "-c", "\n".join(RANDOM)], capture_output=True, text=True, check=True
    )
    told = []
    for code in RANDOM:
        told.append(client.do(code).text())
        idle_moments(client)
    assert "".join(told) == plain.stdout


def test_unseeded_random_numbers_differ_from_cell_to_cell(client: Client) -> None:
    client.do("import os, random, uuid")
    draws = [client.value("random.random(), os.urandom(4), uuid.uuid4().hex") for _ in range(5)]
    assert all(len(set(column)) == 5 for column in zip(*draws, strict=True))


def test_a_transaction_is_begun_and_committed_in_different_cells(client: Client) -> None:
    told = play(
        client,
        "import sqlite3; base = sqlite3.connect('base.db')",
        "_ = base.execute('create table t (n)'); base.commit()",
        "_ = base.execute('insert into t values (1)')",
        "_ = base.execute('insert into t values (2)'); base.commit()",
        "print(sqlite3.connect('base.db').execute('select sum(n) from t').fetchall(),\n"
        "    base.execute('pragma integrity_check').fetchall())",
    )
    assert told == "[(3,)] [('ok',)]\n"


def test_memory_shared_with_a_file_is_shared(client: Client) -> None:
    told = play(
        client,
        "import numpy; mapped = numpy.memmap('mapped', dtype='u1', mode='w+', shape=10)",
        "mapped[:] = range(10)",
        "mapped.flush(); print(list(open('mapped', 'rb').read()) == list(range(10)))",
    )
    assert told == "True\n"


def test_a_timer_that_one_cell_sets_rings_in_another(client: Client) -> None:
    told = play(
        client,
        "import signal, time; rung = []; signal.signal(signal.SIGALRM, lambda *_: rung.append(1))",
        "signal.setitimer(signal.ITIMER_REAL, 0.05)",
        "end = time.monotonic() + 10\nwhile not rung and time.monotonic() < end: pass\nprint(rung)",
    )
    assert told == "[1]\n"


def test_a_temporary_folder_lives_until_the_session_ends_and_no_longer(
    kernel: Kernel, client: Client
) -> None:
    path = Path(client.value("import tempfile; place = tempfile.TemporaryDirectory(dir='.'); place.name"))
    place = kernel.folder / "work" / path.name
    idle_moments(client)
    assert place.is_dir()
    kernel.shut_down()
    assert not place.exists()


def test_exit_handlers_run_once(kernel: Kernel, client: Client) -> None:
    client.do("import atexit, os; file = os.open('ends', os.O_CREAT | os.O_WRONLY | os.O_APPEND)")
    client.do("_ = atexit.register(os.write, file, b'bye\\n')")
    idle_moments(client)
    kernel.shut_down()
    assert (kernel.folder / "work" / "ends").read_text() == "bye\n"


def test_the_process_is_the_same_from_cell_to_cell(client: Client) -> None:
    facts = "os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0), os.getcwd(), threading.active_count()"
    client.do("import os, threading; os.mkdir('deeper'); os.chdir('deeper')")
    first = client.value(facts)
    idle_moments(client)
    assert client.value(facts) == first


@only_holdfast
def test_cells_have_the_users_limit_of_open_files_and_the_supervisor_all_it_may() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = soft // 2
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
        client = stack.enter_context(running()).client()
        assert client.value("import resource; resource.getrlimit(resource.RLIMIT_NOFILE)") == (low, hard)
        supervisor = client.ask("holdfast_info_request", {}, "control")["pid"]
        assert resource.prlimit(supervisor, resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)


@only_holdfast
def test_a_fresh_worker_has_one_thread(client: Client) -> None:
    assert client.value("import os; os.listdir('/proc/self/task') == [str(os.getpid())]") is True


def test_descriptors_do_not_pile_up(client: Client) -> None:
    client.do("import os; file = open('kept', 'w'); reader, writer = os.pipe()")
    idle_moments(client)
    before = client.value("len(os.listdir('/proc/self/fd'))")
    for _ in range(5):
        idle_moments(client)
    after = client.value("len(os.listdir('/proc/self/fd'))")
    assert after < before + PAUSES, "one for each idle moment would be a leak; a library's own few are none"


CHANGES: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "environment": ("os.environ['HELD'] = 'yes'", "os.environ['HELD']", lambda told: told == "yes"),
    "mask": ("_ = os.umask(0o027)", "oct(os.umask(0o022))", lambda told: told == "0o27"),
    "recursion limit": (
        "sys.setrecursionlimit(5000)",
        "sys.getrecursionlimit()",
        lambda told: told == "5000",
    ),
    "signal handler": (
        "def handler(*_): pass\n_ = signal.signal(signal.SIGUSR2, handler)",
        "signal.getsignal(signal.SIGUSR2) is handler",
        lambda told: told == "True",
    ),
    "context variable": (
        "import contextvars; held = contextvars.ContextVar('held'); _ = held.set('v')",
        "held.get()",
        lambda told: told == "v",
    ),
    "garbage": ("import gc; _ = gc.collect()", "gc.isenabled()", lambda told: told == "True"),
}


@pytest.mark.parametrize(("change", "look", "right"), CHANGES.values(), ids=CHANGES.keys())
def test_what_a_cell_sets_stays_set(
    client: Client, change: str, look: str, right: Callable[[str], bool]
) -> None:
    assert right(play(client, "import os, signal, sys\n" + change, f"print({look})").strip())


def test_a_cell_that_waits_is_not_disturbed_by_another_client(
    kernel: Kernel, client: Client, folder: Path
) -> None:
    other = kernel.client("other")
    gate = Gate(folder / "gate")
    waiting = client.start(f"print('here', flush=True); _ = {gate.wait}; print('through')")
    client.text(waiting, "here")
    queued = other.start("print('after')")
    gate.open()
    assert client.finish(waiting).text() == "here\nthrough\n"
    assert other.finish(queued).text() == "after\n"
