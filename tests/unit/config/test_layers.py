"""Where a setting's value comes from when several places give it, and what is said of mistakes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from holdfast import paths
from holdfast.config import files, given, inforce, layers, names, words
from holdfast.config.given import LAYERS, Given, Layer
from holdfast.config.places import PREFIX
from holdfast.errors import SettingsError
from holdfast.settings import Settings


class Places:
    """A user's home and a folder to work in."""

    def __init__(self, root: Path) -> None:
        self.user = root / "config" / "settings.toml"
        self.folder = root / "work"
        self.project = self.folder / "holdfast.toml"
        self.user.parent.mkdir()
        self.folder.mkdir()

    def look(self, *flags: str) -> layers.Found:
        return layers.look(str(self.folder), flags)

    def problems(self, *flags: str) -> list[str]:
        return [problem.what for problem in self.look(*flags).problems]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for variable in os.environ:
        if variable.startswith(PREFIX):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    return Places(tmp_path)


def test_with_nothing_given_all_is_as_the_source_has_it(places: Places) -> None:
    assert places.look().tree() == Settings()
    assert places.look().given == []


def test_a_later_place_has_the_last_word(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep() -> tuple[int, str]:
        found = places.look()
        *_, last = (each for each in found.given if each.name == "standby.keep")
        return found.tree().standby.keep, last.place

    places.user.write_text("[standby]\nkeep = 1\nbranches = 1\n")
    assert keep() == (1, f"{places.user}:2")
    places.project.write_text("standby.keep = 2\n")
    assert keep() == (2, f"{places.project}:1")
    monkeypatch.setenv("HOLDFAST_STANDBY_KEEP", "3")
    assert keep() == (3, "HOLDFAST_STANDBY_KEEP")
    found = places.look("standby.keep=4", "standby.keep=5")
    assert found.tree().standby == msgspec.structs.replace(Settings().standby, keep=5, branches=1)
    assert [each.value for each in found.given if each.name == "standby.keep"] == [1, 2, 3, 4, 5]


def test_text_becomes_what_the_setting_is(places: Places) -> None:
    tree = places.look(
        "checkpoint.enabled=false", "standby.budget=30%", "life.stop_seconds=4", "durability=power"
    ).tree()
    assert (tree.checkpoint.enabled, tree.standby.budget) == (False, "30%")
    assert (tree.life.stop_seconds, tree.durability) == (4.0, "power")
    assert places.look("standby.budget=1000").tree().standby.budget == 1000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b" " * 900_000 + b"\n[standby]\nkep = 1", "3: no setting 'standby.kep'"),
        (b"a" + b".a" * 400_000 + b" = 1", " line 1 has too many dots"),
        (b"# words\n[a" + b".a" * 400_000 + b"]", " line 2 has too many dots"),
        (b"[standby]\n" + b"a" * 900_000 + b" = 1", "2: no setting 'standby.aaa"),
    ],
    ids=["spaces", "a key", "a table", "a word"],
)
def test_a_strangers_file_does_not_hold_up_who_comes_into_its_folder(
    places: Places, content: bytes, told: str
) -> None:
    places.project.write_bytes(content)
    (problem,) = places.problems()
    assert problem.startswith(f"{places.project}:{told}")


def test_a_variable_that_is_no_text_is_told_of(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_DURABILITY", os.fsdecode(b"pow\xe9r"))
    assert places.problems() == [
        'HOLDFAST_DURABILITY: durability must be "power" or "process", not "pow\\udce9r"'
    ]


@pytest.mark.parametrize("left", [b'[["\xff"]]', b"[" * 100_000, b"[]"], ids=["no text", "deep", "nothing"])
def test_what_a_supervisor_left_counts_only_if_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: bytes
) -> None:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    file = paths.session_settings("work")
    paths.private_folder(file.parent)
    file.touch(mode=0o600)
    file.write_bytes(left)
    kept = inforce.kept("work")
    assert (kept is None) is (left != b"[]")


