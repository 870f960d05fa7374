"""The log of a session as a file or as text: cells may have published anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fuzz.holds.parts import home
from holdfast.cellfiles import files
from holdfast.cli.logs import export, transcript

KINDS = (
    "stream",
    "display_data",
    "execute_result",
    "update_display_data",
    "error",
    "clear_output",
    "omitted",
    "x",
)


def holds(data: bytes) -> None:
    """JSON: a list of kinds and contents."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return
    outputs = [
        {"msg_type": KINDS[each[0] % len(KINDS)], "content": each[1]}
        for each in (said if isinstance(said, list) else [])
        if isinstance(each, list)
        and len(each) == 2
        and isinstance(each[0], int)
        and isinstance(each[1], dict)
    ]
    for each in outputs:
        if each["msg_type"] == "omitted":
            each["content"] = {"bytes": 5}  # ours
    put_out(outputs)


def seeds() -> Iterator[bytes]:
    contents: list[list[Any]] = [
        [0, {"name": "stdout", "text": "50%\r100%\n\x1b[1mx"}],
        [
            1,
            {
                "data": {"text/plain": "x", "image/png": "AAAA"},
                "metadata": {},
                "transient": {"display_id": "1"},
            },
        ],
        [
            2,
            {
                "data": {"text/markdown": "**x**", "text/html": ["<b>", 1]},
                "metadata": {},
                "execution_count": 1,
            },
        ],
        [3, {"data": {"text/plain": "y", "application/json": {"a": 1}}, "transient": {"display_id": "1"}}],
        [4, {"ename": "E", "evalue": "v", "traceback": ["\x1b[31mE", "v"]}],
        [5, {"wait": True}],
        [6, {}],
    ]
    yield json.dumps(contents).encode()
    for each in contents:
        yield json.dumps([each]).encode()


def put_out(outputs: list[Mapping[str, Any]]) -> None:
    """It can be written in every format, and read: as a notebook it is one."""
    cell = {
        "id": 1, "count": 1, "code": "x = '`'", "client": "ana", "status": "ok", "started": 1.5, "ended": 2.5,
        "outputs": outputs,
    }  # fmt: skip
    for colours in (True, False):
        transcript.show(cell, colours=colours)
    with home() as folder:
        for name in ("log.ipynb", "log.py", "log.md"):
            export.writer(folder / name)("work", [cell])
        found, _ = files.read(folder / "log.ipynb")
        assert [step.code for step in found.steps()] == ["x = '`'"]
        compile((folder / "log.py").read_bytes(), "log.py", "exec", dont_inherit=True)
