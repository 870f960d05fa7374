"""Other clients' messages, as a console takes them."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.client.exchange import Incoming
from holdfast.console.bundle import Bundles
from holdfast.console.others import VIEWS, Others
from holdfast.console.screen import Screen
from holdfast.protocol.messages import Header
from kit.page import Page

ANA = Header(msg_id="ana-1", msg_type="execute_request", session="a1b2c3d4", username="ana")
TWIN = Header(msg_id="twin-1", msg_type="execute_request", session="beef0000", username="me")
OURS = Header(msg_id="me-1", msg_type="execute_request", session="mine", username="me")


def message(parent: Header, msg_type: str, *, mine: bool = False, **content: Any) -> Incoming:
    header = Header(msg_id="k", msg_type=msg_type)
    return Incoming("iopub", header, parent, {}, content, [], mine)


@pytest.fixture
def counts() -> list[int]:
    return []


@pytest.fixture
def others(screen: Screen, page: Page, counts: list[int]) -> Others:
    return Others(screen, Bundles("none", page), "me", counts.append)


def test_a_cell_is_shown_with_its_clients_name_while_it_runs(
    others: Others, page: Page, counts: list[int]
) -> None:
    others.take(message(ANA, "execute_input", code="6 * 7", execution_count=3))
    assert others.running is not None
    assert others.running.title == "In [3] of ana"
    others.take(message(ANA, "stream", name="stdout", text="half"))
    others.take(message(ANA, "status", execution_state="idle"))
    assert others.running is None
    assert counts == [3]
    assert page.lines == ["", "[ana] In [3]: 6 * 7", "half"]


def test_a_namesake_is_told_apart_by_its_session(others: Others) -> None:
    assert others.title(TWIN) == "me beef"
    assert others.title(Header(msg_id="x", msg_type="", session="cafe1234")) == "cafe"
    assert others.title(Header(msg_id="x", msg_type="")) == "?"


def test_a_name_can_not_fill_the_screen_or_move_the_cursor(others: Others) -> None:
    title = others.title(Header(msg_id="x", msg_type="", username="\x1b[2J" + "a" * 100))
    assert title.startswith(r"\x1b[2Jaaa")
    assert len(title) <= 24


def test_late_output_of_our_own_has_no_label(others: Others, page: Page) -> None:
    others.take(message(OURS, "stream", mine=True, name="stdout", text="late\n"))
    assert page.lines == ["late"]


def test_what_only_asks_does_not_end_what_runs(others: Others) -> None:
    others.take(message(ANA, "execute_input", code="x", execution_count=1))
    asked = Header(msg_id="ana-2", msg_type="complete_request", session="a1b2c3d4", username="ana")
    others.take(message(asked, "status", execution_state="idle"))
    assert others.running is not None


def test_a_restart_and_an_end_are_told_with_who_did_it(others: Others, page: Page, counts: list[int]) -> None:
    others.take(message(ANA, "shutdown_reply", restart=True, status="ok"))
    assert not others.ended
    assert counts == [0]
    others.take(message(ANA, "shutdown_reply", restart=False, status="ok"))
    assert others.ended
    assert " ".join(page.lines) == (
        "the session was restarted with an empty namespace by ana the session was ended by ana"
    )


def test_a_dead_interpreter_is_told(others: Others, page: Page) -> None:
    others.take(message(Header(msg_id="", msg_type=""), "status", execution_state="dead"))
    assert page.lines == ["the interpreter is dead"]


def test_labels_of_old_cells_are_forgotten_first(others: Others, page: Page) -> None:
    for number in range(VIEWS + 1):
        parent = Header(msg_id=f"c{number}", msg_type="execute_request", session="s", username="ana")
        others.take(message(parent, "display_data", data={"text/plain": "x"}))
    assert len(page.getvalue().splitlines()) == VIEWS + 1
