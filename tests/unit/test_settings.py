"""The settings file, and the one variable that has the last word."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast import settings
from holdfast.errors import SettingsError


def test_the_variable_has_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[standby]\nkeep = 3\non_crash = "restore"\n')
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "exit")
    tree = settings.load(file)
    assert (tree.standby.keep, tree.standby.on_crash) == (3, "exit")


def test_a_wrong_value_of_it_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "explode")
    with pytest.raises(SettingsError, match="HOLDFAST_ON_CRASH is 'explode'") as caught:
        settings.load(tmp_path / "settings.toml")
    assert "settings.toml" not in str(caught.value.remedy)


@pytest.mark.parametrize("text", ["standby = 5", "[standby]\nkeep = -1", "[standby]\nkep = 1", "[standby"])
def test_a_file_that_is_wrong_is_named(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "exit")
    with pytest.raises(SettingsError, match=str(file)):
        settings.load(file)
