"""A log as the tree of a notebook: nbformat 4.5 (nbformat.readthedocs.io, "The Notebook file format"). Pure.

What was updated or cleared while it was on the screen is there as it stood at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from holdfast.cli import text
from holdfast.cli.cells import Cell
from holdfast.cli.transcript import OMITTED

Tree = dict[str, Any]
"""JSON of a notebook, of a cell or of an output."""

_KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
"""Of whoever opens it: everybody's Jupyter has it."""

_JSON = "json"
"""What kinds of data end in that are no text."""


def of_cells(cells: Iterable[Cell]) -> Tree:
    """The notebook of cells (CellEntry of protocol/operations.py), of which each has begun."""
    displays: dict[str, list[Tree]] = {}  # by id: an update may be of an earlier cell's
    return {
        "cells": [_cell(cell, displays) for cell in cells],
        "metadata": {"kernelspec": _KERNELSPEC, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(cell: Cell, displays: dict[str, list[Tree]]) -> Tree:
    times = {"iopub.execute_input": cell["started"], "shell.execute_reply": cell["ended"]}
    ours = {"client": cell["client"], "started": cell["started"], "status": cell["status"]}
    return {
        "cell_type": "code",
        "execution_count": cell["count"],
        "id": f"cell-{cell['id']}",
        "metadata": {"execution": {name: _iso(at) for name, at in times.items() if at}, "holdfast": ours},
        "outputs": _outputs(cell["outputs"], displays),
        "source": cell["code"].splitlines(keepends=True),
    }


def _outputs(published: Iterable[Mapping[str, Any]], displays: dict[str, list[Tree]]) -> list[Tree]:
    outputs: list[Tree] = []
    clear_at_next = False
    for each in published:
        kind, content = each["msg_type"], each["content"]
        if kind == "update_display_data":
            for shown in displays.get(_display_id(content), []):
                shown.update(_bundle(content))
        elif kind == "clear_output":
            clear_at_next = bool(content.get("wait"))
            if not clear_at_next:
                outputs.clear()
        else:
            if clear_at_next:
                outputs.clear()
                clear_at_next = False
            _add(outputs, kind, content)
            if identity := _display_id(content):
                displays.setdefault(identity, []).append(outputs[-1])
    return outputs


def _add(outputs: list[Tree], kind: str, content: Mapping[str, Any]) -> None:
    if kind == OMITTED:
        words = f"({text.size(content['bytes'])} of output were not kept)\n"
        _add(outputs, "stream", {"name": "stderr", "text": words})
    elif kind == "stream":
        name, lines = content.get("name", "stdout"), str(content.get("text", "")).splitlines(keepends=True)
        last = outputs[-1] if outputs else {}
        if last.get("name") != name:  # only streams have one
            outputs.append({"name": name, "output_type": kind, "text": lines})
            return
        written = last["text"]
        if written and lines and not written[-1].endswith("\n"):
            lines[0] = written.pop() + lines[0]
        written += lines
    elif kind == "error":
        fields = {name: content.get(name) or none for name, none in (("ename", ""), ("evalue", ""))}
        outputs.append({**fields, "output_type": kind, "traceback": content.get("traceback") or []})
    else:
        count = {"execution_count": content.get("execution_count")} if kind == "execute_result" else {}
        outputs.append({"output_type": kind, **count, **_bundle(content)})


def _bundle(content: Mapping[str, Any]) -> Tree:
    data = {kind: _in_lines(kind, value) for kind, value in (content.get("data") or {}).items()}
    return {"data": data, "metadata": content.get("metadata") or {}}


def _in_lines(kind: str, value: object) -> object:
    is_text = isinstance(value, str) and not kind.endswith(_JSON)
    return value.splitlines(keepends=True) if is_text and isinstance(value, str) else value


def _display_id(content: Mapping[str, Any]) -> str:
    return str((content.get("transient") or {}).get("display_id") or "")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
