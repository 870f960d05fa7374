"""Libraries with threads or processes of their own go on after a crash, or say why not; none waits for ever.

Each test needs its library (the group `libraries` of pyproject.toml has those that are small).
"""

from __future__ import annotations

import pytest

from kit.kernel import only_holdfast
from kit.wire import Cell, Client

pytestmark = only_holdfast

DIE = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"

FIRST_SECONDS = 60.0
"""A first import of a big library."""
AGAIN_SECONDS = 20.0
"""A hang is what these tests look for."""

CRASHES = 2
"""The second one is survived by a standby of a process that had been a standby."""


def survives(client: Client, setup: str, work: str, *libraries: str) -> None:
    """`work`, an expression, has the same value before a crash, after it, and after another one."""
    for library in libraries:
        pytest.importorskip(library)
    _ok(client.run(f"{setup}\nbefore = {work}", within=FIRST_SECONDS))
    for _ in range(CRASHES):
        assert client.run(DIE).status == "error"
        again = client.run(f"after = {work}\nafter == before", within=AGAIN_SECONDS)
        assert _ok(again).result == "True"


def refused(client: Client, code: str) -> str:
    """What the cell's error says."""
    cell = client.run(code, within=AGAIN_SECONDS)
    assert cell.status == "error", f"it went well: {code}"
    return f"{cell.error['ename']}: {cell.error['evalue']}"


def _ok(cell: Cell) -> Cell:
    assert cell.status == "ok", cell.notice
    return cell


def test_numpy_multiplies_after_a_crash(client: Client) -> None:
    survives(
        client,
        "import numpy as np; a = np.random.default_rng(0).normal(size=(400, 400))",
        "(a @ a).tobytes()",
        "numpy",
    )


CLASSES = (
    "from sklearn.datasets import make_classification; X, y = make_classification(500, random_state=0)\n"
)


@pytest.mark.parametrize(
    ("setup", "work"),
    [
        pytest.param(
            "from sklearn.ensemble import HistGradientBoostingClassifier as Model",
            "Model(max_iter=10, random_state=0).fit(X, y).predict_proba(X).tobytes()",
            id="HistGradientBoosting",
        ),
        pytest.param(
            "from sklearn.cluster import KMeans",
            "KMeans(5, n_init=2, random_state=0).fit(X).labels_.tobytes()",
            id="KMeans",
        ),
        pytest.param(
            "from sklearn.ensemble import RandomForestClassifier as Model",
            "Model(10, n_jobs=2, random_state=0).fit(X, y).predict_proba(X).tobytes()",
            id="RandomForest",
        ),
        pytest.param(
            "from sklearn.ensemble import RandomForestClassifier as Model\n"
            "from sklearn.model_selection import cross_val_score",
            "cross_val_score(Model(10, random_state=0), X, y, n_jobs=2).tobytes()",
            id="in processes",
        ),
    ],
)
def test_scikit_learn_fits_the_same_model_after_a_crash(client: Client, setup: str, work: str) -> None:
    survives(client, CLASSES + setup, work, "sklearn")


BESIDE = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


@pytest.mark.parametrize("beside", [pytest.param("", id="alone"), pytest.param(BESIDE, id="beside a thread")])
@pytest.mark.parametrize("policy", ["passive", "active"])
def test_openmp_goes_on_also_if_its_threads_never_rest(client: Client, beside: str, policy: str) -> None:
    setup = f"{beside}\nimport os; os.environ['OMP_WAIT_POLICY'] = {policy!r}\n{CLASSES}"
    work = "KMeans(5, n_init=2, random_state=0).fit(X).inertia_"
    survives(client, setup + "from sklearn.cluster import KMeans", work, "sklearn")


def test_two_openmp_runtimes_in_one_session_both_go_on(client: Client) -> None:
    setup = (
        "from sklearn.cluster import KMeans; from lightgbm import LGBMClassifier as Model; import warnings\n"
        "warnings.simplefilter('ignore')\n"
    )
    work = (
        "(KMeans(5, n_init=2, random_state=0).fit(X).inertia_, "
        "Model(n_estimators=5, verbose=-1).fit(X, y).predict_proba(X).tobytes())"
    )
    survives(client, setup + CLASSES, work, "sklearn", "lightgbm")


def test_xgboost_trains_after_a_crash(client: Client) -> None:
    work = "XGBClassifier(n_estimators=5).fit(X, y).predict_proba(X).tobytes()"
    survives(client, CLASSES + "from xgboost import XGBClassifier", work, "sklearn", "xgboost")


def test_torch_goes_on_training_after_a_crash(client: Client) -> None:
    setup = """
import torch

def train():
    torch.manual_seed(0)
    data, model = torch.randn(300, 300), torch.nn.Linear(300, 300)
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(data).pow(2).mean()
        loss.backward()
        optimizer.step()
    return loss.item(), (data @ data).exp().isfinite().sum().item()
"""
    survives(client, setup, "train()", "torch")


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_numba_runs_parallel_loops_after_a_crash(client: Client, layer: str) -> None:
    setup = f"""
import numba, numpy as np
numba.config.THREADING_LAYER = {layer!r}

@numba.njit(parallel=True)
def total(values):
    result = 0
    for i in numba.prange(values.size):
        result += values[i]
    return result
"""
    survives(client, setup, "(total(np.arange(1_000_000)), numba.threading_layer())", "numba")


