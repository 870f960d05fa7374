"""One variable that can't be written costs only itself, and is named, with a reason and what it was."""

from __future__ import annotations

import contextlib

import pytest

from holdfast.checkpoint.words import described
from holdfast.settings import Checkpoint

from .conftest import Disk, reasons, session

HANGS = """
class Hangs:
    def __reduce__(self):
        import threading
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
"""
CRASHES = """
class Crashes:
    def __reduce__(self):
        import os, signal
        os.kill(os.getpid(), signal.SIGSEGV)
"""
LEAVES = """
class Leaves:
    def __reduce__(self):
        import os
        os._exit(0)
"""


def test_others_are_kept_when_some_can_not_be_pickled(disk: Disk) -> None:
    manifest = disk.write(
        session("before = [1]; g = (n for n in before); after = {'k': before}; g2 = iter(g)")
    )
    back = disk.load(manifest).values

    assert reasons(manifest.lost) == {"g": "a generator", "g2": "a generator"}
    assert back["after"] == {"k": [1]}
    assert back["after"]["k"] is back["before"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("x = open('/etc/hosts')", "an open file (/etc/hosts)"),
        ("x = open('/etc/hosts'); x.close()", "a closed file (/etc/hosts)"),
        ("x = [open('/etc/hosts', 'rb')]", "it holds an open file (/etc/hosts)"),
        ("import socket; x = socket.socket(); x.close()", "a socket"),
        ("import threading; x = threading.Thread(name='worker 1')", "a thread (worker 1)"),
        ("from concurrent.futures import *; x = ThreadPoolExecutor()", "a pool of threads or processes"),
        ("from concurrent.futures import *; x = Future()", "a result that is still awaited"),
        ("import sqlite3; x = sqlite3.connect(':memory:')", "a connection"),
        ("import sys\ntry: 1/0\nexcept Exception as e: x = e.__traceback__", "a traceback"),
        ("async def f(): pass\nx = f(); x.close()", "a coroutine"),
        ("x = []\nfor _ in range(100_000): x = [x]", "it is nested too deeply"),
        ("class A:\n def __reduce__(self): {}[0]\nx = A()", "it can't be pickled: KeyError: 0"),
        ("class A:\n def __reduce__(self): raise SystemExit\nx = A()", "it can't be pickled: SystemExit"),
    ],
)  # fmt: skip
def test_the_reason_says_what_it_is(disk: Disk, code: str, reason: str) -> None:
    namespace = session(code)
    manifest = disk.write(namespace)
    with contextlib.suppress(Exception):
        one = namespace["x"]
        (one[0] if isinstance(one, list) else one).close()

    assert reasons(manifest.lost) == {"x": reason}


def test_a_child_process_is_not_written_as_if_it_were_data(disk: Disk) -> None:
    namespace = session("import subprocess; x = subprocess.Popen(['true']); x.wait()")

    assert reasons(disk.write(namespace).lost) == {"x": "a child process"}


def test_a_variable_that_hangs_costs_only_itself(disk: Disk) -> None:
    manifest = disk.write(session(f"{HANGS}\na = 1; h = Hangs(); b = [a]; h2 = {{1: Hangs()}}; c = 3"))

    assert reasons(manifest.lost) == dict.fromkeys(("h", "h2"), "writing it took more than 0.5 s")
    assert disk.load(manifest).values["b"] == [1]


def test_a_variable_that_crashes_costs_only_itself(disk: Disk) -> None:
    manifest = disk.write(
        session(f"{CRASHES}\na = 1; x = Crashes(); b = [a]; y = [Crashes()]; g = iter(i for i in b)")
    )

    assert reasons(manifest.lost) == {
        "x": "writing it crashed the process (SIGSEGV)",
        "y": "writing it crashed the process (SIGSEGV)",
        "g": "a generator",
    }
    assert disk.load(manifest).values["b"] == [1]


def test_a_signal_without_a_name_costs_only_its_variable(disk: Disk) -> None:
    manifest = disk.write(session(f"{CRASHES.replace('signal.SIGSEGV', '40')}\nx = Crashes(); b = 1"))

    assert reasons(manifest.lost) == {"x": "writing it crashed the process (signal 40)"}


def test_a_variable_that_ends_the_process_costs_only_itself(disk: Disk) -> None:
    manifest = disk.write(session(f"{LEAVES}\na = 1; x = Leaves(); b = [a]"))

    assert reasons(manifest.lost) == {"x": "writing it ended the process (exit status 0)"}
    assert disk.load(manifest).values["b"] == [1]


