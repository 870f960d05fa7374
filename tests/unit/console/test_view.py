"""The messages of one cell, on a screen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from holdfast.console.bundle import Bundles
from holdfast.console.screen import Screen
from holdfast.console.view import CellView
from holdfast.console.widgets import VIEW
from kit.page import Page


def stream(text: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": text}


def display(text: str, identity: str = "", *, update: bool = False) -> tuple[str, dict[str, Any]]:
    content: dict[str, Any] = {"data": {"text/plain": text}}
    if identity:
        content["transient"] = {"display_id": identity}
    return "update_display_data" if update else "display_data", content


def clear(*, wait: bool) -> tuple[str, dict[str, Any]]:
    return "clear_output", {"wait": wait}


def shown(screen: Screen, page: Page, *messages: tuple[str, dict[str, Any]]) -> list[str]:
    """The page after a cell of ours has sent `messages`."""
    screen.write("In [1]: code\n")
    view = CellView(screen, Bundles("none", page), others=False)
    for msg_type, content in messages:
        view.show(msg_type, content)
    view.finish()
    screen.write("In [2]:")
    return page.lines[1:-1]


def test_text_and_results_come_in_order_and_results_begin_a_line(screen: Screen, page: Page) -> None:
    result = ("execute_result", {"execution_count": 1, "data": {"text/plain": "42"}})
    assert shown(screen, page, stream("a\nb"), display("shown"), stream("c"), result) == [
        "a",
        "b",
        "shown",
        "c",
        "Out[1]: 42",
    ]


def test_a_progress_bar_is_drawn_in_place(screen: Screen, page: Page) -> None:
    assert shown(screen, page, stream("\r50 %"), stream("\r100 %")) == ["100 %"]


def test_clear_output_takes_away_what_was_shown(screen: Screen, page: Page) -> None:
    assert shown(screen, page, stream("old\nold"), clear(wait=False)) == []


def test_clear_output_that_waits_does_so_with_the_next_output(screen: Screen, page: Page) -> None:
    assert shown(screen, page, stream("old\n"), clear(wait=True)) == ["old"]


def test_clear_output_that_waited_makes_place(screen: Screen, page: Page) -> None:
    animation = [message for text in "abc" for message in (clear(wait=True), stream(f"{text}\n{text}\n"))]
    assert shown(screen, page, *animation) == ["c", "c"]


def test_an_updated_display_is_redrawn_in_place(screen: Screen, page: Page) -> None:
    messages = [
        display("one\nline", "d"),
        display("two", "d", update=True),
        display("three", "d", update=True),
    ]
    assert shown(screen, page, stream("before\n"), *messages) == ["before", "three"]


def test_a_display_with_something_below_it_is_shown_again(screen: Screen, page: Page) -> None:
    messages = [display("one", "d"), stream("between\n"), display("two", "d", update=True)]
    assert shown(screen, page, *messages) == ["one", "between", "two"]


def test_of_displays_one_below_the_other_each_is_updated_in_its_place(screen: Screen, page: Page) -> None:
    bars = [
        display("a1", "a"),
        display("b1", "b"),
        display("shown once"),
        display("a2\na2", "a", update=True),
    ]
    updates = [display("b2", "b", update=True), display("a3", "a", update=True)]
    assert shown(screen, page, *bars, *updates) == ["a3", "b2", "shown once"]


def test_the_cell_of_another_client_is_shown_with_its_code(screen: Screen, page: Page) -> None:
    screen.write("half written")
    view = CellView(screen, Bundles("none", page), "ana")
    view.show("status", {"execution_state": "busy"})
    view.show("execute_input", {"code": "6 * 7", "execution_count": 3})
    view.show("execute_result", {"execution_count": 3, "data": {"text/plain": "42"}})
    view.finish()
    assert page.lines == ["half written", "", "[ana] In [3]: 6 * 7", "[ana] Out[3]: 42"]


def test_our_own_code_is_not_shown_again(screen: Screen, page: Page) -> None:
    assert shown(screen, page, ("execute_input", {"code": "x", "execution_count": 1})) == []


def comm(kind: str, identity: str, model: str = "", **state: Any) -> tuple[str, dict[str, Any]]:
    told = {**({"_model_name": model} if model else {}), **state}
    return kind, {"comm_id": identity, "target_name": "jupyter.widget", "data": {"state": told}}


WIDGET = ("display_data", {"data": {"text/plain": "HBox()", VIEW: {"model_id": "w"}}})
OPENED = comm("comm_open", "w", "LabelModel", value="0 %")


def test_a_widget_is_drawn_anew_when_it_changes(screen: Screen, page: Page) -> None:
    half, full = (comm("comm_msg", "w", value=f"{share} %") for share in (50, 100))
    assert shown(screen, page, OPENED, WIDGET, half, display("below"), full) == ["100 %", "below"]


def test_a_widget_with_text_below_it_is_shown_once_more_at_the_end(screen: Screen, page: Page) -> None:
    updates = [comm("comm_msg", "w", value=f"{share} %") for share in (50, 100)]
    messages = [OPENED, WIDGET, stream("said\n"), *updates]
    assert shown(screen, page, *messages) == ["0 %", "said", "100 %"]


def test_a_widget_that_is_closed_is_taken_away(screen: Screen, page: Page) -> None:
    assert shown(screen, page, OPENED, WIDGET, ("comm_close", {"comm_id": "w"})) == []


def test_a_widget_that_nobody_knows_is_its_text(screen: Screen, page: Page) -> None:
    assert shown(screen, page, WIDGET, comm("comm_msg", "w", value="50 %")) == ["HBox()"]


def test_a_result_of_several_lines_or_a_picture_stands_below_its_prompt(screen: Screen, page: Page) -> None:
    result = ("execute_result", {"execution_count": 1, "data": {"text/html": "<p>a</p><p>b</p>"}})
    assert shown(screen, page, result) == ["Out[1]:", "a", "", "b"]


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("error", {"traceback": 5}),
        ("execute_input", {"code": {}, "execution_count": []}),
        ("execute_result", {"data": {"image/png": 1, "text/latex": []}, "metadata": 3}),
        ("display_data", {"data": {"text/html": "<![if x"}, "transient": "?"}),
        ("update_display_data", {"data": 7}),
        ("comm_open", {"comm_id": [], "target_name": "jupyter.widget", "data": {"state": {"value": {}}}}),
        ("stream", {"name": 3, "text": None}),
    ],
)
def test_a_message_that_makes_no_sense_never_ends_the_console(
    screen: Screen, page: Page, msg_type: str, content: dict[str, Any]
) -> None:
    assert shown(screen, page, stream("before\n"), (msg_type, content), display("after"))[-1] == "after"


def test_a_message_that_can_not_be_shown_is_named(screen: Screen, page: Page) -> None:
    assert shown(screen, page, ("error", {"traceback": 5})) == ["<error that can't be shown: TypeError>"]


def test_a_cell_that_crashed_on_the_other_screen_tells_it_on_this_one(screen: Screen, page: Page) -> None:
    shown(screen, page, stream("\x1b[?1049h\x1b[?1000hmenu"), ("error", {"ename": "Crash", "evalue": "x"}))
    after = page.getvalue().partition("menu")[2]
    assert after.index("\x1b[?1000l\x1b[?1049l") < after.index("Crash")


EVIL = "\x1b]0;t\x07\x1b]52;c;eA==\x1b\\\x1b[6n\x1b[?1049h\x1b[?25l\x1b(0\x9b5n\x1bPq~\x1b\\\x01\x0e"


def widget(state: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [comm("comm_open", "m", **state), ("display_data", {"data": {VIEW: {"model_id": "m"}}})]


@pytest.mark.parametrize(
    "messages",
    [
        [("execute_input", {"code": f"x{EVIL}", "execution_count": EVIL})],
        [stream(EVIL)],
        [stream(each) for each in EVIL],
        [("stream", {"name": "stderr", "text": EVIL})],
        [("execute_result", {"data": {"text/plain": EVIL}, "execution_count": EVIL})],
        [display(EVIL), display(EVIL, "d"), display(f"y{EVIL}", "d", update=True)],
        *[
            [("display_data", {"data": {mime: f"z {EVIL}"}})]
            for mime in (
                "text/markdown",
                "text/latex",
                "text/html",
                "application/json",
                f"x/{EVIL}",
                "image/png",
            )
        ],
        [("error", {"ename": EVIL, "evalue": EVIL})],
        [("error", {"ename": "E", "evalue": "", "traceback": [EVIL, EVIL]})],
        widget({"_model_name": "LabelModel", "value": EVIL, "description": EVIL}),
        widget({"_model_name": "HTMLModel", "value": EVIL}),
        widget({"_model_name": "OutputModel", "outputs": [{"text": EVIL}]}),
        [stream("a"), clear(wait=True), stream(EVIL)],
    ],
)
def test_nothing_that_another_client_sends_does_more_than_be_seen(
    screen: Screen, page: Page, messages: list[tuple[str, dict[str, Any]]]
) -> None:
    view = CellView(screen, Bundles("auto", page), "ana")
    for msg_type, content in messages:
        view.show(msg_type, content)
    view.finish()
    written = re.sub(r"\x1b\[[\d;]*[mKJA-G]", "", page.getvalue())
    assert not re.search(r"[\x00-\x06\x0b\x0c\x0e-\x1f\x7f-\x9f]", written)


def test_others_can_not_write_over_what_stood_above_their_cell(screen: Screen, page: Page) -> None:
    screen.write("mine\n")
    view = CellView(screen, Bundles("none", page), "ana")
    view.show("execute_input", {"code": "x", "execution_count": 1})
    for msg_type, content in [stream("a\nb\n"), clear(wait=False), stream("\x1b[9A\rhers")]:
        view.show(msg_type, content)
    assert page.lines == ["mine", "", "[ana] In [1]: x", "hers"]


def test_others_can_not_write_over_what_came_between(screen: Screen, page: Page) -> None:
    view = CellView(screen, Bundles("none", page), "ana")
    view.show(*stream("one\ntwo\n\x1b[Ahers\n"))
    screen.note("mine")
    view.show(*stream("\x1b[9Athree\n\x1b[Afour\n"))
    assert page.lines == ["one", "hers", "mine", "foure"]


def test_a_colour_that_others_leave_on_is_not_that_of_the_next_words(screen: Screen, page: Page) -> None:
    view = CellView(screen, Bundles("none", page), "ana")
    view.show(*stream("\x1b[8mhidden"))
    screen.note("seen")
    assert "\x1b[0m" in page.getvalue().partition("hidden")[2].partition("seen")[0]