def test_pandas_groups_after_a_crash(client: Client) -> None:
    setup = "import pandas as pd; df = pd.DataFrame({'key': list('abca') * 99, 'value': range(396)})"
    survives(client, setup, "df.groupby('key').value.sum().to_dict()", "pandas")


def test_pyarrow_computes_after_a_crash(client: Client) -> None:
    setup = "import pyarrow as pa, pyarrow.compute as pc; table = pa.table({'a': range(1_000_000)})"
    survives(client, setup, "pc.sum(table.group_by('a').aggregate([('a', 'sum')])['a']).as_py()", "pyarrow")


def test_a_database_of_duckdb_in_memory_is_there_after_a_crash(client: Client) -> None:
    setup = "import duckdb; db = duckdb.connect()\ndb.execute('create table t as from range(1000000)')"
    survives(client, setup, "db.execute('select sum(range) from t').fetchall()", "duckdb")


def test_a_database_of_duckdb_may_be_closed_after_a_crash(client: Client) -> None:
    pytest.importorskip("duckdb")
    setup = "import duckdb; db = duckdb.connect()\ndb.execute('create table t as from range(1000000)')"
    _ok(client.run(setup, within=FIRST_SECONDS))
    client.run(DIE)

    _ok(client.run("db.close()", within=AGAIN_SECONDS))
    again = f"{setup}; db.execute('select count(*) from t').fetchall()"
    assert _ok(client.run(again, within=AGAIN_SECONDS)).result == "[(1000000,)]"


def test_joblib_makes_new_processes_after_a_crash(client: Client) -> None:
    setup = "from joblib import Parallel, delayed"
    survives(client, setup, "Parallel(2)(delayed(pow)(i, 2) for i in range(8))", "joblib")


def test_a_used_pool_of_threads_is_broken_after_a_crash_and_a_new_one_works(client: Client) -> None:
    client.do("""
import threading
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
begun = threading.Event()
running = pool.submit(lambda: (begun.set(), threading.Event().wait()))
waiting = pool.submit(int)
unused = ThreadPoolExecutor(1)
begun.wait()
""")
    assert "pool (thread pool)" in client.run(DIE).notice

    for code in ("pool.submit(int)", "running.result()", "waiting.result()"):
        assert "BrokenThreadPool: what this pool ran on is gone" in refused(client, code)
    assert client.value("pool.shutdown(), unused.submit(int).result()") == (None, 0)
    assert client.value("ThreadPoolExecutor(1).submit(int).result()") == 0


def test_a_task_that_waits_for_a_lost_thread_learns_it(client: Client) -> None:
    client.do("""
import asyncio, threading
begun = threading.Event()
task = asyncio.create_task(asyncio.to_thread(lambda: (begun.set(), threading.Event().wait())))
while not begun.is_set():
    await asyncio.sleep(0)
""")
    client.run(DIE)

    assert "BrokenThreadPool" in refused(client, "await task")
    assert client.value("await asyncio.to_thread(int)") == 0


def test_a_used_pool_of_processes_is_broken_after_a_crash_and_a_new_one_works(client: Client) -> None:
    client.do("""
import signal
from concurrent.futures import ProcessPoolExecutor
pool = ProcessPoolExecutor(1)
pool.submit(int).result()
running = pool.submit(signal.sigwait, [signal.SIGUSR2])
unused = ProcessPoolExecutor(1)
""")
    assert "pool (process pool)" in client.run(DIE).notice

    for code in ("pool.submit(int)", "running.result()"):
        assert "BrokenProcessPool: what this pool ran on is gone" in refused(client, code)
    assert client.value("pool.shutdown(), unused.submit(int).result()") == (None, 0)


@pytest.mark.parametrize(("kind", "words"), [("Pool", "process pool"), ("ThreadPool", "thread pool")])
def test_a_used_pool_of_multiprocessing_is_broken_after_a_crash(
    client: Client, kind: str, words: str
) -> None:
    client.do(f"""
import signal
from multiprocessing.pool import {kind}
pool = {kind}(2)
pool.map(abs, [-1])
running = pool.apply_async(signal.sigwait, [[signal.SIGUSR2]])
walking = pool.imap(signal.sigwait, [[signal.SIGUSR2]])
""")
    assert f"pool ({words})" in client.run(DIE).notice

    for code in ("pool.map(abs, [-1])", "running.get()", "next(walking)", "with pool: pass"):
        assert "RuntimeError: what this pool ran on is gone" in refused(client, code)
    assert client.value("pool.terminate(), pool.join()") == (None, None)
    assert client.value(f"{kind}(1).map(abs, [-1])") == [1]
