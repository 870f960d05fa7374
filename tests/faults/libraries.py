"""Kinds 39 to 43, 47, 51, 79 and 80: what libraries and threads have beside the namespace."""

from __future__ import annotations

from faults import machine
from faults.deaths import SEGFAULT
from faults.kind import Kind, Level
from faults.scene import Scene
from kit.wire import Cell

_FIRST = 60.0
"""Seconds for a first import of a big library, and for a hang to be one."""

_CLASSES = (
    "import warnings; warnings.simplefilter('ignore')\n"
    "from sklearn.datasets import make_classification; X, y = make_classification(500, random_state=0)\n"
)

_NUMBA = """
import numba, numpy as np
@numba.njit(parallel=True)
def total(values):
    result = 0
    for i in numba.prange(values.size):
        result += values[i]
    return result
"""

RESUMED = {
    "sklearn": (
        ["sklearn"],
        _CLASSES + "from sklearn.ensemble import HistGradientBoostingClassifier as Model",
        "Model(max_iter=10, random_state=0).fit(X, y).predict_proba(X).sum()",
    ),
    "lightgbm": (
        ["sklearn", "lightgbm"],
        _CLASSES + "from lightgbm import LGBMClassifier as Model",
        "Model(n_estimators=5, verbose=-1).fit(X, y).predict_proba(X).sum()",
    ),
    "xgboost": (
        ["sklearn", "xgboost"],
        _CLASSES + "from xgboost import XGBClassifier as Model",
        "Model(n_estimators=5).fit(X, y).predict_proba(X).sum()",
    ),
    "torch": (
        ["torch"],
        "import torch; weights = torch.ones(300, 300)",
        "(weights @ weights).exp().isfinite().sum().item()",
    ),
    "numba": (
        ["numba"],
        _NUMBA,
        "total(np.arange(1_000_000))",
    ),
    "numpy": (["numpy"], "import numpy as np; a = np.ones((400, 400))", "float((a @ a).sum())"),
}
"""Libraries whose engines go on in a copy: what they need, a first cell, and an operation of the engine."""

SALVAGED = {
    "polars": (
        ["polars"],
        "import polars as pl; frame = pl.DataFrame({'k': [1, 2, 1] * 9999, 'v': range(29997)})",
        "frame.group_by('k').agg(pl.col('v').sum()).sort('k').to_dicts()",
    ),
    "jax": (["jax"], "import jax.numpy as jnp; x = jnp.arange(1000.0)", "float((x * x).sum())"),
    "zmq": (
        ["zmq"],
        "import zmq; rows = list(range(9)); door = zmq.Context().socket(zmq.PUSH); door.bind('inproc://x')",
        "sum(rows)",
    ),
}
"""Those that can't: values come back in a fresh interpreter, in which the operation works."""


def _kinds(number: int, table: dict[str, tuple[list[str], str, str]], **more: object) -> list[Kind]:
    return [
        Kind(
            number,
            name,
            SEGFAULT,
            setup=f"{setup}\nbefore = {work}",
            cause="SIGSEGV",
            libraries=libraries,
            probes=[f"{work} == before"],
            **more,  # type: ignore[arg-type]
        )
        for name, (libraries, setup, work) in table.items()
    ]


_ENGINE = """
#include <pthread.h>
#include <semaphore.h>
static sem_t asked, answered;
static int value, running;
static void *engine(void *unused) {
    for (;;) { sem_wait(&asked); value *= 2; sem_post(&answered); }
    return unused;
}
int twice(int number) {
    pthread_t thread;
    if (!running++) {
        sem_init(&asked, 0, 0); sem_init(&answered, 0, 0);
        pthread_create(&thread, 0, engine, 0);
    }
    value = number; sem_post(&asked); sem_wait(&answered);
    return value;
}
"""


def unknown_engine(scene: Scene) -> Cell:
    """A library that nobody knows waits for a thread of its own, which no copy has."""
    library = scene.folder / "made.so"
    if not library.exists():
        machine.compiled(scene.folder, _ENGINE)
    scene.client.do(f"import ctypes; engine = ctypes.CDLL({str(library)!r}); assert engine.twice(21) == 42")
    cell = scene.die()
    scene.client.do(f"import ctypes; engine = ctypes.CDLL({str(library)!r})")
    assert scene.client.value("engine.twice(21)", within=15) == 42
    scene.client.do("del engine, ctypes")
    return cell


