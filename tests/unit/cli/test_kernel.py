"""`holdfast kernel`: from the command line to the file that Jupyter reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import main
from holdfast.client import start


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "HOLDFAST_HOME", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "image" / "share" / "jupyter"))
    return tmp_path


def spec(home: Path, name: str = "holdfast") -> Any:
    return json.loads((home / "image/share/jupyter/kernels" / name / "kernel.json").read_text())


def test_what_is_installed_is_listed_until_it_is_removed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "install", "--prefix", str(home / "image")]) == 0
    assert capsys.readouterr().out.startswith("installed kernel holdfast in ")
    assert main(["kernel", "list"]) == 0
    assert capsys.readouterr().out.startswith("holdfast ")
    assert main(["kernel", "list", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["holdfast"]
    assert main(["kernel", "uninstall"]) == 0
    assert main(["kernel", "list"]) == 0
    assert "no kernel of Holdfast is installed" in capsys.readouterr().err


def test_sessions_outlive_the_server_unless_that_is_not_wanted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--prefix", str(home / "image")]
    assert main(["kernel", "install", *place]) == 0
    assert "outlive" in capsys.readouterr().err
    assert "kernel_provisioner" in spec(home)["metadata"]
    assert main(["kernel", "install", *place, "--no-provisioner"]) == 0
    assert capsys.readouterr().err == ""
    assert "kernel_provisioner" not in spec(home)["metadata"]


def test_names_and_python_are_as_they_were_asked_for(home: Path) -> None:
    options = ["--session", "Work", "--display-name", "At work", "--python", sys.executable]
    assert main(["kernel", "install", "--prefix", str(home / "image"), *options]) == 0

    found = spec(home, "holdfast-work")
    assert found["display_name"] == "At work"
    assert found["argv"][0] == sys.executable
    assert found["argv"][-2:] == ["--session", "Work"]


def test_settings_of_a_kernel_are_checked_and_written_down(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "given", [])
    place = ["--prefix", str(home / "image")]
    assert main(["kernel", "install", *place, "--set", "standby.kep=3"]) == 2
    assert "did you mean standby.keep?" in capsys.readouterr().err
    assert main(["kernel", "install", *place, "--set", "standby.keep=3"]) == 0
    assert spec(home)["argv"][-1] == "--set=standby.keep=3"


def test_a_python_that_cannot_run_holdfast_is_refused_before_anything_is_written(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "install", "--prefix", str(home / "image"), "--python", "/nowhere/python"]) == 1
    assert capsys.readouterr().err.startswith("holdfast: there is no Python /nowhere/python\ntry: ")
    assert not (home / "image").exists()
