"""Forks that are not children: whose they are, and what Python takes them for."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.worker.standby import sibling
from kit.alone import alone


def _answer(fork: Callable[[], bool], question: Callable[[], object]) -> str:
    """What the fork answers; `fork` is true in it."""
    reader, writer = os.pipe()
    if fork():
        os.write(writer, repr(question()).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as answer:
        return answer.read()


def _as_sibling() -> bool:
    if sibling.fork():
        return False
    sibling.settle()
    return True


def _by_two_forks() -> bool:
    middle, is_fork = sibling.fork_twice(0)
    if middle:
        os.waitpid(middle, 0)
    return is_fork


@alone
def test_a_siblings_parent_is_our_parent(tmp_path: Path) -> None:
    assert _answer(_as_sibling, os.getppid) == repr(os.getppid())
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@alone
def test_random_numbers_go_on_as_seeded_in_every_fork(tmp_path: Path) -> None:
    random.seed(7)
    first, second = (_answer(fork, random.random) for fork in (_as_sibling, _by_two_forks))
    assert first == second == repr(random.random())


@alone
def test_handlers_of_a_fork_run_in_a_sibling_when_it_settles(tmp_path: Path) -> None:
    ran: list[int] = []
    os.register_at_fork(after_in_child=lambda: ran.append(os.getpid()))
    assert _answer(_as_sibling, lambda: ran == [os.getpid()]) == "True"
    assert not ran


@alone
def test_nobody_is_warned_of_our_forks_and_all_other_warnings_are_as_before(tmp_path: Path) -> None:
    os.register_at_fork(before=lambda: warnings.warn("there are threads", RuntimeWarning, stacklevel=2))

    def warn() -> None:
        warnings.warn("only once", RuntimeWarning, stacklevel=2)

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        for _ in range(2):
            warn()
            assert _answer(_by_two_forks, lambda: len(shown)) == "1"
            if sibling.possible():
                assert _answer(_as_sibling, lambda: len(shown)) == "1"

    assert [str(each.message) for each in shown] == ["only once"]
