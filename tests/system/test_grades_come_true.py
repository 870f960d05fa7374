"""What the canary says of a standby before a crash is what becomes of it, with real libraries.

Each session runs in a process of its own and dies; one copy of its standby is examined, another one runs what
its user would run next. Each test needs its libraries; the group `libraries` has those that CI has.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.foretold import DEADLINE_SECONDS, PATIENCE_SECONDS, Foretold, of

ARRAYS = "import numpy as np\na = np.random.default_rng(0).normal(size=(400, 400))\n"
TABLE = "import numpy as np\nX = np.random.default_rng(0).normal(size=(3000, 4))\n"
THREAD = "import threading\n"


def foretold(
    before: str, after: str, folder: Path, libraries: str = "", patience: float = PATIENCE_SECONDS
) -> Foretold:
    """It came true."""
    for library in libraries.split():
        pytest.importorskip(library)
    what = of(before, after, folder, patience)
    assert what.grade == what.came_true, what
    return what


NUMBA = """
import numba, numpy as np
numba.config.THREADING_LAYER = {!r}

@numba.njit(parallel=True)
def total(values):
    result = 0.0
    for i in numba.prange(values.size):
        result += values[i]
    return result
"""

SESSIONS = {
    "plain": ("a = [1]", "a.append(2)"),
    "numpy": (ARRAYS, "a @ a"),
    "scipy": (ARRAYS + "import scipy.fft, scipy.linalg as la", "la.svd(a); scipy.fft.fft(a, workers=2)"),
    "pandas": (
        TABLE + "import pandas; df = pandas.DataFrame(X)",
        "df.groupby(0).size(); df.eval('@df[0] + 1')",
    ),
    "sklearn.cluster": (TABLE + "from sklearn.cluster import KMeans", "KMeans(5, n_init=2).fit(X)"),
    "sklearn.ensemble": (
        TABLE + "from sklearn.ensemble import HistGradientBoostingRegressor as Model",
        "Model(max_iter=4).fit(X, X[:, 0])",
    ),
    "sklearn.tree": (
        TABLE + "from sklearn.ensemble import RandomForestRegressor as Model",
        "Model(10, n_jobs=2).fit(X, X[:, 0])",
    ),
    "pyarrow": (
        "import pyarrow as pa, pyarrow.compute, pyarrow.csv; table = pa.table({'a': range(500_000)})",
        "table.group_by('a').aggregate([('a', 'sum')]); pa.csv.read_csv(pa.BufferReader(b'a,b\\n' * 99_999))",
    ),
    "matplotlib": (
        "import matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as plt",
        "plt.plot([1, 2]); plt.gcf().canvas.draw()",
    ),
    "joblib": (
        "from joblib import Parallel, delayed",
        "Parallel(2)(delayed(pow)(i, 2) for i in range(8))",
    ),
    "tqdm": ("from tqdm import tqdm", "bar = tqdm(total=2); bar.update()"),
    "torch": (
        "import torch; a = torch.ones(300, 300, requires_grad=True)",
        "(a @ a).exp().sum().backward()",
    ),
    "lightgbm": (
        TABLE + "from lightgbm import train, Dataset",
        "train({'verbose': -1}, Dataset(X, X[:, 0]), 3)",
    ),
    "xgboost": (TABLE + "from xgboost import train, DMatrix", "train({}, DMatrix(X, X[:, 0]), 3)"),
    "cv2": (
        "import cv2, numpy as np; a = np.zeros((2000, 2000), np.uint8)",
        "cv2.GaussianBlur(a, (9, 9), 3)",
    ),
    "numba.omp": (NUMBA.format("omp"), "total(np.ones(100_000))"),
    "numba.workqueue": (NUMBA.format("workqueue"), "total(np.ones(100_000))"),
}
"""By library: what comes first, and what runs before the crash and after it."""


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_that_can_go_on_does(session: str, tmp_path: Path) -> None:
    before, work = SESSIONS[session]
    library = session.partition(".")[0]
    said = foretold(f"{before}\n{work}", work, tmp_path, "" if session == "plain" else library)

    assert (said.grade, said.reasons) == ("resume", [])


ENDINGS = [
    "db.close()",
    "db = duckdb.connect()",
    "del db",
    "stack.close()",
    "table = db.table('t'); del db; assert len(table.fetchall()) == 500_000; del table",
    "other = db.cursor(); db.close(); other.close()",
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_database_in_memory_is_used_on_and_may_be_given_up(ending: str, tmp_path: Path) -> None:
    said = foretold(
        "import duckdb, contextlib\nstack = contextlib.ExitStack()\n"
        "db = stack.enter_context(duckdb.connect())\n"
        "db.execute('create table t as from range(500_000)')",
        "assert db.execute('select count(*) from t').fetchall() == [(500_000,)]\n"
        f"{ending}\nwith duckdb.connect() as other: other.execute('select 1')",
        tmp_path,
        "duckdb",
    )

    assert said.grade == "resume"


def test_the_database_without_a_name_is_used_on_and_may_be_given_up(tmp_path: Path) -> None:
    said = foretold(
        "import duckdb\nduckdb.execute('create table t as from range(500_000)')",
        "assert duckdb.sql('select count(*) from t').fetchall() == [(500_000,)]; duckdb.close()",
        tmp_path,
        "duckdb",
    )

    assert said.grade == "resume"


def test_a_database_in_a_file_can_not_be_opened_again(tmp_path: Path) -> None:
    said = foretold(
        "import duckdb\ndb = duckdb.connect('base')\ndb.execute('create table t as from range(500_000)')",
        "db.close()\ndb = duckdb.connect('base')\ndb.execute('insert into t from range(9)')",
        tmp_path,
        "duckdb",
    )

    assert "can't be opened again" in said.reasons[0]


def test_polars_goes_on_if_it_was_only_imported(tmp_path: Path) -> None:
    work = "pl.DataFrame({'a': range(100)}).group_by('a').len()"

    assert foretold("import polars as pl", work, tmp_path, "polars").grade == "resume"
    assert "polars" in foretold(f"import polars as pl\n{work}", work, tmp_path).reasons[0]


def test_jax_goes_on_if_it_was_only_imported(tmp_path: Path) -> None:
    work = "(jnp.ones((9, 9)) @ jnp.ones((9, 9))).block_until_ready()"

    assert foretold("import jax.numpy as jnp", work, tmp_path, "jax").grade == "resume"
    assert "jax" in foretold(f"import jax.numpy as jnp\n{work}", work, tmp_path).reasons[0]


def test_zeromq_goes_on_if_nothing_was_connected(tmp_path: Path) -> None:
    before = "import zmq\ncontext = zmq.Context()\n"
    connect = (
        "answers, asks = context.socket(zmq.REP), context.socket(zmq.REQ)\n"
        "asks.connect(f\"tcp://127.0.0.1:{answers.bind_to_random_port('tcp://127.0.0.1')}\")\n"
    )
    work = "asks.send(b'1'); answers.send(answers.recv()); asks.recv()"

    assert foretold(before, connect + work, tmp_path, "zmq").grade == "resume"
    assert "ZeroMQ" in foretold(before + connect + work, work, tmp_path).reasons[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "from concurrent.futures import ThreadPoolExecutor as Pool\nPool(2).submit(int).result()",
            "Pool(2).submit(int).result()",
            id="a pool's, idle",
        ),
        pytest.param(
            f"{THREAD}threading.Thread(target=threading.Event().wait, daemon=True).start()", "1", id="asleep"
        ),
        pytest.param(
            f"{THREAD}free, begun = threading.Lock(), threading.Event()\n"
            "def work():\n    with free: pass\n    begun.set(); threading.Event().wait()\n"
            "threading.Thread(target=work, daemon=True).start(); begun.wait()",
            "free.acquire()",
            id="with a lock that is free",
        ),
        pytest.param(
            "import _thread, threading\n"
            "_thread.start_new_thread(lambda: (threading.Event().wait(0.01), threading.Event().wait()), ())",
            "1",
            id="of _thread",
        ),
    ],
)
def test_a_thread_that_is_lost_stops_nobody(before: str, after: str, tmp_path: Path) -> None:
    assert foretold(before, after, tmp_path).grade == "resume"


def test_a_lock_that_a_lost_thread_holds_stops_who_needs_it(tmp_path: Path) -> None:
    said = foretold(
        f"{THREAD}class Box: pass\nbox, begun = Box(), threading.Event()\nbox.inner = [threading.RLock()]\n"
        "def work():\n    with box.inner[0]: begun.set(); threading.Event().wait()\n"
        "threading.Thread(target=work, daemon=True).start(); begun.wait()",
        "box.inner[0].acquire()",
        tmp_path,
    )

    assert said.reasons == ["a lock that box needs is held by a thread that does not come along"]


def test_a_log_is_written_on_unless_a_lost_thread_was_just_writing(tmp_path: Path) -> None:
    foretold(
        f"{THREAD}import logging\nlogging.basicConfig(filename='log')\nbegun = threading.Event()\n"
        "def work():\n    while True: logging.warning('text'); begun.set()\n"
        "threading.Thread(target=work, daemon=True).start(); begun.wait()",
        "logging.warning('text')",
        tmp_path,
        patience=DEADLINE_SECONDS,  # the examination needs what is written with, too
    )


def test_grpc_does_not_go_on(tmp_path: Path) -> None:
    connect = "channel = grpc.insecure_channel('127.0.0.1:1'); ready = grpc.channel_ready_future(channel)"
    said = foretold(f"import grpc\n{connect}", f"channel.close()\n{connect}", tmp_path, "grpc")

    assert "gRPC" in said.reasons[0]


def test_a_module_that_a_lost_thread_was_importing_can_not_be_imported(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import threading, __main__\n__main__.begun.set(); threading.Event().wait()"
    )
    said = foretold(
        f"import sys; sys.path.insert(0, '.')\n{THREAD}begun = threading.Event()\n"
        "class Main: begun = begun\nsys.modules['__main__'] = Main\n"
        "threading.Thread(target=__import__, args=['slow'], daemon=True).start(); begun.wait()",
        "import slow",
        tmp_path,
    )

    assert said.reasons == ["an import of slow by a thread that does not come along stays unfinished"]


def test_a_watchdog_of_faulthandler_can_not_be_cancelled(tmp_path: Path) -> None:
    said = foretold(
        "import faulthandler; faulthandler.dump_traceback_later(1000)",
        "faulthandler.cancel_dump_traceback_later()",
        tmp_path,
    )

    assert "faulthandler" in said.reasons[0]