def test_when_time_is_over_what_is_known_to_be_fine_is_written(disk: Disk) -> None:
    limits = Checkpoint(variable_seconds=0.3, total_seconds=0.2)
    manifest = disk.write(session(f"{HANGS}\na = [1]; h = Hangs(); b = 2"), limits)

    assert reasons(manifest.lost) == {
        "h": "writing it took more than 0.3 s",
        "b": "there was no time left for it",
    }
    assert disk.load(manifest).values["a"] == [1]


def test_a_variable_may_be_too_large(disk: Disk) -> None:
    manifest = disk.write({"big": "x" * 200_000, "small": 1}, Checkpoint(variable_bytes=100_000))

    assert reasons(manifest.lost) == {"big": "it takes more than 100 kB"}
    assert disk.load(manifest).values["small"] == 1


def test_a_name_that_is_no_text_is_lost_alone(disk: Disk) -> None:
    manifest = disk.write({"": 1, "\udc80": 2, "x": 3, "größe": 4})

    assert reasons(manifest.lost) == {
        "''": "its name can't be written",
        "'\\udc80'": "its name can't be written",
    }
    assert disk.again({"größe": 4})["größe"] == 4


def test_keys_that_are_no_strings_or_only_derive_from_them_cost_nothing_else(disk: Disk) -> None:
    manifest = disk.write(session("import numpy\nglobals().update({0: 1, numpy.str_('column'): 2}); x = 3"))
    back = disk.load(manifest).values

    assert reasons(manifest.lost) == {"a key of type int": "its name can't be written"}
    assert (back["column"], back["x"]) == (2, 3)


def test_a_reason_that_is_no_text_is_shown_all_the_same(disk: Disk) -> None:
    code = (
        "class A:\n    def __reduce__(self): raise ValueError('\\udc80')\n"
        "    def __repr__(self): return '\\udc80'\nx = A(); y = 1"
    )

    assert reasons(disk.write(session(code)).lost) == {"x": "it can't be pickled: ValueError: ?"}


def test_an_error_that_can_not_be_shown_costs_only_its_variable(disk: Disk) -> None:
    code = (
        "class Sick(Exception):\n    def __str__(self): raise ValueError\n"
        "class A:\n    def __reduce__(self): raise Sick\nx = A(); y = 1"
    )
    manifest = disk.write(session(code))

    assert reasons(manifest.lost) == {"x": "it can't be pickled: Sick"}
    assert disk.load(manifest).values["y"] == 1


def test_what_was_lost_is_shown_shortened(disk: Disk) -> None:
    namespace = session(
        "class Long:\n"
        "    def __repr__(self): return 'long' * 1_000_000\n"
        "    def __reduce__(self): raise ValueError\n"
        "class Sick(Long):\n"
        "    def __repr__(self): raise ValueError\n"
        "class Deadly(Long):\n"
        "    def __repr__(self): import os; os.abort()\n"
        "deadly = Deadly(); long = Long(); sick = Sick(); listed = [sick] * 100_000"
    )
    manifest = disk.write(namespace)
    shown = {each.name: each.last_repr for each in manifest.lost}

    assert shown["deadly"] == ""
    assert shown["long"].startswith("longlong")
    assert all(len(text) <= 120 for text in shown.values())
    assert "Sick" in shown["sick"]


def test_one_line_says_what_is_kept_and_what_is_not(disk: Disk) -> None:
    manifest = disk.write(session("x = 'abc'; g = (1 for _ in x)"))

    assert described(manifest).startswith("1 variable, ")
    assert "not kept: g (a generator; it was <generator object" in described(manifest)


def test_locks_are_made_anew_and_free(disk: Disk) -> None:
    namespace = session(
        "import threading, queue\n"
        "lock = threading.Lock(); lock.acquire()\n"
        "class Counter:\n"
        "    def __init__(self): self.lock, self.n = threading.RLock(), 5\n"
        "counter = Counter(); event = threading.Event(); event.set()\n"
        "limit = threading.Semaphore(2); jobs = queue.Queue(); jobs.put('a')\n"
        "condition = threading.Condition(lock)"
    )
    manifest = disk.write(namespace)
    back = disk.load(manifest).values

    assert reasons(manifest.kept)["lock"] == "a lock in it was held; it is free now"
    assert reasons(manifest.kept)["counter"] == ""
    with back["lock"], back["counter"].lock:  # type: ignore[attr-defined]
        assert back["counter"].n == 5  # type: ignore[attr-defined]
    assert back["condition"]._lock is back["lock"]  # type: ignore[attr-defined]
    assert back["event"].is_set()  # type: ignore[attr-defined]
    assert back["limit"].acquire(blocking=False)  # type: ignore[attr-defined]
    assert back["jobs"].get(timeout=1) == "a"  # type: ignore[attr-defined]


def test_standard_streams_are_those_of_the_new_process(disk: Disk) -> None:
    import sys

    assert disk.again({"where": [sys.stderr]})["where"] == [sys.stderr]
