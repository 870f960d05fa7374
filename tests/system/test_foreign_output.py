"""What a cell has put out harms no terminal on which a command shows it; a file gets it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.session import HOLDFAST, Session, session
from kit.terminal import Terminal

TITLE, CLIPBOARD, QUESTION, MOUSE = "\x1b]0;mine\x07", "\x1b]52;c;bWluZQ==\x1b\\", "\x1b[6n", "\x1b[?1000h"
LINK = "\x1b]8;;http://x\x1b\\"

WHOLE = f"begin {TITLE}{CLIPBOARD}{QUESTION}{MOUSE}{LINK}{LINK} \x1b[31mred\x1b[0m"

CELL = rf"""print({WHOLE!r})
import comm
for half in '\x1b]0;mi', 'ne\x07', '\x1b', '[6', 'nend\n':
    print(half, end='')
    comm.create_comm(target_name='nobody')"""
"""In the second half it does so piece by piece. No message has text of two: another one follows each."""


@pytest.fixture(scope="module")
def work() -> Iterator[Session]:
    with session() as made:
        yield made


@pytest.mark.parametrize(
    "command", [("run", "-s", "work", "-c", CELL), ("log", "work"), ("log", "work", "-n", "1")]
)
@pytest.mark.parametrize("colours", [True, False])
def test_on_a_terminal_it_only_looks(work: Session, command: tuple[str, ...], colours: bool) -> None:
    work.command("run", "-s", "work", "-c", CELL)
    env = work.env if colours else work.env | {"NO_COLOR": "1"}
    with Terminal([*HOLDFAST, *command], env) as terminal:
        terminal.wait_end()
        raw = terminal.raw.decode()
        assert "begin" in terminal.text
        assert "end" in terminal.text
    assert "\x1b]0;" not in raw
    assert "\x1b]52" not in raw
    assert QUESTION not in raw
    assert raw.count(MOUSE) == raw.count("\x1b[?1000l")
    if colours:
        assert LINK in raw
        assert "\x1b[31mred" in raw


def test_a_follower_is_not_harmed_either(work: Session) -> None:
    with Terminal([*HOLDFAST, "log", "-f", "work"], work.env) as terminal:
        terminal.wait_for("following work")
        work.command("run", "-s", "work", "-c", CELL + "\nprint('lived' + ' through')")
        terminal.wait_for("lived through")
        raw = terminal.raw.decode()
    assert "\x1b]0;" not in raw
    assert QUESTION not in raw


def test_no_message_has_text_of_two_pieces(work: Session) -> None:
    ana = work.client("ana")
    try:
        messages = ana.do(CELL).messages
    finally:
        ana.close()
    pieces = [""]
    for message in messages:
        if message["msg_type"] == "comm_open":
            pieces.append("")
        pieces[-1] += message["content"].get("text", "")
    assert pieces == [f"{WHOLE}\n\x1b]0;mi", "ne\x07", "\x1b", "[6", "nend\n", ""]


def test_a_pipe_gets_it_as_it_is(work: Session) -> None:
    told = work.command("run", "-s", "work", "-c", CELL)
    assert told == f"{WHOLE}\n{TITLE}{QUESTION}end\n"
