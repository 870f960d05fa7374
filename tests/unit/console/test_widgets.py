"""Widgets as text, by the messages that ipywidgets sends."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.console.widgets import MODELS, VIEW, Widgets


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def opened(widgets: Widgets, identity: str, model: str, **state: Any) -> None:
    content = {
        "comm_id": identity,
        "target_name": "jupyter.widget",
        "data": {"state": {"_model_name": f"{model}Model", **state}},
    }
    assert widgets.take("comm_open", content) is None


def changed(widgets: Widgets, identity: str, **state: Any) -> str | None:
    return widgets.take("comm_msg", {"comm_id": identity, "data": {"method": "update", "state": state}})


@pytest.fixture
def bar() -> Widgets:
    """A progress bar of tqdm.notebook."""
    widgets = Widgets()
    opened(widgets, "left", "HTML", value="loading:\u2007100%")
    opened(widgets, "bar", "FloatProgress", value=5, min=0, max=10, bar_style="")
    opened(widgets, "right", "HTML", value="5/10 [00:01&lt;00:01]")
    opened(widgets, "box", "HBox", children=["IPY_MODEL_left", "IPY_MODEL_bar", "IPY_MODEL_right"])
    return widgets


def test_a_progress_bar_is_a_line(bar: Widgets) -> None:
    assert bar.text("box", 50) == f"loading: 100% {'━' * 16} 5/10 [00:01<00:01]"


def test_its_parts_belong_to_it_and_tell_when_they_change(bar: Widgets) -> None:
    assert changed(bar, "right", value="6/10") == "right"
    assert bar.involves("box", "right")
    assert not bar.involves("left", "right")
    assert bar.text("box", 80).endswith(" 6/10")


def test_a_closed_widget_shows_nothing(bar: Widgets) -> None:
    assert bar.take("comm_close", {"comm_id": "box"}) == "box"
    assert bar.text("box", 80) == ""


@pytest.mark.parametrize(
    ("model", "state", "text"),
    [
        ("IntSlider", {"description": "n", "value": 3}, "n: 3"),
        ("Dropdown", {"_options_labels": ["a", "b"], "index": 1}, "b"),
        ("SelectMultiple", {"_options_labels": ["a", "b", "c"], "index": [0, 2]}, "a, c"),
        ("Checkbox", {"description": "really", "value": True}, "really: [x]"),
        ("Button", {"description": "Go"}, "[ Go ]"),
        ("Text", {"value": "\x1b[2J"}, r"\x1b[2J"),
        ("HTML", {"value": "<b>bold</b> text"}, "bold text"),
        ("Output", {"outputs": [{"output_type": "stream", "text": "printed\n"}]}, "printed"),
        ("IntProgress", {"value": "?", "min": 0, "max": 0}, ""),
        ("Dropdown", {"_options_labels": ["a"], "index": 7}, ""),
        ("Strange", {}, ""),
    ],
)
def test_each_widget_says_what_it_shows(model: str, state: dict[str, Any], text: str) -> None:
    widgets = Widgets()
    opened(widgets, "one", model, **state)
    assert widgets.text("one", 40) == text


def test_a_widget_within_itself_is_drawn_once() -> None:
    widgets = Widgets()
    opened(widgets, "label", "Label", value="x")
    opened(widgets, "box", "VBox", children=["IPY_MODEL_label", "IPY_MODEL_box", "IPY_MODEL_label"])
    assert widgets.text("box", 40) == "x"


def test_only_so_many_are_remembered() -> None:
    widgets = Widgets()
    for number in range(MODELS + 1):
        opened(widgets, str(number), "Label", value="x")
    assert widgets.shown_in({VIEW: {"model_id": "0"}}) is None
    assert widgets.shown_in({VIEW: {"model_id": "1"}}) == "1"


@pytest.mark.parametrize(
    "content",
    [{}, {"comm_id": "bar"}, {"comm_id": "bar", "data": 7}, {"comm_id": "bar", "data": {"state": 7}}],
)
def test_other_comms_are_passed_over(bar: Widgets, content: dict[str, Any]) -> None:
    assert bar.take("comm_open", content) is None
    assert bar.take("comm_msg", content) is None
