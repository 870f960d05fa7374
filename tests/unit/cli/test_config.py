"""`holdfast config`: what it shows of settings, and of mistakes in them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.client import start
from holdfast.config import names, places

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in os.environ:
        if variable.startswith(places.PREFIX):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    monkeypatch.setattr(start, "given", [])
    (tmp_path / "config").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def holdfast(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(start, "given", [])  # which a process has only once
        status = main(list(arguments))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_every_setting_is_shown_with_its_value_its_origin_and_its_purpose(home: Path, holdfast: Run) -> None:
    (home / "config" / "settings.toml").write_text("[standby]\nkeep = 3\n")
    status, out, err = holdfast("config")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split() == ["NAME", "VALUE", "FROM", "WHAT", "FOR"]
    assert [line.split()[0] for line in lines[1:]] == list(names.known())
    (keep,) = [line for line in lines if line.startswith("standby.keep ")]
    assert keep.split()[1:3] == ["3", "settings.toml:2"]
    assert "  Generations kept: one for crashes, " in keep
    assert err == f"your file: {home}/config/settings.toml\n"


def test_a_part_is_shown_and_what_was_changed_alone(home: Path, holdfast: Run) -> None:
    file = home / "work" / "holdfast.toml"
    file.write_text("[standby]\nkeep = 3\n")
    _, out, err = holdfast("config", "standby", "--changed")
    assert [line.split()[0] for line in out.splitlines()] == ["NAME", "standby.keep"]
    assert f"the project's file: {file}\n" in err
    for name in ("life", "life.stop_seconds"):
        assert holdfast("config", name, "--changed") == (0, "", "all at their defaults\n")


def test_of_one_setting_all_is_told(home: Path, holdfast: Run) -> None:
    (home / "config" / "settings.toml").write_text("[standby]\nkeep = 3\n")
    status, out, _ = holdfast("config", "standby.keep", "--set", "standby.keep=4")
    assert status == 0
    assert out.startswith("standby.keep = 4\n\nGenerations kept: ")
    assert "Fewer are kept while the machine" in " ".join(out.split())
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows[-8:] == [
        "value a whole number from 0 to 1_000_000_000",
        "from 4, --set standby.keep=4",
        f"over 3, {home}/config/settings.toml:2",
        "over 5, default",
        f"set it in {home}/config/settings.toml: [standby] keep = …",
        "holdfast.toml, or [tool.holdfast.standby] in pyproject.toml",
        "HOLDFAST_STANDBY_KEEP=…",
        "holdfast --set standby.keep=…",
    ]
    assert "holdfast.toml" not in holdfast("config", "console.editing_mode")[1]


def test_programs_read_it_as_json(holdfast: Run) -> None:
    status, out, _ = holdfast("--set", "standby.keep=4", "config", "standby.keep", "--json")
    (told,) = json.loads(out)
    assert status == 0
    assert (told["name"], told["value"], told["default"], told["from"]) == ("standby.keep", 4, 5, "flag")
    assert (told["variable"], told["place"]) == ("HOLDFAST_STANDBY_KEEP", "--set standby.keep=4")


def test_an_editor_finds_the_file(home: Path, holdfast: Run) -> None:
    assert holdfast("config", "--path") == (0, f"{home}/config/settings.toml\n", "")


def test_all_mistakes_are_told_at_once(home: Path, holdfast: Run) -> None:
    (home / "config" / "settings.toml").write_text("[standby]\nkep = 3\nkeep = 4\nbranches = 9\n")
    status, out, err = holdfast("config", "standby.keep")
    assert (status, out.splitlines()[0]) == (1, "standby.keep = 4")
    place = f"holdfast: {home}/config/settings.toml"
    assert err.splitlines()[::2] == [
        f"{place}:2: no setting 'standby.kep'; did you mean standby.keep?",
        f"{place}:4: standby.branches must be a whole number from 0 to 3, not 9",
    ]


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [("standby.kep", " standby.keep"), ("standbi", " standby"), ("keep", " standby.keep"), ("gibberish", "")],
)
def test_a_wrong_name_is_led_to_the_right_one(holdfast: Run, wrong: str, remedy: str) -> None:
    assert holdfast("config", wrong) == (
        2,
        "",
        f"holdfast: no setting {wrong!r}\ntry: holdfast config{remedy}\n",
    )


def test_settings_of_a_session_that_is_none_are_not_made_up(home: Path, holdfast: Run) -> None:
    assert holdfast("config", "--session", "work")[2].startswith("holdfast: no session named 'work'\n")
    (home / "state" / "sessions" / "work").mkdir(parents=True)
    assert holdfast("config", "--session", "work")[2].startswith("holdfast: session 'work' is not running\n")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (
            ("--set", "standby.kep=3", "ls"),
            "--set standby.kep=3: no setting 'standby.kep'; did you mean standby.keep?",
        ),
        (("--set=standby.keep", "ls"), "--set standby.keep: there is no '=' in it"),
        (("--set",), "--set was given no setting"),
        (("new", "--set", "standby.keep=x"), "--set standby.keep=x: standby.keep must be a whole number"),
        (("--settle", "ls"), "there is no option '--settle'"),
    ],
)
def test_a_wrong_flag_is_wrong_usage_before_anything_starts(
    holdfast: Run, arguments: tuple[str, ...], what: str
) -> None:
    status, out, err = holdfast(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"holdfast: {what}")
    assert holdfast("ls", "-q") == (0, "", "")
