"""Tricks of libraries, each of which imports what it needs: it may come first after everything was lost.

Floating point numbers hold whole numbers, so that a sum is the same in whatever order threads add it up.
"""

from __future__ import annotations

import importlib.util

from soak.author import Hand, Trick

NP = "import numpy as np\n"
PD = "import numpy as np, pandas as pd\n"


def array(hand: Hand) -> str:
    size = hand.chance.choice([100, 10_000, 1_000_000])
    return f"{NP}{hand.new('array')} = np.arange({size}, dtype='f8') % {hand.number() + 1}"


def grid(hand: Hand) -> str:
    return f"{NP}{hand.new('grid')} = np.arange({hand.number(80)} * 40).reshape(-1, 40).astype('f8') % 7"


def multiply(hand: Hand) -> str:
    name = hand.some("grid")
    return f"{NP}{hand.new('grid')} = ({name}.T @ {name}) % 1000"


def view(hand: Hand) -> str:
    return f"{hand.new('array')} = {hand.some('array')}[{hand.number(5)}::{hand.number(3) + 1}]"


def change(hand: Hand) -> str:
    return f"{hand.some('array', 'grid')}[{hand.number(60)}:] += {hand.number()}"


def one_element(hand: Hand) -> str:
    return f"{hand.some('array')}[{hand.number(100)}] = -{hand.number()}"


def objects(hand: Hand) -> str:
    return f"{NP}{hand.new('objects')} = np.array([{hand.number()}, 'a', None, {hand.some('int')}], object)"


def draw(hand: Hand) -> str:
    sown = hand.some("sown")  # else each process draws something else
    return f"{NP}{sown} += 1\n{hand.new('array')} = np.random.randint(0, 99, 50).astype('f8')"


def seed(hand: Hand) -> str:
    return f"{NP}{hand.new('sown')} = {hand.number()}\nnp.random.seed({hand.number()})"


def own_random(hand: Hand) -> str:
    name = hand.new("rng")
    return f"{NP}{name} = np.random.default_rng({hand.number()}); {hand.new('array')} = {name}.random(20)"


def draw_again(hand: Hand) -> str:
    return f"{hand.new('array')} = {hand.some('rng')}.integers(0, 9, 30).astype('f8')"


def frame(hand: Hand) -> str:
    return (
        f"{PD}size = {hand.number(40) + 1}\n{hand.new('frame')} = "
        "pd.DataFrame({'key': list('abcab') * size, 'value': np.arange(5.0 * size)})"
    )


def column(hand: Hand) -> str:
    return f"{hand.some('frame')}['c{hand.number(4)}'] = {hand.number()}"


def set_values(hand: Hand) -> str:
    name = hand.some("frame")
    return f"{name}.loc[{name}.index % {hand.number(7) + 2} == 0, 'value'] = {hand.number()}.0"


def group(hand: Hand) -> str:
    return f"{hand.new('series')} = {hand.some('frame')}.groupby('key')['value'].sum()"


def shared_frame(hand: Hand) -> str:
    return f"{hand.new('frame')} = {hand.some('frame')}.assign(text=lambda d: d['key'] * 2)"


KMEANS = "from sklearn.cluster import KMeans\n"
TREES = "from sklearn.ensemble import HistGradientBoostingClassifier as Trees\n"
DATA = "(np.arange(400.0).reshape(100, 4) * 7 % 31)"


def cluster(hand: Hand) -> str:
    model = hand.new("model")
    return f"{NP}{KMEANS}{model} = KMeans({hand.number(3) + 2}, n_init=1, random_state=0).fit({DATA})"


def boost(hand: Hand) -> str:
    made = f"Trees(max_iter=3, random_state={hand.number(9)}).fit({DATA}, np.arange(100) % 2)"
    return f"{NP}{TREES}{hand.new('trees')} = {made}"


def predict(hand: Hand) -> str:
    name = hand.some("model", "trees")
    return f"{NP}{hand.new('array')} = {name}.predict({DATA}).astype('f8')"


