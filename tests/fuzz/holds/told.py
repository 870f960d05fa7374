"""What a session says that may be anybody's: contents of messages, as the console shows them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pyte

from fuzz.holds.parts import is_told_well, joined, parts_of
from holdfast.console.bundle import Bundles
from holdfast.console.screen import Screen
from holdfast.console.view import CellView
from holdfast.errors import MalformedMessage
from holdfast.protocol import codec, operations, told

COLUMNS, ROWS = 40, 12

_USUAL: dict[str, dict[str, Any]] = {
    "stream": {"name": "stderr", "text": "50 %\r100 %\x1b[31m red\x1b[0m"},
    "display_data": {"data": {"text/html": "<b>a</b>"}, "transient": {"display_id": "x"}},
    "update_display_data": {"data": {"text/plain": "b"}, "transient": {"display_id": "x"}},
    "execute_result": {"data": {"text/plain": "4"}, "metadata": {}, "execution_count": 1},
    "execute_input": {"code": "1", "execution_count": 1},
    "error": {"ename": "E", "evalue": "v", "traceback": ["\x1b[31ma\x1b[0m"]},
    "clear_output": {"wait": True},
    "comm_open": {"comm_id": "c", "target_name": "jupyter.widget", "data": {"state": {"value": 1}}},
    "comm_msg": {"comm_id": "c", "data": {"state": {"children": ["IPY_MODEL_c"]}}},
    "holdfast_queued": {"ahead": 1},
    "holdfast_clients_reply": {"status": "ok", "clients": [{"name": "a", "kind": "console"}]},
}


def holds(data: bytes) -> None:
    """The parts are types and contents in turn."""
    parts = parts_of(data)
    messages: list[tuple[str, dict[str, Any]]] = []
    for name, raw in zip(parts[::2], parts[1::2], strict=False):
        try:
            codec.check_object(raw, "content")
            content = msgspec.json.decode(raw)
        except (MalformedMessage, msgspec.MsgspecError):
            continue
        messages += fits(name.decode(errors="replace"), content)
    shown(messages)


def seeds() -> Iterator[bytes]:
    for msg_type in told.TYPES:
        yield joined(msg_type.encode(), json.dumps(_USUAL.get(msg_type, {})).encode())
    for name in operations.OPERATIONS:
        yield joined(operations.reply_type(name).encode(), b'{"status": "ok"}')
    yield joined(
        *(part for name, usual in _USUAL.items() for part in (name.encode(), json.dumps(usual).encode()))
    )


def fits(msg_type: str, content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What fits does so again; of what does not, the reason is told in words that do no harm."""
    try:
        fitting = told.fitting(msg_type, content)
    except MalformedMessage as error:
        assert is_told_well(error.what)
        assert len(error.what) <= told.WORDS_CHARACTERS
        return []
    assert told.fitting(msg_type, fitting) == fitting
    return [(msg_type, fitting)]


class Paper(io.StringIO):
    """A terminal that only writes."""

    def isatty(self) -> bool:
        """So that all is shown as on one."""
        return True


def shown(messages: list[tuple[str, dict[str, Any]]]) -> None:
    """On the screen there is text: title, modes, answers and what the screen is like are as they were."""
    paper, asked = Paper(), []
    terminal = pyte.Screen(COLUMNS, ROWS)
    terminal.write_process_input = asked.append
    modes, charset = set(terminal.mode), terminal.charset
    screen = Screen(paper, paper)
    view = CellView(screen, Bundles("blocks", paper), "ana")
    for msg_type, content in messages:
        view.show(msg_type, content)
    view.finish()
    screen.settle()
    pyte.Stream(terminal).feed(paper.getvalue().replace("\n", "\r\n"))
    assert (terminal.title, terminal.icon_name, terminal.charset) == ("", "", charset)
    assert terminal.mode == modes
    assert terminal.margins is None
    assert not asked
    assert "that can't be shown" not in paper.getvalue()
