"""Files of cells: notebooks, and scripts with `# %%`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fuzz.holds.parts import home
from holdfast.cellfiles import document, files
from holdfast.cellfiles.document import Document
from holdfast.errors import HoldfastError

_SCRIPT = b"#"
"""The first byte of an input that is a script."""


def holds(data: bytes) -> None:
    a_file(data, "x.py" if data.startswith(_SCRIPT) else "x.ipynb")


def seeds() -> Iterator[bytes]:
    made = document.new()
    made.cells.append(made.new_cell("code", "x = 1\n%pwd", {"tags": ["parameters"], "title": "a"}))
    made.cells.append(made.new_cell("markdown", "# words", {}))
    yield json.dumps(made.tree, indent=1).encode() + b"\n"
    yield json.dumps(made.tree).encode()
    yield b"# %% first\nx = '''\n# %%\n'''\n\n# %% [markdown]\n# words\n"
    yield b"# -*- coding: latin-1 -*-\n# %%\ny = 1 # \xe9\n"


def a_file(content: bytes, name: str) -> None:
    """Its cells can be run, and a notebook is written as it was; or it is refused."""
    with home() as folder:
        path = folder / name
        path.write_bytes(content)
        try:
            found, place = files.read(path)
        except HoldfastError as error:
            assert str(path) in error.what
            return
        _can_be_used(found)
        if place is not None:
            before = json.dumps(found.tree)
            assert place.write(found) is False
            again, _ = files.read(path)
            assert json.dumps(again.tree) == before
            again.inject("x = 2")
            assert again.tagged(document.INJECTED) is not None


def _can_be_used(found: Document) -> None:
    steps = found.steps()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.code.strip() for step in steps)
    assert all(isinstance(step.title, str) for step in steps)
    found.tagged(document.PARAMETERS)