_HOLDER = """
import threading
lock, begun = threading.Lock(), threading.Event()
guarded = [lock]
def hold():
    with lock:
        begun.set()
        threading.Event().wait()
threading.Thread(target=hold, name="lock-holder", daemon=True).start()
begun.wait()
"""
_POOL = """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
pool.submit(int).result()
"""
_DUCKDB = """
import duckdb
db = duckdb.connect("rows.duckdb")
db.execute("create table if not exists rows (n integer)")
"""


def duckdb_written(scene: Scene) -> Cell:
    """Rows that the dying cell has committed are in the file, and another process can open it."""
    number = scene.kept["rows"] = scene.kept.get("rows", 0) + 1
    cell = scene.client.run(f"db.execute('insert into rows values ({number})')\n{SEGFAULT}")
    found = scene.client.run(
        "import subprocess, sys; print(subprocess.run([sys.executable, '-c', \"import duckdb; "
        "print(duckdb.connect('rows.duckdb').execute('select count(*) from rows').fetchall())\"], "
        "capture_output=True, text=True).stdout); del subprocess, sys",
        within=20,
    )
    assert f"[({number},)]" in found.text(), found.text()
    return cell


def _refuses(scene: Scene) -> None:
    cell = scene.client.run("pool.submit(int)", within=5)
    assert cell.error["ename"] == "BrokenThreadPool"


def _again_random(scene: Scene) -> None:
    import random

    expected = random.Random(20)
    assert scene.client.value("random.Random(20).random()") == expected.random()
    assert scene.client.value("(random.seed(20), random.random())[1]") == random.Random(20).random()
    scene.client.do("random.seed(20)")


_NO_PROC = """
def hide():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(0x20000) == 0                                    # CLONE_NEWNS
    assert libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) == 0  # MS_REC | MS_PRIVATE
    assert libc.mount(b"none", b"/proc", b"tmpfs", 0, None) == 0
hide()
"""


def no_proc(scene: Scene) -> None:
    """A worker that can't look at itself has no standby, or a good one; which it is, is said."""
    scene.client.do(_NO_PROC)
    scene.client.do("later = 1")
    scene.client.settle()
    cell = scene.die()
    kept = scene.client.value("'later' in globals()")
    assert kept or "In[" in cell.notice.rpartition("no standby held")[2], cell.notice
    scene.client.do("for name in ('hide', 'later'): globals().pop(name, None)\ndel name")


_TRACED = "import sys; sys.settrace(lambda *_: None)"
_ARMED = "import faulthandler; faulthandler.dump_traceback_later(3600)"

KINDS = [
    *_kinds(39, RESUMED, within=20.0, slow=True),
    *_kinds(40, SALVAGED, level=Level.SALVAGE, within=20.0, rounds=1, slow=True),
    Kind(
        41,
        "an engine nobody knows",
        unknown_engine,
        Level.SALVAGE,
        needs=[machine.no_compiler],
        within=20.0,
        slow=True,
    ),
    Kind(
        42,
        "a thread that holds a lock",
        SEGFAULT,
        Level.SALVAGE,
        setup=_HOLDER,
        lost=["lock-holder"],
        within=20.0,
        rounds=1,  # the lock that is back is nobody's
    ),
    Kind(
        43,
        "used pool of threads",
        SEGFAULT,
        setup=_POOL,
        cause="SIGSEGV",
        lost=["pool"],
        probes=[_refuses],
    ),
    Kind(
        47,
        "duckdb file written",
        duckdb_written,
        Level.SALVAGE,
        setup=_DUCKDB,
        cause="SIGSEGV",
        libraries=["duckdb"],
        lost=["db"],
        rounds=1,  # the connection does not come back
    ),
    Kind(51, "seed of random", SEGFAULT, cause="SIGSEGV", probes=[_again_random]),
    Kind(79, "no /proc", no_proc, needs=[machine.no_mounts]),
    # The fresh interpreter traces nothing, and has no timer: a second crash is another kind.
    Kind(80, "tracing at the freeze", SEGFAULT, Level.SALVAGE, setup=_TRACED, rounds=1),
    Kind(80, "faulthandler's timer at the freeze", SEGFAULT, Level.SALVAGE, setup=_ARMED, rounds=1),
]
