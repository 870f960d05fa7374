"""What `holdfast kernel install --python` finds out about a Python before it promises anything."""

from __future__ import annotations

import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError
from holdfast.jupyter.target import probe


def script(path: Path, text: str) -> str:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_our_own_python_can_run_holdfast() -> None:
    found = probe()

    assert found.python == sys.executable
    assert found.debugger is (find_spec("debugpy") is not None)
    assert found.provisioner is True  # the tests' jupyter_client is new enough


def test_a_python_without_holdfast_is_refused_with_the_way_to_install_it(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    python = str(tmp_path / "env" / "bin" / "python")

    with pytest.raises(HoldfastError, match="can't run Holdfast: ModuleNotFoundError") as caught:
        probe(python)
    assert caught.value.remedy == f"{python} -m pip install holdfast"


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("echo 'Unknown option: -P' >&2; exit 2", "it is older than Python 3.11"),
        ("exit 3", "it ended without a word"),
        ("echo hello", "does not answer as a Python"),
    ],
)
def test_what_is_no_python_for_us_is_told_why(tmp_path: Path, program: str, what: str) -> None:
    with pytest.raises(HoldfastError) as caught:
        probe(script(tmp_path / "python", program))
    assert what in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize("python", ["/nowhere/python", "no-such-python", "/tmp"])
def test_a_python_that_is_not_there_is_named(python: str) -> None:
    with pytest.raises(HoldfastError, match="there is no Python") as caught:
        probe(python)
    assert caught.value.remedy


def test_a_file_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("")

    with pytest.raises(HoldfastError, match="can't run"):
        probe(str(tmp_path / "python"))
