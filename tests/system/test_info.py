"""`holdfast info`: whether all is as sessions need it, and how to come into one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from holdfast import __version__
from holdfast.cli.doctor import is_version
from kit.kernel import environment
from kit.shell import SECONDS, Shell

Checks = dict[str, tuple[bool | None, str, str | None]]


def checks(shell: Shell) -> Checks:
    found = json.loads(shell.run("info", "--json").stdout)
    return {each["name"]: (each["ok"], each["found"], each["remedy"]) for each in found["checks"]}


def test_where_all_is_well_it_says_so_and_leaves_nothing_behind(shell: Shell) -> None:
    done = shell.run("info")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"holdfast:  {__version__}  " in done.stdout
    assert f"state:     {shell.home / 'state'}" in done.stdout
    found = checks(shell)
    assert {name: found[name][0] for name in ("start", "packages", "folders", "settings", "limits")} == {
        "start": True,
        "packages": True,
        "folders": True,
        "settings": True,
        "limits": True,
    }
    assert found["Jupyter"] == (None, "no kernel of Holdfast is installed", "holdfast kernel install")
    assert shell.good("ls", "--json") == "[]\n"
    assert list((shell.home / "run").iterdir()) == []


def test_what_keeps_sessions_from_starting_is_named_with_what_to_do(shell: Shell) -> None:
    settings = shell.home / "config" / "settings.toml"
    settings.parent.mkdir()
    settings.write_text("[standby]\nkep = 3\n")
    done = shell.run("info")
    assert done.returncode == 1
    assert "✗ start " in done.stdout
    assert "✗ settings " in done.stdout
    assert "kep" in done.stdout
    assert "\n           try: " in done.stdout


def test_where_there_is_no_place_for_sessions_all_else_is_examined_all_the_same(shell: Shell) -> None:
    env = environment(shell.home, shell.mark) | {"HOLDFAST_HOME": "", "HOME": "/dev/null"}
    env = {name: value for name, value in env.items() if not name.startswith("XDG_")}
    command = [sys.executable, "-m", "holdfast", "info", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, timeout=SECONDS, check=False)
    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    assert (done.returncode, found["start"]["ok"], found["packages"]["ok"]) == (1, False, True)
    assert found["folders"]["found"].startswith("can't make the folder /dev/null/.local/state/holdfast: ")
    assert found["folders"]["remedy"].startswith("export HOLDFAST_HOME=")


def test_a_folder_that_others_can_enter_is_named(shell: Shell) -> None:
    run = shell.home / "run"
    run.mkdir()
    run.chmod(0o755)
    ok, found, remedy = checks(shell)["folders"]
    assert (ok, remedy) == (False, f"chmod 700 {run}")
    assert "open to others" in found
    run.chmod(0o700)


def test_a_folder_whose_path_is_too_long_for_sockets_is_named(shell: Shell) -> None:
    home = shell.home / ("long" * 16)
    env = environment(home, shell.mark)
    command = [sys.executable, "-m", "holdfast", "info", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, timeout=SECONDS, check=False)
    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    assert (done.returncode, found["start"]["ok"], found["folders"]["ok"]) == (1, False, False)
    assert found["folders"]["remedy"] == "set HOLDFAST_HOME to a shorter folder"


def test_a_limit_that_is_in_the_way_is_named(shell: Shell) -> None:
    limited = ["sh", "-c", f"ulimit -n 512; exec {sys.executable} -m holdfast info"]
    env = environment(shell.home, shell.mark)
    done = subprocess.run(limited, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")  # sessions start all the same
    assert "✗ limits   only 512 files may be open\n           try: ulimit -Hn 1024, as root\n" in done.stdout


@pytest.mark.parametrize("first", [3, None, [], {}, "", "a\0b", "\ud800"])
def test_a_kernel_that_names_no_python_is_found(shell: Shell, first: object) -> None:
    shell.good("kernel", "install", "--user")
    (file,) = (shell.home).rglob("kernel.json")
    spec = json.loads(file.read_text())
    spec["argv"][0] = first
    file.write_text(json.dumps(spec))
    ok, found, remedy = checks(shell)["Jupyter"]
    assert (ok, remedy) == (False, "holdfast kernel install")
    assert "kernel holdfast " in found
    assert shell.run("info").stderr == ""
    assert shell.good("kernel", "list").startswith("holdfast ")
    shell.good("kernel", "install", "--user")
    assert checks(shell)["Jupyter"][0] is True


def test_a_kernel_whose_python_is_gone_is_found(shell: Shell) -> None:
    shell.good("kernel", "install", "--user")
    assert checks(shell)["Jupyter"][0] is True
    (file,) = (shell.home).rglob("kernel.json")
    spec = json.loads(file.read_text())
    spec["argv"][0] = "/nowhere/python"
    file.write_text(json.dumps(spec))
    ok, found, remedy = checks(shell)["Jupyter"]
    assert (ok, remedy) == (False, "holdfast kernel install")
    assert "/nowhere/python, which is gone" in found


def test_a_session_that_was_not_closed_is_pointed_out(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    shell.lose()
    assert checks(shell)["session"] == (None, "work was not closed properly", "holdfast attach work")


def test_of_a_session_it_tells_every_way_in(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    file = shell.home / "run" / "work" / "connection.json"
    told = shell.good("info", "work")
    assert "holdfast attach work" in told
    assert f"jupyter qtconsole --existing {file}" in told
    assert 'holdfast kernel install --session work, then the kernel "Holdfast · work"' in told


@pytest.mark.parametrize(
    ("version", "bounds", "within"),
    [
        ("9.4", ">=9.4,<10", True),
        ("9.18.1", "<10,>=9.4", True),
        ("10.0.0rc1", ">=9.4,<10", False),
        ("9.3.9", ">=9.4,<10", False),
        ("1", "", True),
    ],
)
def test_a_version_is_within_its_bounds_or_not(version: str, bounds: str, within: bool) -> None:
    assert is_version(version, bounds) is within
