"""Notebooks look the same under ipykernel and Holdfast. `python -m tests.notebooks` plays many more."""

from __future__ import annotations

import pytest

from notebooks.book import read
from notebooks.compare import differences

pytest.importorskip("ipykernel")


@pytest.mark.parametrize("name", ["flow_of_outputs", "numpy_arrays", "tracebacks"])
def test_every_cell_shows_what_it_shows_under_ipykernel(name: str) -> None:
    found = differences(read(name))

    assert not found, "\n".join(["these cells differ:", *found])
