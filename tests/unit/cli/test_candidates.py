"""What completion offers: by the commands' own parsers, for each place of a command line."""

from __future__ import annotations

from argparse import REMAINDER, ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.cli import pick
from holdfast.cli.commands import COMMANDS
from holdfast.cli.habits import SYNONYMS
from holdfast.cli.shells.candidates import FILES, FOLDERS, Candidate, Walk, candidates
from kit.kernel import scratch


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with scratch() as folder:
        monkeypatch.setenv("HOLDFAST_HOME", str(folder))
        for name in ("work", "wide", "etl"):
            (folder / "state" / "sessions" / name).mkdir(parents=True)
        yield folder


def words(line: str) -> list[str]:
    """What could stand for the last word of a line, which may be empty."""
    return [each.word for each in candidates(line.split(" "))]


def offered(parser: ArgumentParser, before: str, begun: str) -> list[Candidate]:
    return list(Walk(parser, before.split()).next(begun))


def test_first_comes_a_command(home: Path) -> None:
    assert set(words("")) >= {"ls", "attach", "help"}
    assert words("l") == ["ls", "log"]
    assert words("--v") == ["--version"]


def test_what_is_no_command_may_be_a_file(home: Path) -> None:
    assert candidates(["script"]) == [Candidate("", FILES)]
    assert candidates(["script.py", ""]) == [Candidate("", FILES)]


@pytest.mark.parametrize("line", ["log", "a", "info", "rm", "log -n 3", "log --json", "--no-color log"])
def test_sessions_are_offered_where_one_is_named(home: Path, line: str) -> None:
    assert words(f"{line} w") == ["work", "wide"] or words(f"{line} w") == ["wide", "work"]


def test_only_what_runs_is_offered_to_stop(home: Path) -> None:
    assert words("stop w") == []


def test_a_session_that_stands_there_is_not_offered_again(home: Path) -> None:
    assert words("rm work w") == ["wide"]
    assert "work" not in words("log work ")


def test_a_new_session_has_a_new_name(home: Path) -> None:
    assert "work" not in words("new ")


def test_settings_are_offered_by_name_and_with_what_they_are_for(home: Path) -> None:
    assert words("config standby.kee") == ["standby.keep"]
    assert "standby" in words("config stan")
    for before in ("--set", "ls --set", "--no-color --set console.x=1 --set", "new --set"):
        offered = words(f"{before} standby.kee")
        assert offered == (["standby.keep="] if "ls" not in before else []), before
    assert words("--set standby.keep=3 att") == words("--set=standby.keep=3 att") == ["attach"]
    assert all(each.meaning for each in candidates(["config", ""]))


def test_options_are_offered_once_and_after_two_dashes_none(home: Path) -> None:
    assert "--follow" in words("log -")
    assert "--follow" not in words("log -f -")
    assert "--follow" not in words("log --follow -")
    assert words("log -- -") == []


def test_an_option_is_followed_by_its_value(home: Path) -> None:
    assert candidates(["new", "--cwd", ""]) == [Candidate("", FOLDERS)]
    assert candidates(["log", "--export", ""]) == [Candidate("", FILES)]
    assert words("kernel install --session=w") in (
        ["--session=work", "--session=wide"],
        ["--session=wide", "--session=work"],
    )
    assert set(words("kernel install --session = w")) == {"work", "wide"}  # as bash takes it apart


def test_what_an_option_takes_is_not_taken_for_anything_else(home: Path) -> None:
    parser = ArgumentParser()
    parser.add_argument("-p", nargs=2)
    parser.add_argument("-m", nargs=REMAINDER, metavar="MODULE")
    parser.add_argument("name", type=pick.session)
    parser.add_argument("more", nargs=REMAINDER, metavar="ARGUMENT")
    assert not list(offered(parser, "-p x", ""))
    assert {each.word for each in offered(parser, "-p x y", "")} == {"work", "wide", "etl"}
    for program in ("-m x", "-m x -p", "work x", "work -m"):
        assert list(offered(parser, program, "-")) == [Candidate("", FILES)], program


def test_commands_within_a_command_have_options_of_their_own(home: Path) -> None:
    assert words("kernel ") == ["install", "list", "uninstall"]
    assert "--sys-prefix" in words("kernel install --")
    assert words("kernel nonsense ") == []


def test_each_command_says_of_each_option_what_it_does(home: Path) -> None:
    for command in COMMANDS:
        for each in candidates([command, "-"]):
            assert each.meaning, f"{command} {each.word}"


some_words = st.lists(
    st.one_of(
        st.sampled_from(
            [*COMMANDS, *SYNONYMS, "help", "install", "work", "-n", "-f", "--cwd", "--cwd=x", "--", "-", "="]
        ),
        st.text(max_size=8),
    ),
    min_size=1,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(some_words)
def test_whatever_is_typed_the_offers_begin_so_and_nothing_breaks(home: Path, line: list[str]) -> None:
    for each in candidates(line):
        assert each.word.startswith(line[-1]) or each.word == ""
        assert each.word or each.meaning in (FILES, FOLDERS)
