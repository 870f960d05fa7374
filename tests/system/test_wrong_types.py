"""A session that says anything at all, with the right key: another host's, or a broken one's. Ours go on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.protocol import connection, operations
from kit.kernel import environment, scratch
from kit.peer import serving
from kit.terminal import BACKSPACE, CTRL_C, ENTER, TAB, UP, Terminal

CONSOLE = """
import sys
from pathlib import Path
from holdfast.console.app import run
from holdfast.settings import Console
sys.exit(run("there", Path(sys.argv[1]), Console(), created=False).status)
"""

PROGRAM = """
import sys
from pathlib import Path
from holdfast.cli.programs.output import finish
from holdfast.client.blocking import Client
from holdfast.protocol import connection
with Client(connection.read(Path(sys.argv[1]))) as client:
    for code in sys.argv[2:]:
        finish(client, client.execute(code))
"""

LONG = "n" * 10_000
DEEP = json.loads("[" * 150 + "]" * 150)
VALUES: list[object] = [None, 7, -1, 10**30, 1.5, "x", LONG, [], {}, [7], {"x": None}, DEEP, True]

FIELDS = {
    "stream": ["text", "name"],
    "display_data": ["data", "metadata", "transient"],
    "update_display_data": ["data", "transient"],
    "execute_result": ["data", "execution_count"],
    "execute_input": ["code", "execution_count"],
    "error": ["ename", "evalue", "traceback"],
    "clear_output": ["wait"],
    "comm_open": ["comm_id", "target_name", "data"],
    "comm_msg": ["comm_id", "data"],
    "comm_close": ["comm_id"],
    "holdfast_queued": ["ahead", "running"],
    "holdfast_question": ["question", "open", "by"],
    LONG: ["any"],
}
FITS: dict[str, dict[str, object]] = {
    "stream": {"text": ""},
    "display_data": {"data": {}},
    "update_display_data": {"data": {}},
    "execute_result": {"data": {}},
    "execute_input": {"code": "1", "execution_count": 1},
    "comm_open": {"comm_id": "c", "target_name": "jupyter.widget"},
    "comm_msg": {"comm_id": "c"},
}

NONSENSE = [
    [msg_type, FITS.get(msg_type, {}) | {field: value}, {}]
    for msg_type, fields in FIELDS.items()
    for field in fields
    for value in VALUES
]
MARKS = [["clear_output", {}, {"holdfast": value}] for value in [*VALUES, {"epoch": 10**30, "seq": -1}]]
BUNDLES = [
    ["display_data", {"data": {mime: value}}, {}]
    for mime in ("text/plain", "text/html", "text/latex", "image/png", "application/json", "image/x")
    for value in VALUES
    if value is not LONG
]
WIDGETS = [
    ["comm_open", {"comm_id": "w", "target_name": "jupyter.widget", "data": {"state": {field: value}}}, {}]
    for field in ("_model_name", "value", "min", "max", "children", "index", "outputs", "description")
    for value in VALUES
] + [["display_data", {"data": {"application/vnd.jupyter.widget-view+json": {"model_id": "w"}}}, {}]]


@contextmanager
def session(**answers: object) -> Iterator[Path]:
    """The connection file of one that answers so, and anything else with nothing."""
    nothing: dict[str, object] = {
        operations.request_type(name): {"status": "ok"} for name in operations.OPERATIONS
    }
    nothing["history_request"] = {"status": "ok", "history": []}  # a console waits for it, if not for long
    with scratch() as folder, serving(folder, answers=nothing | answers) as peer:
        file = folder / "connection.json"
        connection.write(file, peer.info)
        yield file


@contextmanager
def console(file: Path) -> Iterator[Terminal]:
    env = environment(file.parent / "home", "nobody")
    with Terminal([sys.executable, "-c", CONSOLE, str(file)], env, columns=120) as terminal:
        terminal.wait_for_last_prompt()
        yield terminal


def lives(terminal: Terminal) -> None:
    """It runs a cell, and nothing of ours has gone wrong."""
    terminal.send("print al" + "ive" + ENTER)
    terminal.wait_for("\nalive")
    terminal.wait_for_last_prompt()
    for word in (b"Traceback", b"exception was never", b"Exception in callback", b"Unhandled"):
        assert word not in terminal.raw


EVERYTHING = [
    ["stream", {"text": None}, {}],
    *NONSENSE,
    *MARKS,
    *BUNDLES,
    *WIDGETS,
    ["stream", {"text": "that was all"}, {}],
]


def test_a_console_goes_on_whatever_it_is_sent_and_says_once_that_something_is_left_out() -> None:
    with session(all=EVERYTHING) as file, console(file) as terminal:
        terminal.send("tell all" + ENTER)
        terminal.wait_for("that was all")
        terminal.wait_for_last_prompt()
        lives(terminal)
        assert "the session sent something that can't be shown: stream: " in " ".join(
            terminal.all_text.split()
        )
        assert terminal.raw.count(b"messages are left out") == 1


def test_a_cell_whose_answer_is_none_has_an_error_in_words() -> None:
    answers = [{"status": 7}, {"status": "ok", "execution_count": "x"}, {"payload": 7}]
    told = {f"answer{number}": [["execute_reply", each, {}]] for number, each in enumerate(answers)}
    with session(**told) as file, console(file) as terminal:
        for number, name in enumerate(told, 1):
            terminal.send(f"tell {name}{ENTER}")
            terminal.wait_until(lambda: terminal.text.count("answer can't be understood") == number)  # noqa: B023
            terminal.wait_for_last_prompt()
        lives(terminal)


def test_a_question_that_is_none_is_not_put_and_the_cell_can_be_interrupted() -> None:
    with session() as file, console(file) as terminal:
        terminal.send('question {"prompt": 7}' + ENTER)
        terminal.wait_for("can't be shown: input_request: ")
        terminal.send(CTRL_C)
        terminal.wait_for("KeyboardInterrupt")
        terminal.wait_for_last_prompt()
        lives(terminal)


@pytest.mark.parametrize("value", [None, 7, "x", [7], DEEP], ids=lambda value: str(value)[:9])
def test_answers_that_are_none_leave_a_console_that_works(value: object) -> None:
    answers: dict[str, object] = {
        operations.request_type(name): {
            "status": "ok",
            **dict.fromkeys(operation.reply.__struct_fields__, value),
        }
        for name, operation in operations.OPERATIONS.items()
    }
    answers["complete_request"] = {"status": "ok", "matches": value, "metadata": value}
    answers["history_request"] = {"status": "ok", "history": value}
    with session(**answers) as file, console(file) as terminal:
        terminal.send("al" + TAB + 2 * BACKSPACE)
        lives(terminal)


def test_completions_and_history_of_any_kind_leave_a_console_that_works() -> None:
    kinds = [{"text": 7, "start": "x"}, {"text": "alpha", "start": 10**30, "type": [LONG]}, 7]
    about = {"status": "ok", "matches": [], "metadata": {"_jupyter_types_experimental": kinds}}
    history = {"status": "ok", "history": [[1, 1, ["a", None]], [1, 2, LONG]]}
    with session(complete_request=about, history_request=history) as file, console(file) as terminal:
        terminal.send("al" + TAB)
        terminal.wait_for("In [1]: alalpha")
        terminal.send(7 * BACKSPACE + UP)
        terminal.wait_for("nnnn")
        terminal.send(CTRL_C)
        lives(terminal)


def test_a_program_hears_of_it_on_stderr_and_goes_on() -> None:
    with session(all=EVERYTHING, none=[["execute_reply", {"status": 7}, {}]]) as file:
        cells = ["tell all", "tell none", "print alive"]
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(file), *cells],
            env=environment(file.parent / "home", "nobody"),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert ended.stdout.endswith("alive")
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("the session sent something that can't be shown") == 1
