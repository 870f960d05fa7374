"""The kernelspec, seen by Jupyter's own code where that matters."""

from __future__ import annotations

import json
import os
import stat
import struct
import sys
from pathlib import Path

import jupyter_core.paths
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerFactory

from holdfast.errors import HoldfastError, SessionError
from holdfast.jupyter import kernelspec


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own: nothing here may touch the kernelspecs of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in list(os.environ):
        if name.startswith(("JUPYTER", "XDG_DATA", "CONDA")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setattr(jupyter_core.paths, "ENV_JUPYTER_PATH", [str(tmp_path / "env" / "share" / "jupyter")])
    (tmp_path / "env").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"JUPYTER_DATA_DIR": "/somewhere/data"},
        {"XDG_DATA_HOME": "/somewhere/share"},
        {"XDG_DATA_HOME": ""},
        {"JUPYTER_DATA_DIR": "/somewhere/data", "XDG_DATA_HOME": "/somewhere/share"},
        {"JUPYTER_PATH": "/one:/two/"},
        {"JUPYTER_PREFER_ENV_PATH": "1"},
        {"JUPYTER_PREFER_ENV_PATH": "no"},
        {"JUPYTER_PATH": "/usr/share/jupyter"},
    ],
)
def test_jupyters_folders_are_where_jupyter_looks(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert str(kernelspec.user_data_folder()) == jupyter_core.paths.jupyter_data_dir()
    theirs = [Path(folder) for folder in jupyter_core.paths.jupyter_path()]
    assert kernelspec.data_folders() == list(dict.fromkeys(theirs))


@pytest.mark.parametrize("place", [{}, {"user": True}, {"sys_prefix": True}])
def test_jupyter_finds_what_was_installed(place: dict[str, bool]) -> None:
    folder = kernelspec.install(**place)

    found = KernelSpecManager().get_kernel_spec("holdfast")
    assert Path(found.resource_dir) == folder
    assert found.argv == [sys.executable, "-P", "-m", "holdfast.kernel", "-f", "{connection_file}"]
    assert found.language == "python"
    assert found.interrupt_mode == "message"
    assert found.metadata == {"debugger": False, "supported_encryption": ["curve"]}
    assert found.env == {}
    assert kernelspec.installed() == {"holdfast": folder}


def test_a_prefix_of_ones_own_is_used_as_it_is_given(home: Path) -> None:
    folder = kernelspec.install(prefix=home / "image")

    assert folder == home / "image" / "share" / "jupyter" / "kernels" / "holdfast"
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["kernel_protocol_version"] == "5.5"


def test_a_kernelspec_can_stand_for_one_session() -> None:
    folder = kernelspec.install(name="work", session="work", python="/opt/python")

    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["argv"][0] == "/opt/python"
    assert spec["argv"][-2:] == ["--session", "work"]
    assert spec["display_name"] == "Holdfast · work"


def test_a_kernelspec_says_what_its_python_can_do_and_jupyter_finds_the_provisioner() -> None:
    kernelspec.install(debugger=True, provisioner=True)

    found = KernelSpecManager().get_kernel_spec("holdfast")  # it hides what it finds no provisioner for
    assert found.metadata["debugger"] is True
    assert found.metadata["kernel_provisioner"]["provisioner_name"] == "holdfast-provisioner"
    provisioners = KernelProvisionerFactory.instance().get_provisioner_entries()
    assert provisioners["holdfast-provisioner"] == "holdfast.jupyter.provisioner:HoldfastProvisioner"


@pytest.mark.parametrize(("logo", "size"), [("logo-32x32.png", 32), ("logo-64x64.png", 64)])
def test_the_icons_are_pictures_of_the_size_that_their_names_say(logo: str, size: int) -> None:
    content = (kernelspec.install() / logo).read_bytes()

    assert content.startswith(b"\x89PNG\r\n")
    assert struct.unpack(">II", content[16:24]) == (size, size)


def test_installing_again_replaces_and_leaves_no_litter() -> None:
    kernelspec.install(display_name="old")
    folder = kernelspec.install(display_name="new")

    assert json.loads((folder / "kernel.json").read_text())["display_name"] == "new"
    assert {file.name for file in folder.iterdir()} == {"kernel.json", *kernelspec.LOGOS}


def test_others_may_read_what_is_installed_for_all(home: Path) -> None:
    folder = kernelspec.install(prefix=home)

    assert stat.S_IMODE((folder / "kernel.json").stat().st_mode) == 0o644


def test_another_kernels_folder_is_neither_replaced_nor_removed() -> None:
    foreign = kernelspec.user_data_folder() / "kernels" / "python3"
    foreign.mkdir(parents=True)
    before = json.dumps(
        {"argv": ["python", "-m", "ipykernel_launcher"], "display_name": "x", "language": "python"}
    )
    (foreign / "kernel.json").write_text(before)

    with pytest.raises(HoldfastError, match="another kernel's"):
        kernelspec.install(name="python3")
    with pytest.raises(HoldfastError, match="not a kernelspec of Holdfast's"):
        kernelspec.remove("python3")
    assert (foreign / "kernel.json").read_text() == before


def test_a_foreign_kernel_in_front_of_ours_hides_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernelspec.install()
    front = home / "front" / "kernels" / "holdfast"
    front.mkdir(parents=True)
    (front / "kernel.json").write_text('{"argv": ["other"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(home / "front"))

    assert kernelspec.installed() == {}


def test_removing_takes_it_from_jupyters_list() -> None:
    folder = kernelspec.install(name="Holdfast")

    assert kernelspec.remove("holdfast") == folder
    assert not folder.exists()
    assert "holdfast" not in KernelSpecManager().find_kernel_specs()


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "two words", "ü"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(HoldfastError, match="can't name a kernelspec"):
        kernelspec.install(name=name)
    with pytest.raises(HoldfastError, match="can't name a kernelspec"):
        kernelspec.remove(name)


def test_a_session_that_cannot_be_is_refused_before_anything_is_written(home: Path) -> None:
    with pytest.raises(SessionError):
        kernelspec.install(session="no/name")
    assert not (home / ".local").exists()


def test_two_places_at_once_are_refused(home: Path) -> None:
    with pytest.raises(HoldfastError, match="one place"):
        kernelspec.install(user=True, prefix=home)


def test_a_place_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "share").write_text("a file where a folder is needed")

    with pytest.raises(HoldfastError, match="can't write the kernelspec") as caught:
        kernelspec.install(prefix=home)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        "3",
        "{}",
        '{"argv": {}}',
        '{"argv": []}',
        '{"argv": "holdfast.kernel"}',
        "\xff",
    ],
)
def test_broken_kernelspecs_are_not_ours_and_disturb_nothing(content: str) -> None:
    broken = kernelspec.user_data_folder() / "kernels" / "broken"
    broken.mkdir(parents=True)
    (broken / "kernel.json").write_bytes(content.encode("latin-1"))

    assert kernelspec.installed() == {}