def test_the_short_variable_has_the_last_word_of_the_two(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_STANDBY_ON_CRASH", "restore")
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "exit")
    assert places.look().tree().standby.on_crash == "exit"
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "explode")
    assert places.problems() == [
        'HOLDFAST_ON_CRASH: standby.on_crash must be "exit" or "restore", not "explode"'
    ]
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "")
    assert places.look().tree().standby.on_crash == "restore"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[standby]\n\nkep = 1", 3, "no setting 'standby.kep'; did you mean standby.keep?"),
        ("[standy]\nkeep = 1", 2, "no setting 'standy.keep'; did you mean standby.keep?"),
        ("keep = 1", 1, "no setting 'keep'; did you mean standby.keep?"),
        (
            "# keep\n[standby]\nkeep = -1",
            3,
            "standby.keep must be a whole number from 0 to 1_000_000_000, not -1",
        ),
        ("standby.keep = '3'", 1, 'standby.keep must be a whole number from 0 to 1_000_000_000, not "3"'),
        (
            "standby = { keep = true }",
            1,
            "standby.keep must be a whole number from 0 to 1_000_000_000, not true",
        ),
        ("standby = 5", 1, "standby is a table of settings"),
        (
            "[standby.keep]\nx = 1",
            1,
            'standby.keep must be a whole number from 0 to 1_000_000_000, not {"x": 1}',
        ),
        ("life.stop_seconds = nan", 1, "life.stop_seconds must be a number from 0 to 31_536_000, not NaN"),
        ("durability = 'none'", 1, 'durability must be "power" or "process", not "none"'),
        ("[gibberish]", 1, "no setting 'gibberish'"),
        ('"\\u001b[31m" = 1', None, "no setting '?[31m'"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(
    places: Places, text: str, line: int | None, words: str
) -> None:
    places.user.write_text(text)
    place = f"{places.user}:{line}" if line else f"{places.user}"
    assert places.problems() == [f"{place}: {words}"]


@pytest.mark.parametrize("text", [b"[standby", b"\xff", b"x = " + b"[" * 5000, b"x = " + b"9" * 5000])
def test_a_file_that_is_no_toml_is_named(places: Places, text: bytes) -> None:
    places.user.write_bytes(text)
    (problem,) = places.look().problems
    assert problem.what.startswith(f"{places.user}: ")
    assert problem.remedy == f"mend or remove {places.user}"


def test_a_byte_that_is_no_text_is_named_by_its_line(places: Places) -> None:
    places.user.write_bytes(b"[standby]\nkeep = 3  # \xe9\n")
    (problem,) = places.look().problems
    assert problem.what == f"{places.user}: line 2 is not UTF-8"


def test_what_is_no_file_or_has_no_end_is_not_read(places: Places) -> None:
    os.mkfifo(places.user)
    assert places.problems() == [f"{places.user} is not a file"]
    places.user.unlink()
    places.user.mkdir()
    opened = len(os.listdir("/proc/self/fd"))
    assert places.problems() == [f"{places.user} is a folder"]
    assert len(os.listdir("/proc/self/fd")) == opened
    places.user.rmdir()
    places.user.write_bytes(b"#" * 2_000_000)
    assert places.problems() == [f"{places.user} is too long for settings"]


def test_a_file_full_of_mistakes_costs_no_more_than_some(places: Places) -> None:
    places.user.write_text("# keep\n" * 50_000 + "".join(f"keep{number} = 1\n" for number in range(20_000)))
    assert len(places.problems()) == files.MAX_WRONG


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("standby.kep=3", "--set standby.kep=3: no setting 'standby.kep'; did you mean standby.keep?"),
        ("standby.keep", "--set standby.keep: there is no '=' in it"),
        ("standby=3", "--set standby=3: standby is a table of settings"),
        (
            "checkpoint.enabled=2",
            '--set checkpoint.enabled=2: checkpoint.enabled must be true or false, not "2"',
        ),
    ],
)
def test_a_mistake_in_a_flag_is_told(places: Places, flag: str, words: str) -> None:
    assert places.problems(flag) == [words]


