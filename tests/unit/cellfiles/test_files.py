"""Files of cells on disk: what is read, and that a notebook is written as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from holdfast.cellfiles import files
from holdfast.cellfiles.document import Document, source
from holdfast.errors import HoldfastError

NOTEBOOK: dict[str, Any] = {
    "zebra": {"b": 1, "a": [1.5, None]},
    "nbformat_minor": 5,
    "nbformat": 4,
    "metadata": {"kernelspec": {"name": "x", "display_name": "Ü"}, "widgets": {"é": "\u2028"}},
    "cells": [
        {
            "source": "x = 1",
            "cell_type": "code",
            "id": "ab",
            "metadata": {"tags": []},
            "outputs": [],
            "more": 1,
        },
        {
            "cell_type": "code",
            "source": ["y", "\n", "z"],
            "metadata": {},
            "outputs": [],
            "execution_count": 3,
        },
        {"cell_type": "markdown", "source": ["a\n", "b"], "metadata": {}, "attachments": {}},
    ],
}


def place_of(path: Path) -> tuple[Document, files.Place]:
    document, place = files.read(path)
    assert place is not None
    return document, place


LAYOUTS = [
    json.dumps(NOTEBOOK, indent=1, ensure_ascii=False) + "\n",
    json.dumps(NOTEBOOK, indent=2, ensure_ascii=True),
    json.dumps(NOTEBOOK, indent="\t", ensure_ascii=False).replace("\n", "\r\n") + "\r\n",
    json.dumps(NOTEBOOK),
]


@pytest.mark.parametrize("text", LAYOUTS, ids=["nbformat", "colab", "windows", "line"])
def test_what_is_not_changed_is_written_byte_for_byte_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(text.encode())
    document, place = place_of(path)
    assert place.write(document) is False
    assert path.read_bytes() == text.encode()
    assert [each.name for each in tmp_path.iterdir()] == ["a.ipynb"]


def test_half_a_surrogate_pair_is_written_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(NOTEBOOK | {"half": "\ud800 ü"}).replace("\\u00fc", "ü"))
    document, place = place_of(path)
    place.write(document)
    assert json.loads(path.read_text())["half"] == "\ud800 ü"


def test_steps_are_the_cells_of_code_in_either_way_of_writing_them(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(LAYOUTS[0])
    steps = place_of(path)[0].steps()
    assert [(step.number, step.place, step.code, step.title) for step in steps] == [
        (1, 0, "x = 1", "x = 1"),
        (2, 1, "y\nz", "y"),
    ]


def test_mode_and_link_stay_what_they_were(tmp_path: Path) -> None:
    path, link = tmp_path / "a.ipynb", tmp_path / "link.ipynb"
    path.write_text(LAYOUTS[0])
    path.chmod(0o640)
    link.symlink_to("a.ipynb")
    document, place = place_of(link)
    document.tree["new"] = 1
    place.write(document)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert json.loads(path.read_text())["new"] == 1


def test_a_notebook_that_somebody_else_has_saved_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(LAYOUTS[0])
    document, place = place_of(path)
    assert place.write(document) is False
    path.write_text("theirs")
    (tmp_path / "a-run.ipynb").write_text("of the last time")
    assert place.write(document) is True
    assert place.write(document) is False
    assert path.read_text() == "theirs"
    assert (tmp_path / "a-run.ipynb").read_text() == "of the last time"
    assert json.loads((tmp_path / "a-run1.ipynb").read_text()) == NOTEBOOK


def test_what_somebody_writes_where_the_outputs_are_to_go_is_not_written_over_either(tmp_path: Path) -> None:
    path = tmp_path / "out.ipynb"
    for was in ("", "there"):
        if was:
            path.write_text(was)
        place = files.place_for(path)
        assert place.write(Document(dict(NOTEBOOK))) is False
        path.write_text("theirs")
        assert place.write(Document(dict(NOTEBOOK))) is True
    assert path.read_text() == "theirs"


def test_a_full_disk_leaves_the_old_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(LAYOUTS[0])
    document, place = place_of(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HoldfastError, match="No space left"):
        place.write(document)
    assert path.read_text() == LAYOUTS[0]
    assert [each.name for each in tmp_path.iterdir()] == ["a.ipynb"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a notebook"),
        ("[1]", "no nbformat"),
        ('{"nbformat": 3, "worksheets": []}', "format 3"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "cell 1"),
        ('{"nbformat": 4, "cells": [3]}', "cell 1"),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"language_info": {"name": "R"}}}',
            "for r, not for Python",
        ),
        ("[" * 100_000, "not a notebook"),
    ],
)
def test_what_is_no_notebook_is_refused_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(HoldfastError, match=rf"a\.ipynb.*{words}"):
        files.read(path)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="No such file"):
        files.read(tmp_path / "a.py")
    (tmp_path / "b.py").write_bytes(b"# %%\n\xff\n")
    with pytest.raises(HoldfastError, match=r"can't read .*b\.py"):
        files.read(tmp_path / "b.py")


def test_parameters_go_below_their_defaults_and_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text('# %%\nimport os\n# %% tags=["parameters"]\na = 1\n# %%\na\n')
    document, place = files.read(path)
    assert place is None
    document.inject("a = 2")
    assert [source(cell) for cell in document.cells] == ["import os", "a = 1", "a = 2", "a"]
    document.inject("a = 3")
    assert [source(cell) for cell in document.cells] == ["import os", "a = 1", "a = 3", "a"]
    assert len({cell["id"] for cell in document.cells}) == 4


def test_without_defaults_parameters_come_first(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("# %%\nimport os\n")
    document, _ = files.read(path)
    document.inject("a = 2")
    assert [source(cell) for cell in document.cells] == ["a = 2", "import os"]
