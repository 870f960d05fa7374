"""Real libraries' objects, with what they share. Those of the group `libraries`, and torch if it is there."""

from __future__ import annotations

import contextlib
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Disk, reasons


def test_views_go_on_sharing_memory(disk: Disk) -> None:
    base = np.arange(60_000.0).reshape(200, 300)
    namespace = {"row": base[7], "turned": base.T[::-1, 3:], "base": base, "held": [base[:, ::2]]}
    expected = {name: np.array(namespace[name]) for name in ("row", "turned", "base")}
    back = disk.again(namespace)

    assert all(np.array_equal(back[name], value) for name, value in expected.items())
    assert all(np.shares_memory(back["base"], back[name]) for name in ("row", "turned"))
    assert np.shares_memory(back["base"], back["held"][0])
    back["row"][0] = -1
    assert back["base"][7, 0] == -1


def test_views_share_memory_after_a_second_time_too(disk: Disk) -> None:
    base = np.arange(60_000)
    back = disk.again(disk.again({"base": base, "view": base[10:20]}))

    assert np.shares_memory(back["base"], back["view"])
    assert not back["view"].flags.owndata


def test_a_small_view_shares_what_is_written_on_account_of_a_large_one(disk: Disk) -> None:
    base = np.arange(1_000_000)
    back = disk.again({"a_few": base[10:20], "most": base[1:]})
    back["most"][9] = -1
    assert back["a_few"][0] == -1


def test_a_small_view_drags_no_large_array_along(disk: Disk) -> None:
    manifest = disk.write({"ten": np.arange(1_000_000)[:10]})

    assert manifest.bytes_total < 1_000
    assert disk.load(manifest).values["ten"].tolist() == list(range(10))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12).reshape(3, 4)[::2],
        np.array(["2020-01-01", "NaT"], "M8[D]")[::-1],
        np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
        np.array([1, "two", None], object),
        np.array([1, "two", None], object)[1:],
        np.zeros((0, 3)),
        np.array(7.5),
        np.asfortranarray(np.arange(40_000.0).reshape(200, 200)),
        np.ma.masked_array([1, 2, 3], [0, 1, 0]),
        np.array(["a", "bcd"]),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_of_every_kind(disk: Disk, array: Any) -> None:
    back = disk.again({"a": array, "b": array})

    assert back["a"] is back["b"]
    assert type(back["a"]) is type(array)
    assert back["a"].dtype == array.dtype
    assert back["a"].strides == array.strides or array.size < 2 or back["a"].flags.c_contiguous
    np.testing.assert_array_equal(back["a"], array)


def test_arrays_that_can_not_be_written_to_stay_so(disk: Disk) -> None:
    base = np.arange(100_000)
    view = base[5:]
    view.flags.writeable = False
    back = disk.again({"base": base, "view": view})

    assert back["base"].flags.writeable
    assert not back["view"].flags.writeable


def test_a_memory_mapped_file_is_opened_again(disk: Disk, tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "data.bin", "i4", "w+", shape=(10, 3))
    mapped[:] = 5
    mapped.flush()
    manifest = disk.write({"m": mapped})
    mapped[0] = 6
    mapped.flush()
    back: Any = disk.load(manifest).values["m"]

    assert reasons(manifest.kept)["m"] == f"it is on the file {tmp_path / 'data.bin'}, as that is now"
    assert back[:2].tolist() == [[6, 6, 6], [5, 5, 5]]
    back[1] = 7
    assert mapped[1].tolist() == [7, 7, 7]


def test_of_shared_memory_there_is_a_copy(disk: Disk) -> None:
    with contextlib.closing(SharedMemory(create=True, size=800)) as shared:
        array = np.ndarray(100, buffer=shared.buf)
        array[:] = 3
        manifest = disk.write({"a": array})
        del array
        shared.unlink()

    assert reasons(manifest.kept) == {"a": "it is a copy of what was shared with others"}
    assert disk.load(manifest).values["a"].tolist() == [3] * 100  # type: ignore[attr-defined]


def test_pandas(disk: Disk) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "n": np.arange(30_000),
            "x": np.linspace(0, 1, 30_000),
            "s": [f"row {n}" for n in range(30_000)],
            "c": pd.Categorical(["a", "b", "c"] * 10_000),
            "t": pd.date_range("2020", periods=30_000, freq="h", tz="Europe/Berlin"),
        }
    ).set_index("t")
    back = disk.again({"df": frame, "x": frame["x"], "by": frame.groupby("c"), "few": frame[:10]})

    pd.testing.assert_frame_equal(back["df"], frame)
    pd.testing.assert_series_equal(back["x"], frame["x"])
    pd.testing.assert_frame_equal(back["few"], frame[:10])
    assert back["by"].n.sum().tolist() == frame.groupby("c").n.sum().tolist()
    back["df"].loc[back["df"].index[0], "n"] = -1
    assert back["df"].n.iloc[0] == -1


