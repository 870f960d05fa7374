"""When a fork is safe: real threads, in an interpreter for each test."""

from __future__ import annotations

import hashlib
import math
import os
import sys
import threading
import time
from pathlib import Path

from holdfast.worker.standby.quiet import busy_threads, held_still
from kit.alone import alone

FORKS = 200


def _multiply(size: int, burst_seconds: float = math.inf, pause_seconds: float = 0) -> None:
    """A thread that is inside OpenBLAS, for ever or in bursts. Returns when it has begun."""
    import numpy as np

    matrix, began, never = np.ones((size, size)), threading.Event(), threading.Event()

    def work() -> None:
        while True:
            end = time.monotonic() + burst_seconds
            while time.monotonic() < end:
                began.set()
                matrix @ matrix
            never.wait(pause_seconds)

    threading.Thread(target=work, daemon=True, name="multiplier").start()
    assert began.wait(30)


@alone
def test_a_process_of_one_thread_may_fork(tmp_path: Path) -> None:
    assert busy_threads(0) == []


@alone
def test_a_thread_inside_native_code_is_named(tmp_path: Path) -> None:
    _multiply(2000)
    while not (busy := busy_threads(0)):  # it has begun, but may not have got into the product
        pass
    assert "multiplier" in busy
    os._exit(0)  # an interpreter that ends would wait for a thread in native code


@alone
def test_a_thread_that_sleeps_is_no_reason_not_to_fork(tmp_path: Path) -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    assert busy_threads(1000) == []
    end.set()
    thread.join()


@alone
def test_a_thread_that_computes_in_python_is_no_reason_not_to_fork(tmp_path: Path) -> None:
    _count()
    assert busy_threads(1000) == []


@alone
def test_a_thread_that_leaves_native_code_in_time_is_waited_for(tmp_path: Path) -> None:
    def work() -> None:
        hashlib.pbkdf2_hmac("sha256", b"some tenths", b"of a second", 1_000_000)

    thread = threading.Thread(target=work, name="hasher")
    thread.start()
    while thread.is_alive() and "hasher" not in busy_threads(0):
        pass
    assert thread.is_alive()
    assert busy_threads(30_000) == []
    thread.join(10)
    assert not thread.is_alive()


@alone
def test_no_thread_runs_python_between_the_look_and_the_fork(tmp_path: Path) -> None:
    turns = _count()
    undisturbed = 0
    for _ in range(100):
        with held_still(1000) as busy:
            assert not busy
            before, began = turns[0], time.monotonic()
            while time.monotonic() < began + 0.004:
                pass
            after, took = turns[0], time.monotonic() - began
        if took < 0.008:  # else the machine stopped us longer than anybody can hold a lock
            undisturbed += 1
            assert before == after
        if undisturbed == 10:
            break
    assert undisturbed == 10


@alone
def test_the_switch_interval_is_the_users_again_after_the_block(tmp_path: Path) -> None:
    _count()
    sys.setswitchinterval(0.003)
    with held_still(1000):
        assert sys.getswitchinterval() > 0.003
    assert round(sys.getswitchinterval(), 6) == 0.003


@alone
def test_hundreds_of_forks_beside_a_thread_that_multiplies_never_hang(tmp_path: Path) -> None:
    _multiply(400, burst_seconds=0.3, pause_seconds=0.4)  # its threads spin for 0.1 s after a burst
    forks = 0
    while forks < FORKS:  # the runner's deadline is what makes a hang a failure
        with held_still(50) as busy:
            if busy:
                continue
            pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        forks += 1
    os._exit(0)


def _count() -> list[int]:
    """A thread that always wants the GIL; how often it had a turn."""
    turns, started = [0], threading.Event()

    def work() -> None:
        while True:
            turns[0] += 1
            started.set()

    threading.Thread(target=work, daemon=True).start()
    assert started.wait(30)
    return turns
