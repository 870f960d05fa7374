"""Which session a notebook has, and that nobody finds somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.jupyter.notebooks import moved, session_of
from holdfast.paths import MAX_NAME, checked_name, private_folder, session_state, state_folder

PYTHON = "/usr/bin/python3"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))


def run_in(name: str) -> str:
    """The session `name` has been used."""
    private_folder(session_state(name))
    return name


def test_a_notebook_has_one_session_that_bears_its_name() -> None:
    name = session_of("/home/me/Sales 2026 (März).ipynb", PYTHON)

    assert name.startswith("Sales-2026-M-rz-")
    assert session_of("/home/me/Sales 2026 (März).ipynb", PYTHON) == name
    assert session_of("/home/me/./Sales 2026 (März).ipynb", PYTHON) == name


def test_other_notebooks_and_other_pythons_have_sessions_of_their_own() -> None:
    names = {
        session_of("/a/work.ipynb", PYTHON),
        session_of("/b/work.ipynb", PYTHON),
        session_of("/a/work.ipynb", "/opt/bin/python"),
    }

    assert len(names) == 3


@pytest.mark.parametrize(
    "path", ["/a/.ipynb", "/a/...", "/a/数据.ipynb", "/a/" + "x" * 250, "/a/\udcff.ipynb", "/a/-.ipynb"]
)
def test_whatever_a_notebook_is_called_its_session_can_be_named(path: str) -> None:
    assert len(checked_name(session_of(path, PYTHON))) <= MAX_NAME


def test_a_renamed_notebook_keeps_its_session() -> None:
    name = run_in(session_of("/a/Untitled.ipynb", PYTHON))
    moved("/a/Untitled.ipynb", "/a/analysis.ipynb", PYTHON)

    assert session_of("/a/analysis.ipynb", PYTHON) == name


def test_a_new_notebook_under_an_old_name_does_not_find_the_renamed_ones_variables() -> None:
    name = run_in(session_of("/a/Untitled.ipynb", PYTHON))
    moved("/a/Untitled.ipynb", "/a/analysis.ipynb", PYTHON)

    fresh = session_of("/a/Untitled.ipynb", PYTHON)
    assert fresh != name
    assert session_of("/a/Untitled.ipynb", PYTHON) == fresh


def test_a_notebook_that_nobody_ran_can_be_renamed() -> None:
    moved("/a/x.ipynb", "/a/y.ipynb", PYTHON)

    assert session_of("/a/y.ipynb", PYTHON).startswith("y-")


@pytest.mark.parametrize("content", [b"", b"no/name\n", b"\xff\xfe", b"two words"])
def test_a_damaged_link_costs_the_link_and_nothing_else(content: bytes) -> None:
    session_of("/a/x.ipynb", PYTHON)
    (link,) = (state_folder() / "notebooks").iterdir()
    link.write_bytes(content)

    name = session_of("/a/x.ipynb", PYTHON)
    assert name.startswith("x-")
    assert session_of("/a/x.ipynb", PYTHON) == name
