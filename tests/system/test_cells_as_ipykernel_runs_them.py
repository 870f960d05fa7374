"""What notebooks and tools expect of a cell's reply, as they know it from ipykernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.kernel import Kernel, only_holdfast, running
from kit.wire import Client

SHOWS = "try: 1 / 0\nexcept ZeroDivisionError: get_ipython().showtraceback()"
UNSHOWABLE = "class Odd:\n    def __repr__(self): return 1 / 0\nOdd()"


def test_a_cell_that_shows_an_error_itself_has_not_failed(guest: Client) -> None:
    first, second = guest.start(SHOWS), guest.start("6 * 7")
    cell = guest.finish(first)
    assert cell.status == "ok"
    assert cell.error["ename"] == "ZeroDivisionError"
    assert guest.finish(second).result == "42"


def test_a_cell_whose_result_cannot_be_shown_has_failed(guest: Client) -> None:
    cell = guest.run(UNSHOWABLE)
    assert cell.status == "error"
    assert cell.error["ename"] == "ZeroDivisionError"
    assert guest.do("1").result == "1"


@only_holdfast
@pytest.mark.parametrize("cell", ["while True: pass", "while True: print('x' * 50)"])
def test_an_interrupted_cells_traceback_ends_in_the_cell(shared: Kernel, guest: Client, cell: str) -> None:
    msg_id = guest.start(f"print('here', flush=True)\n{cell}")
    guest.text(msg_id, "here")
    shared.interrupt()
    assert "holdfast" not in guest.finish(msg_id).notice


def test_modules_beside_the_notebook_can_be_imported() -> None:
    with running() as kernel:
        client = kernel.client()
        folder = Path(client.value("import os; os.getcwd()"))
        (folder / "beside.py").write_text("answer = 42")
        assert client.value("import beside; beside.answer") == 42


@only_holdfast
def test_modules_beside_the_notebook_are_left_alone_if_the_user_said_so() -> None:
    with running("--InteractiveShellApp.ignore_cwd=True") as kernel:
        assert "" not in kernel.client().value("import sys; sys.path")


def test_hooks_are_told_which_cell_of_the_notebook_runs(guest: Client) -> None:
    guest.do(
        "told = []\ndef hook(info): told.append((info.cell_id, info.cell_meta))\n"
        "get_ipython().events.register('pre_run_cell', hook)"
    )
    guest.do("1", metadata={"cellId": "seven", "tags": []})
    guest.do("get_ipython().events.unregister('pre_run_cell', hook)")
    assert guest.value("told[0]") == ("seven", {"cellId": "seven", "tags": []})