def test_a_variable_that_is_almost_a_setting_is_told_and_others_are_left_alone(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    for harmless in ("HOLDFAST_TRACEBACK", "HOLDFAST_TEST_KERNEL", "HOLDFAST_SCREENSHOTS", "HOLDFAST_FOO"):
        monkeypatch.setenv(harmless, "1")
    assert places.problems() == []
    monkeypatch.setenv("HOLDFAST_STANDBY_KEP", "1")
    monkeypatch.setenv("HOLDFAST_DURABLITY", "power")
    assert places.problems() == [
        "HOLDFAST_DURABLITY sets nothing; did you mean HOLDFAST_DURABILITY?",
        "HOLDFAST_STANDBY_KEP sets nothing; did you mean HOLDFAST_STANDBY_KEEP?",
    ]


def test_what_is_right_counts_beside_what_is_wrong_and_a_start_is_refused(places: Places) -> None:
    places.user.write_text("[standby]\nkep = 1\nkeep = 2\nwake_seconds = -1\n")
    found = places.look()
    assert found.tree().standby.keep == 2
    with pytest.raises(SettingsError, match=r"'standby.kep'.*\(and 1 more: holdfast config\)"):
        found.refuse()


# --- for all settings

VALUES: dict[Any, Any] = {bool: st.booleans(), int: st.integers(0, 3), float: st.floats(0, 1000)}

LEAST = {
    "output.ring_bytes": 65_536,
    "listen.max_bytes": 65_536,
    "wire.subscriber_bytes": 65_536,
    "wire.subscriber_seconds": 0.1,
    "listen.handshake_seconds": 0.1,
    "listen.look_seconds": 0.05,
    "listen.alive_seconds": 0.1,
    "listen.alive_count": 1,
}


def value_of(setting: names.Setting) -> st.SearchStrategy[Any]:
    """Values that fit, of the kind that its default has."""
    if isinstance(setting.default, str):
        return st.just(setting.default)
    least = LEAST.get(setting.name)
    if least is not None:
        return st.integers(least, 100 * max(1, least)) if isinstance(least, int) else st.floats(least, 1000)
    return VALUES[type(setting.default)]


entry = st.sampled_from(list(names.known().values())).flatmap(
    lambda setting: st.tuples(st.just(setting.name), value_of(setting), st.sampled_from(LAYERS))
)


@drawn(st.lists(entry))
def test_of_all_that_is_given_the_last_place_counts_for_each_setting_by_itself(
    entries: list[tuple[str, Any, Layer]],
) -> None:
    found = layers.Found(given.read(name, value, layer, "somewhere") for name, value, layer in entries)
    assert not found.problems
    expected = {name: setting.default for name, setting in names.known().items()}
    expected |= {name: value for name, value, _ in sorted(entries, key=lambda each: LAYERS.index(each[2]))}
    tree = msgspec.to_builtins(found.tree())
    flat = {
        f"{key}.{below}" if isinstance(value, dict) else key: each
        for key, value in tree.items()
        for below, each in (value.items() if isinstance(value, dict) else [("", value)])
    }
    assert flat == expected


@drawn(entry)
def test_a_value_is_the_same_in_a_file_in_a_variable_and_when_it_is_shown(
    drawn_entry: tuple[str, Any, Layer],
) -> None:
    name, value, layer = drawn_entry
    as_text = value if isinstance(value, str) else json.dumps(value)
    for read in (given.read(name, value, layer, ""), given.read_text(name, as_text, layer, "")):
        assert isinstance(read, Given)
        assert read.value == value
        assert type(read.value) is type(value)
    shown = json.loads(words.shown(value).replace("_", "")) if not isinstance(value, str) else value
    assert shown == value
