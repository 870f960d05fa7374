"""Which files `holdfast run` takes for files of cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.cellfiles import percent
from holdfast.cli.commands.run import is_cell_file
from holdfast.cli.main import main


@pytest.mark.parametrize("line", ["# %%", "#%%", "# %% A title", "# %%%% Below it", "#\t%%"])
def test_a_script_with_a_mark_in_any_editors_way_has_cells(tmp_path: Path, line: str) -> None:
    assert percent.is_mark(line)
    for text in (f"{line}\nx = 1\n", f"x = 1\r\n{line}\r\n", f"x\n{line}"):
        file = tmp_path / "a.py"
        file.write_bytes(text.encode())
        assert is_cell_file(str(file))


@pytest.mark.parametrize("line", ["# %%time", "x = '# %%'", "# 5 %% 3", "  # %%"])
def test_other_lines_make_none(tmp_path: Path, line: str) -> None:
    assert not percent.is_mark(line)
    file = tmp_path / "a.py"
    file.write_text(f"{line}\n")
    assert not is_cell_file(str(file))


@pytest.mark.parametrize("words", [["--resume", "--fresh", "FILE"], ["--resume", "FILE", "--fresh"]])
def test_a_run_is_resumed_or_fresh_wherever_the_options_stand(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.py"
    file.write_text("# %%\n1\n")
    assert main(["run", *(str(file) if word == "FILE" else word for word in words)]) == 2
    assert "--fresh: not allowed with argument --resume" in capsys.readouterr().err
