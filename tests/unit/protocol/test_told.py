"""What kernels tell: what the messaging specification shows passes, what has other types does not."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.told import fits, shown
from holdfast.errors import MalformedMessage
from holdfast.protocol import told

USUAL: list[tuple[str, dict[str, Any]]] = [
    ("stream", {"name": "stdout", "text": "a"}),
    ("stream", {"name": None, "text": "a"}),
    ("display_data", {"data": {"text/plain": "a", "application/json": [1]}, "metadata": {}}),
    ("display_data", {"data": {}, "metadata": None, "transient": {"display_id": "x"}, "newer": 1}),
    ("execute_result", {"data": {"text/plain": "4"}, "metadata": {}, "execution_count": 1}),
    ("execute_result", {"data": {"text/plain": "4"}, "execution_count": None}),
    ("execute_input", {"code": "1", "execution_count": 1}),
    ("error", {"ename": "E", "evalue": "v", "traceback": ["a"]}),
    ("error", {"ename": "E", "evalue": "v", "traceback": None}),
    ("status", {"execution_state": "some day there is another one"}),
    ("clear_output", {"wait": True}),
    ("comm_msg", {"comm_id": "1", "data": {"deep": [{}]}}),
    ("input_request", {"prompt": "?", "password": False}),
    ("execute_reply", {"status": "ok", "execution_count": 1, "payload": [{"source": "page"}]}),
    ("execute_reply", {"status": "aborted"}),
    (
        "complete_reply",
        {"status": "ok", "matches": ["a"], "cursor_start": 0, "cursor_end": 1, "metadata": {}},
    ),
    ("history_reply", {"status": "ok", "history": [[1, 1, "a"], [1, 2, ["a", None]]]}),
    ("shutdown_reply", {"status": "ok", "restart": True}),
    ("debug_reply", {"seq": 1, "body": {}}),
    ("of a kernel of next year", {"anything": 7}),
]

UNFIT: list[tuple[str, object]] = [
    ("stream", 7),
    ("stream", {"text": None}),
    ("stream", {"text": ["a"]}),
    ("display_data", {"data": 7}),
    ("display_data", {"data": {}, "transient": []}),
    ("execute_result", {"data": {}, "execution_count": "x"}),
    ("execute_result", {"data": {}, "execution_count": 10**30}),
    ("execute_input", {"code": "1", "execution_count": -1}),
    ("error", {"traceback": "abc"}),
    ("error", {"ename": {}}),
    ("status", {"execution_state": ["idle"]}),
    ("clear_output", {"wait": "x"}),
    ("comm_open", {"comm_id": 3, "data": {}}),
    ("comm_msg", {"comm_id": "3", "data": []}),
    ("input_request", {"prompt": 7}),
    ("execute_reply", {"status": 7}),
    ("execute_reply", {"status": "ok", "payload": {}}),
    ("complete_reply", {"status": "ok", "matches": [7]}),
    ("history_reply", {"status": "ok", "history": [["a"]]}),
    ("holdfast_queued", {"ahead": "x"}),
    ("holdfast_question", {"question": {}, "open": True}),
    ("holdfast_info_reply", {"status": "ok"}),
    ("holdfast_info_reply", {"status": "error", "evalue": 7}),
    ("holdfast_recent_reply", {"status": "ok", "epoch": -1, "seq": 2}),
    ("holdfast_resume_reply", {"status": "ok", "epoch": 1, "seq": 10**20}),
]


@pytest.mark.parametrize(("msg_type", "content"), USUAL)
def test_what_kernels_say_passes_as_it_is_but_for_nulls(msg_type: str, content: dict[str, Any]) -> None:
    fitting = told.fitting(msg_type, content)
    assert fitting == content or fitting == {
        key: value for key, value in content.items() if value is not None
    }


@pytest.mark.parametrize(("msg_type", "content"), UNFIT)
def test_what_has_other_types_is_refused_in_a_short_line(msg_type: str, content: object) -> None:
    with pytest.raises(MalformedMessage) as refused:
        told.fitting(msg_type, content)
    assert refused.value.what.isprintable()
    assert len(refused.value.what) <= told.WORDS_CHARACTERS


def test_words_of_the_senders_in_the_reason_do_a_terminal_no_harm() -> None:
    content = {"status": "ok", "states": [{"how": "", "state": "", "age": 1, "kept": "\x1b]0;x\x07" * 1000}]}
    with pytest.raises(MalformedMessage) as refused:
        told.fitting("holdfast_checkpoints_reply", content)
    assert refused.value.what.isprintable()
    assert len(refused.value.what) <= told.WORDS_CHARACTERS


WORDS = st.sampled_from(
    ["", "1", "a\nb", "\r", "\x1b[2J", "\x1b]0;title\x07", "\x1b[6n", "\x1b[?1049h", "\x9b5n"]
)
TEXTS = st.lists(WORDS | st.text(string.printable, max_size=5), max_size=4).map("".join)
NUMBERS = (
    st.integers()
    | st.sampled_from([-1, 2**53, 2**64, 10**40])
    | st.floats(allow_nan=False, allow_infinity=False)
)
KEYS = st.sampled_from(
    [
        *("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "application/json"),
        *("application/vnd.jupyter.widget-view+json", "model_id", "state", "value", "children", "display_id"),
        *("_model_name", "min", "max", "index", "_options_labels", "outputs", "running", "count"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.sampled_from(["IPY_MODEL_c", "c", "FloatProgressModel"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("text", "name", "data", "metadata", "transient", "execution_count", "code", "ename", "evalue"),
        *("traceback", "wait", "comm_id", "target_name", "execution_state", "ahead", "running", "status"),
    ]
)
WIDGET = st.fixed_dictionaries(
    {
        "comm_id": st.sampled_from(["c", "d"]),
        "target_name": st.just("jupyter.widget"),
        "data": st.fixed_dictionaries({"state": st.dictionaries(KEYS, VALUES, max_size=5)}),
    }
)
BUNDLE = st.dictionaries(KEYS, VALUES, max_size=4) | st.just(
    {"application/vnd.jupyter.widget-view+json": {"model_id": "c"}}
)
MESSAGES = (
    st.tuples(st.sampled_from(told.TYPES), st.dictionaries(FIELDS, VALUES, max_size=5))
    | st.tuples(st.sampled_from(["comm_open", "comm_msg"]), WIDGET)
    | st.tuples(
        st.sampled_from(["display_data", "update_display_data", "execute_result"]),
        st.fixed_dictionaries({"data": BUNDLE}),
    )
)


@given(st.lists(MESSAGES, max_size=6))
def test_whatever_a_session_says_is_text_on_the_screen(messages: list[tuple[str, dict[str, Any]]]) -> None:
    shown([fitting for each in messages for fitting in fits(*each)])