def test_frames_that_came_from_each_other_are_changed_one_by_one(disk: Disk) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"key": list("abcab"), "value": np.arange(5.0)})
    index = pd.Index(frame["value"])
    given = {
        "frame": frame,
        "assigned": frame.assign(text=frame["key"] * 2),
        "column": frame["value"],
        "renamed": frame.rename(columns=str.upper),
        "rows": frame.iloc[1:3],
        "index": index,
        "by": pd.Series(index),
    }
    back = disk.again(given)
    others = {name: back[name].copy() for name in given if name != "frame"}
    assert np.shares_memory(back["frame"]["value"], back["assigned"]["value"])
    back["frame"].loc[back["frame"].index % 3 == 0, "value"] = 526.0
    back["frame"]["key"] = "z"
    for name, before in others.items():
        assert back[name].equals(before), name
    back["by"].iloc[0] = 7.0
    back["column"].iloc[2] = 8.0
    assert back["index"].equals(others["index"])
    assert back["assigned"].equals(others["assigned"])


def test_pyarrow(disk: Disk) -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"n": list(range(50_000)), "s": [str(n) for n in range(50_000)]})
    manifest = disk.write({"table": table, "part": table.slice(10, 20), "column": table["s"]})
    back: Any = disk.load(manifest).values

    assert back["table"].equals(table)
    assert back["part"].equals(table.slice(10, 20))
    assert back["column"].equals(table["s"])


def test_polars(disk: Disk) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "n": range(50_000),
            "s": [f"row {n}" if n % 3 else None for n in range(50_000)],
            "l": [[n, n] for n in range(50_000)],
        }
    ).with_columns(pl.col("s").cast(pl.Categorical).alias("c"))
    manifest = disk.write({"df": frame, "n": frame["n"], "lazy": frame.lazy().filter(pl.col("n") > 5)})
    back: Any = disk.load(manifest).values

    assert back["df"].equals(frame)
    assert back["df"].schema == frame.schema
    assert back["n"].equals(frame["n"])
    assert back["lazy"].collect().height == 49_994
    assert next(each for each in manifest.frames if each.name == "df").buffers


def test_scipy_and_scikit_learn(disk: Disk) -> None:
    pytest.importorskip("sklearn")
    import scipy.sparse
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    x = rng.random((300, 4))
    y = x[:, 0] > 0.5
    forest = RandomForestClassifier(5, random_state=0).fit(x, y)
    line = make_pipeline(StandardScaler(), LinearRegression()).fit(x, x[:, 1])
    sparse = scipy.sparse.random(500, 500, 0.1, "csr", random_state=0)
    back = disk.again({"x": x, "forest": forest, "line": line, "sparse": sparse, "rng": rng})

    assert (back["forest"].predict(back["x"]) == forest.predict(x)).all()
    np.testing.assert_array_equal(back["line"].predict(x), line.predict(x))
    assert (back["sparse"] != sparse).nnz == 0
    assert back["rng"].random() == rng.random()


def test_widgets_are_named_as_lost(disk: Disk) -> None:
    ipywidgets = pytest.importorskip("ipywidgets")
    slider = ipywidgets.IntSlider(3)
    manifest = disk.write({"slider": slider, "all": [slider]})
    slider.close()

    assert reasons(manifest.lost) == {"slider": "a widget", "all": "it holds a widget"}


def test_torch(disk: Disk) -> None:
    torch = pytest.importorskip("torch")
    weights = torch.arange(100_000.0).reshape(100, 1000)
    model = torch.nn.Linear(1000, 100)
    optimizer = torch.optim.Adam(model.parameters())
    model(weights).sum().backward()
    optimizer.step()
    namespace = {
        "weights": weights,
        "row": weights[3],
        "alias": weights.T,
        "model": model,
        "optimizer": optimizer,
        "half": torch.ones(50_000, dtype=torch.bfloat16),
        "empty": torch.empty(0),
        "leaf": torch.ones(3, requires_grad=True),
    }
    manifest = disk.write(namespace)
    back: Any = disk.load(manifest).values

    assert not manifest.lost
    assert torch.equal(back["weights"], weights)
    assert torch.equal(back["half"], namespace["half"])
    assert back["leaf"].requires_grad
    back["row"][0] = -1
    assert back["weights"][3, 0] == -1 == back["alias"][0, 3]
    held = {id(each) for group in back["optimizer"].param_groups for each in group["params"]}
    assert held == {id(each) for each in back["model"].parameters()}
    assert torch.equal(back["model"].weight, model.weight)
    frame = next(each for each in manifest.frames if each.name == "weights")
    assert sum(piece.size for piece in frame.buffers) == 400_000
