"""Messages of a debugger: any bytes, whole or in pieces; and the files that cells seem to be."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import MalformedMessage
from holdfast.protocol import dap, debugging

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
messages = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=4)


def _in_pieces(data: bytes, cuts: list[int]) -> list[dap.Dap]:
    decoder = dap.Decoder()
    found: list[dap.Dap] = []
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(places):
        found += decoder.feed(data[start:end])
    return found


@given(messages, st.lists(st.integers(0, 2**16), max_size=6))
def test_messages_come_out_as_they_went_in_however_the_bytes_were_cut(
    sent: list[dap.Dap], cuts: list[int]
) -> None:
    data = b"".join(dap.encode(each) for each in sent)

    assert _in_pieces(data, cuts) == sent


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_any_bytes_are_messages_or_refused(data: bytes, cuts: list[int]) -> None:
    outcomes: list[object] = []
    for each in ([], cuts):
        try:
            outcomes.append(_in_pieces(data, each))
        except MalformedMessage:
            outcomes.append("refused")

    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2",
        b"content-length:2",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8",
        b"Content-Length: 2\r\nContent-Length: 2",
    ],
)
def test_a_head_may_have_other_fields_and_any_case(head: bytes) -> None:
    assert list(dap.Decoder().feed(head + b"\r\n\r\n{}")) == [{}]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n{}",
        b"nonsense\r\n\r\n{}",
        b"Content-Type: text/plain\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: -2\r\n\r\n{}",
        b"Content-Length: 2.0\r\n\r\n{}",
        b"Content-Length: 99999999999999999999\r\n\r\n",
        b"Content-Length: 999999999999\r\n\r\n",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 3\r\n\r\n{,}",
        b"Content-Length: 5\r\n\r\n{}{}\n",
        b"x" * (dap.MAX_HEAD + 1),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        list(dap.Decoder().feed(data))


def test_what_was_complete_before_the_nonsense_is_told() -> None:
    decoded = dap.Decoder().feed(dap.encode({"seq": 1}) + b"nonsense\r\n\r\n")

    assert next(decoded) == {"seq": 1}
    with pytest.raises(MalformedMessage):
        next(decoded)


def test_the_length_counts_bytes_not_characters() -> None:
    head, _, body = dap.encode({"name": "é€😀"}).partition(b"\r\n\r\n")

    assert head == f"Content-Length: {len(body)}".encode()
    assert json.loads(body) == {"name": "é€😀"}


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("", 3990065800),
        ("a", 2167009006),
        ("abc", 3350977461),
        ("print(1)", 3773950048),
        ("é€😀\n", 1984656028),
    ],
)
def test_a_cell_is_hashed_as_every_frontend_hashes_it(code: str, number: int) -> None:
    """Numbers are ipykernel 7.4's (`ipykernel.compiler.murmur2_x86`)."""
    assert debugging.cell_number(code) == number


def test_the_file_of_a_cell_leads_back_to_it() -> None:
    file = debugging.cell_file("/run/holdfast/cells", "x = 1")

    assert debugging.number_of(file) == debugging.cell_number("x = 1")
    assert debugging.number_of("<string>") is None
    assert debugging.number_of("/usr/lib/python3.11/json.py") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("rows", True),
        ("_private", True),
        ("__version__", True),
        ("_x1", True),
        ("_1", False),
        ("_i", False),
        ("_i12", False),
        ("_ih", False),
        ("In", False),
        ("exit", False),
        ("__builtins__", False),
    ],
)
def test_variables_are_the_users_own(name: str, shown: bool) -> None:
    assert debugging.is_shown(name) is shown


@pytest.mark.parametrize("text", ["'bm8='", "'!'", "", "'W10='"])
def test_a_frames_answer_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        debugging.unwrapped(text)
