"""A notebook in memory, and its cells that run. No file, no session.

The tree is what the file says (nbformat 4): what nobody here knows is kept as it is.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import msgspec

from holdfast.errors import HoldfastError

Tree = dict[str, Any]
"""JSON of a notebook, or of one of its cells."""

PARAMETERS, INJECTED = "parameters", "injected-parameters"
"""Tags of papermill's: the cell with the defaults, and the one that stands in for them."""

MAY_FAIL, NOT_RUN = "raises-exception", "skip-execution"
"""Tags of nbclient's: an error of this cell is none; this cell is left out."""

FORMAT = 4
_MINOR_WITH_IDS = 5
"""nbformat 4.5 and newer: each cell has an id."""

_DECORATION = re.compile(r"^[#\s%]*")


class Step(msgspec.Struct, frozen=True):
    """A cell that runs."""

    place: int
    """Among all cells of the notebook."""
    number: int
    """Among those that run, from 1."""
    code: str
    title: str
    may_fail: bool = False


class Document:
    """One notebook."""

    def __init__(self, tree: Tree) -> None:
        """HoldfastError if it is none that we know."""
        _check(tree)
        self.tree = tree
        self._taken = {str(each.get("id")) for each in self.cells}
        self._ids = itertools.count(1)  # of cells that are new: to look through all for each takes a square

    @property
    def cells(self) -> list[Tree]:
        """All of them, in order."""
        cells: list[Tree] = self.tree["cells"]
        return cells

    @property
    def language(self) -> str | None:
        """Of its code, in lower case; None if it does not say."""
        metadata = self.tree.get("metadata")
        for key, name in (("kernelspec", "language"), ("language_info", "name")):
            found = metadata.get(key) if isinstance(metadata, dict) else None
            if isinstance(found, dict) and isinstance(found.get(name), str):
                return str(found[name]).lower()
        return None

    def steps(self) -> list[Step]:
        """Those that run: code that is not blank, and not tagged to be left out."""
        places = [
            place
            for place, cell in enumerate(self.cells)
            if cell["cell_type"] == "code" and source(cell).strip() and NOT_RUN not in tags(cell)
        ]
        return [
            Step(place, number, source(cell), title(cell), MAY_FAIL in tags(cell))
            for number, place in enumerate(places, 1)
            for cell in [self.cells[place]]
        ]

    def tagged(self, tag: str) -> int | None:
        """The place of the first code cell with this tag."""
        found = (
            place
            for place, cell in enumerate(self.cells)
            if cell["cell_type"] == "code" and tag in tags(cell)
        )
        return next(found, None)

    def inject(self, code: str) -> None:
        """Put in the cell with parameters: in the place of an earlier one, after the defaults, or first."""
        cell = self.new_cell("code", code, {"tags": [INJECTED]})
        injected, defaults = self.tagged(INJECTED), self.tagged(PARAMETERS)
        if injected is not None:
            self.cells[injected] = cell
        else:
            self.cells.insert(0 if defaults is None else defaults + 1, cell)

    def new_cell(self, kind: str, text: str, metadata: Tree) -> Tree:
        """A cell for this notebook, with an id if its cells have such."""
        cell: Tree = {"cell_type": kind, "metadata": metadata, "source": lines(text)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        if self.tree.get("nbformat_minor", 0) >= _MINOR_WITH_IDS:
            ids = (f"cell-{number}" for number in self._ids)
            cell["id"] = next(found for found in ids if found not in self._taken)
        return dict(sorted(cell.items()))  # as nbformat writes it


def new() -> Document:
    """An empty notebook."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"file_extension": ".py", "name": "python"}}
    return Document(
        {"cells": [], "metadata": metadata, "nbformat": FORMAT, "nbformat_minor": _MINOR_WITH_IDS}
    )


def source(cell: Tree) -> str:
    """A cell's text, which files hold in one piece or by lines."""
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def tags(cell: Tree) -> list[Any]:
    """A cell's tags."""
    found = cell.get("metadata", {}).get("tags")
    return found if isinstance(found, list) else []


def title(cell: Tree) -> str:
    """What a cell is called: its title, or the first line in which something stands."""
    named = cell.get("metadata", {}).get("title")
    if isinstance(named, str) and named.strip():
        return named.strip()
    written = [line.strip() for line in source(cell).splitlines() if _DECORATION.sub("", line)]
    return written[0] if written else ""


def lines(text: str) -> list[str]:
    """A text as notebooks hold it."""
    return text.splitlines(keepends=True)


def _check(tree: object) -> None:
    if not isinstance(tree, dict) or not isinstance(tree.get("nbformat"), int):
        raise HoldfastError("this is not a notebook: it has no nbformat")
    if tree["nbformat"] != FORMAT:
        raise HoldfastError(
            f"this notebook is of format {tree['nbformat']}, not {FORMAT}",
            f"jupyter nbconvert --to notebook --nbformat {FORMAT} FILE",
        )
    cells = tree.get("cells")
    if not isinstance(cells, list):
        raise HoldfastError("this notebook has no list of cells")
    for number, cell in enumerate(cells, 1):
        if not _is_cell(cell):
            raise HoldfastError(f"cell {number} of this notebook is none of a known kind")


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    text = cell.get("source", "")
    fine = isinstance(text, str) or (isinstance(text, list) and all(isinstance(each, str) for each in text))
    return fine and isinstance(cell.get("metadata", {}), dict)