def table(hand: Hand) -> str:
    columns = f"{{'a': list(range({hand.number(99)} + 5))[-5:], 'b': list('xyxyx')}}"
    return f"import pyarrow as pa\n{hand.new('table')} = pa.table({columns})"


def compute(hand: Hand) -> str:
    return (
        f"import pyarrow.compute as pc\n"
        f"{hand.new('table')} = {hand.some('table')}.filter(pc.field('a') > {hand.number(40)})"
    )


def database(hand: Hand) -> str:
    """Also in the place of one from before a crash, which ends with it."""
    name = hand.new("database")
    return (
        f"import duckdb\n{name} = duckdb.connect()\n"
        f"_ = {name}.execute('create or replace table t as from range({hand.number(3000)})')"
    )


def close_database(hand: Hand) -> str:
    name = hand.gone(hand.some("database"))
    return f"{name}.close()\ndel {name}"


def insert(hand: Hand) -> str:
    return f"_ = {hand.some('database')}.execute('insert into t select {hand.number()} from range(5)')"


def query(hand: Hand) -> str:
    asked = f"{hand.some('database')}.execute('select sum(range) from t').fetchall()"
    return f"{hand.new('list')} = {asked}"


def figure(hand: Hand) -> str:
    name = hand.new("figure")
    return (
        f"from matplotlib.figure import Figure\n{name} = Figure(); _ = {name}.subplots()\n"
        f"_ = {name}.axes[0].set_title('{hand.number()}')"
    )


def plot(hand: Hand) -> str:
    return f"_ = {hand.some('figure')}.axes[0].plot(range({hand.number(40)}))"


def polars_frame(hand: Hand) -> str:
    return f"import polars as pl\n{hand.new('polars')} = pl.DataFrame({{'a': range({hand.number(99)})}})"


def polars_group(hand: Hand) -> str:
    made = f"{hand.some('polars')}.select(pl.col('a') * 2).filter(pl.col('a') > {hand.number(50)})"
    return f"import polars as pl\n{hand.new('polars')} = {made}"


def tensor(hand: Hand) -> str:
    return f"import torch\n{hand.new('tensor')} = torch.arange({hand.number() + 1}, dtype=torch.float64)"


def tensor_change(hand: Hand) -> str:
    return f"{hand.some('tensor')}.mul_(2).add_({hand.number(9)}).fmod_(1000)"


def lightgbm(hand: Hand) -> str:
    made = f"lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit({DATA}, np.arange(100) % 2)"
    return f"{NP}import lightgbm\n{hand.new('array')} = {made}.predict({DATA}).astype('f8')"


def xgboost(hand: Hand) -> str:
    made = f"xgboost.XGBClassifier(n_estimators=3).fit({DATA}, np.arange(100) % 2)"
    return f"{NP}import xgboost\n{hand.new('array')} = {made}.predict({DATA}).astype('f8')"


def numba(hand: Hand) -> str:
    return (
        f"{NP}import numba\n"
        "if '_total' not in globals():\n    @numba.njit(parallel=True)\n    def _total(values):\n"
        "        found = 0\n        for i in numba.prange(values.size):\n            found += values[i]\n"
        "        return found\n"
        f"{hand.new('int')} = int(_total(np.arange({hand.number(100_000)})))"
    )


TRICKS: dict[str, list[Trick]] = {
    "numpy": [
        *(array, grid, multiply, view, change, one_element, objects, draw, seed, own_random, draw_again)
    ],
    "pandas": [frame, column, set_values, group, shared_frame],
    "sklearn": [cluster, boost, predict],
    "pyarrow": [table, compute],
    "duckdb": [database, insert, query, close_database],
    "matplotlib": [figure, plot],
    "polars": [polars_frame, polars_group],
    "torch": [tensor, tensor_change],
    "lightgbm": [lightgbm],
    "xgboost": [xgboost],
    "numba": [numba],
}
"""By the package that must be installed."""


def installed() -> list[str]:
    """Those that can be imported here."""
    return [name for name in TRICKS if importlib.util.find_spec(name)]
