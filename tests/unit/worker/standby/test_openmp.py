"""A fork of a process with OpenMP's threads: what is tried there hangs where the next loop would."""

from __future__ import annotations

import importlib.util
import os
import select
from pathlib import Path

import pytest

from holdfast.worker.standby import openmp
from kit.alone import alone

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)

SECONDS = 3.0


@alone
def test_a_runtime_whose_threads_were_ended_before_the_fork_goes_on(tmp_path: Path) -> None:
    _spread()
    openmp.look()
    openmp.pause()

    assert _comes_through()


@alone
def test_a_runtime_that_misses_its_threads_never_returns(tmp_path: Path) -> None:
    _spread()

    assert not _comes_through()


def _spread() -> None:
    """A parallel loop on two threads: from now on the runtime has one to give the next loop to."""
    numpy = pytest.importorskip("numpy")
    cluster = pytest.importorskip("sklearn.cluster")
    cluster.KMeans(2, n_init=1).fit(numpy.eye(3000, 4))


def _comes_through() -> bool:
    done, its_end = os.pipe()
    if not (pid := os.fork()):
        openmp.try_all(lambda _: None)
        os._exit(0)
    os.close(its_end)
    ended = bool(select.select([done], [], [], SECONDS)[0])
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return ended
