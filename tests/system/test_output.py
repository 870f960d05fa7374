"""What cells print and show arrives: all of it, in order, under the right cell, in time."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest

from kit.gate import Gate
from kit.kernel import Kernel, only_holdfast
from kit.wire import Cell, Client


def shown(cell: Cell) -> list[str]:
    """What a reader sees, in order: adjacent text of one stream is one piece."""
    pieces: list[tuple[str, str]] = []
    for message in cell.messages:
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            if pieces and pieces[-1][0] == content["name"]:
                pieces[-1] = (content["name"], pieces[-1][1] + content["text"])
            else:
                pieces.append((content["name"], content["text"]))
        elif kind in {"display_data", "execute_result"}:
            pieces.append((kind, content["data"]["text/plain"]))
        elif kind == "error":
            pieces.append((kind, content["ename"]))
    return [": ".join(piece) for piece in pieces]


# --- order


def test_text_displays_and_the_result_come_in_program_order(guest: Client) -> None:
    cell = guest.do("print('one'); display('two'); print('three'); display('four'); print('five'); 'six'")
    assert shown(cell) == [
        *(
            "stdout: one\n",
            "display_data: 'two'",
            "stdout: three\n",
            "display_data: 'four'",
            "stdout: five\n",
        ),
        "execute_result: 'six'",
    ]


@only_holdfast
def test_both_streams_come_in_program_order(guest: Client) -> None:
    code = "import sys\nfor n in range(3): print('out', n); print('err', n, file=sys.stderr)\n1 / 0"
    wanted = [
        f"{name}: {text} {n}\n" for n in range(3) for name, text in (("stdout", "out"), ("stderr", "err"))
    ]
    assert shown(guest.run(code)) == [*wanted, "error: ZeroDivisionError"]


def test_the_error_comes_after_what_was_printed_before_it(guest: Client) -> None:
    assert shown(guest.run("print('before'); 1 / 0")) == ["stdout: before\n", "error: ZeroDivisionError"]


def test_logging_and_warnings_come_on_stderr(guest: Client) -> None:
    cell = guest.do("import logging, warnings; logging.warning('careful'); warnings.warn('beware')")
    assert "careful" in cell.text("stderr")
    assert "beware" in cell.text("stderr")


def test_an_updated_display_says_which(guest: Client) -> None:
    cell = guest.do("handle = display('old', display_id='here'); handle.update('new')")
    assert [kind for kind in cell.kinds if "display" in kind] == ["display_data", "update_display_data"]
    (updated,) = cell.of("update_display_data")
    assert updated["transient"] == {"display_id": "here"}
    assert updated["data"]["text/plain"] == "'new'"


def test_clearing_stands_between_what_is_cleared_and_what_follows(guest: Client) -> None:
    cell = guest.do(
        "from IPython.display import clear_output\nprint('old'); clear_output(wait=True); print('new')"
    )
    kinds = [kind for kind, _ in itertools.groupby(cell.kinds[2:-1])]  # a text may come in two parts
    assert kinds == ["stream", "clear_output", "stream"]
    assert cell.of("clear_output") == [{"wait": True}]


# --- none lost


def test_two_hundred_thousand_lines_arrive_whole(guest: Client) -> None:
    cell = guest.do("for n in range(200_000): print('line', n)", within=60)
    assert cell.text() == "".join(f"line {n}\n" for n in range(200_000))


def test_lines_arrive_whole_at_a_client_that_does_not_listen_for_a_while(
    shared: Kernel, guest: Client
) -> None:
    """The other client reads nothing until the cell is over."""
    other = shared.client("slow")
    cell = guest.do("for n in range(100_000): print(n)", within=60)
    text = "".join(m["content"]["text"] for m in other.idle(cell.msg_id, 60) if m["msg_type"] == "stream")
    assert hashlib.sha256(text.encode()).digest() == hashlib.sha256(cell.text().encode()).digest()


def test_one_large_print_arrives_whole(guest: Client) -> None:
    text = guest.do("print('0123456789' * 1_000_000)", within=60).text()
    assert len(text) == 10_000_001
    assert text == "0123456789" * 1_000_000 + "\n"


def test_displays_in_number_arrive_all(guest: Client) -> None:
    cell = guest.do("for n in range(2000): display(n)", within=60)
    assert [content["data"]["text/plain"] for content in cell.of("display_data")] == [
        str(n) for n in range(2000)
    ]


def test_a_large_picture_arrives(guest: Client) -> None:
    cell = guest.do(
        "from IPython.display import display\n"
        "display({'image/png': 'A' * 8_000_000, 'text/plain': 'p'}, raw=True)",
        within=60,
    )
    assert len(cell.of("display_data")[0]["data"]["image/png"]) == 8_000_000


@only_holdfast
def test_text_without_an_end_of_line_is_delivered_before_a_death(guest: Client) -> None:
    cell = guest.run("import ctypes\nprint('last', 'words', end='')\nctypes.string_at(0)")
    assert cell.text() == "last words"
    assert cell.kinds[-2:] == ["error", "status"]


@only_holdfast
def test_ten_thousand_lines_are_delivered_before_a_death(guest: Client) -> None:
    cell = guest.run("import os\nfor n in range(10_000): print(n)\nos.kill(os.getpid(), 9)")
    assert cell.text() == "".join(f"{n}\n" for n in range(10_000))


# --- in time


@pytest.mark.parametrize("code", ["print('early')", "print('early', end='', flush=True)"])
def test_text_arrives_while_its_cell_still_runs(guest: Client, folder: Path, code: str) -> None:
    gate = Gate(folder / "gate")
    msg_id = guest.start(f"{code}; {gate.wait}")
    guest.text(msg_id, "early")
    assert msg_id not in guest.replies
    gate.open()
    guest.finish(msg_id)


@only_holdfast
def test_text_arrives_while_c_code_holds_the_interpreter(guest: Client) -> None:
    """No Python thread can run: whoever reads the text is another process."""
    code = (
        "import ctypes, os; library = ctypes.PyDLL(None)\nprint('early', end='')\nos.write(1, b' raw')\n"
        "library.usleep(60_000_000)"
    )
    msg_id = guest.start(code)
    guest.text(msg_id, "early")
    guest.text(msg_id, " raw")
    guest.ask("holdfast_interrupt_request", {"force": True}, "control")
    guest.finish(msg_id)


def test_the_question_is_on_screen_before_the_answer_is_awaited(guest: Client) -> None:
    msg_id = guest.start("print('Choose: a or b'); input()", allow_stdin=True)
    guest.prompt()
    guest.text(msg_id, "Choose")
    guest.answer("a")
    guest.finish(msg_id)


# --- from below Python


BELOW = {
    "os.write": "import os; _ = os.write(1, b'from below\\n')",
    "puts": "import ctypes; c = ctypes.CDLL(None); _ = c.puts(b'from below'), c.fflush(None)",
    "subprocess": "import subprocess; _ = subprocess.run(['echo', 'from below'])",
    "system": "import os; _ = os.system('echo from below')",
    "shell escape": "!echo from below",
    "child of a child": "import subprocess; _ = subprocess.run(['sh', '-c', 'sh -c \"echo from below\"'])",
}


@pytest.mark.parametrize("code", BELOW.values(), ids=BELOW.keys())
def test_text_from_below_python_arrives_before_idle(guest: Client, code: str) -> None:
    assert guest.do(code).text().replace("\r", "") == "from below\n"


def test_errors_from_below_python_arrive_on_stderr(guest: Client) -> None:
    cell = guest.do("import os; _ = os.write(2, b'oh '); _ = os.system('echo no >&2')")
    assert cell.text("stderr") == "oh no\n"


@only_holdfast
def test_characters_that_are_written_in_pieces_arrive_whole(guest: Client) -> None:
    cell = guest.do("import os\nfor byte in 'naïve 🐍 €'.encode() * 500: os.write(1, bytes([byte]))")
    assert cell.text() == "naïve 🐍 €" * 500
    cell = guest.do("_ = os.write(1, '€'.encode() * 20_000)")
    assert cell.text() == "€" * 20_000


@only_holdfast
def test_bytes_that_are_no_text_are_marked_and_the_rest_is_kept(guest: Client) -> None:
    cell = guest.do("import os; _ = os.write(1, b'good \\xff\\xfe good\\n')")
    assert cell.text() == "good \ufffd\ufffd good\n"
    assert guest.do("_ = os.write(1, 'half €'.encode()[:-1])").text() == "half \ufffd"


@only_holdfast
def test_a_megabyte_from_below_arrives_whole_and_does_not_block(guest: Client) -> None:
    """More than any pipe holds, written in one go by code that does not let Python run."""
    code = (
        "import ctypes; library = ctypes.PyDLL(None); data = b'0123456789abcdef' * 65536; written = 0\n"
        "while written < len(data): written += library.write(1, data[written:], len(data) - written)"
    )
    assert guest.do(code).text() == "0123456789abcdef" * 65536


@only_holdfast
def test_two_hundred_thousand_lines_of_a_program_arrive_whole(guest: Client) -> None:
    cell = guest.do("import subprocess; _ = subprocess.run(['seq', '200000'])", within=60)
    assert cell.text() == "".join(f"{n}\n" for n in range(1, 200_001))


# --- under the right cell


def test_a_threads_text_arrives_after_its_cell(guest: Client) -> None:
    starting = guest.do(
        "import threading; bell = threading.Event()\n"
        "def speak(): bell.wait(); print('from the thread')\n"
        "thread = threading.Thread(target=speak); thread.start()"
    )
    ringing = guest.do("bell.set()")
    own = {starting.msg_id, ringing.msg_id}

    def heard() -> bool:
        texts = (m["content"].get("text", "") for msg_id in own for m in guest.of_parent[msg_id])
        return "from the thread" in "".join(texts)

    guest.until(heard, "the thread's text")
    guest.do("thread.join()")


def test_a_tasks_text_belongs_to_the_cell_that_made_it(guest: Client) -> None:
    making = guest.do(
        "import asyncio; bell = asyncio.Event()\n"
        "async def speak(): await bell.wait(); print('from the task')\n"
        "task = asyncio.create_task(speak())"
    )
    guest.do("bell.set(); await task; print('own')")
    guest.text(making.msg_id, "from the task")


def test_the_text_of_two_clients_cells_is_kept_apart(shared: Kernel, guest: Client) -> None:
    other = shared.client("other")
    cells = {}
    for number in range(20):
        client = (guest, other)[number % 2]
        cells[client.start(f"print('cell {number}')")] = f"cell {number}\n"
    for msg_id, text in cells.items():
        for client in (guest, other):
            printed = [m["content"]["text"] for m in client.idle(msg_id) if m["msg_type"] == "stream"]
            assert "".join(printed) == text


# --- odd text


ODD = {
    "nothing": "",
    "nul": "a\0b\n",
    "colours": "\x1b[31mred\x1b[0m\n",
    "progress": "10%\r20%\r100%\n",
    "backspace": "a\bb\n",
    "no end": "no end",
    "blank lines": "\n\n\n",
    "other line ends": "a\r\nb\u2028c\x0bd\n",
    "beyond the first plane": "🐍\U0010ffff\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_text_arrives_as_it_is(guest: Client, text: str) -> None:
    assert guest.do(f"print({text!r}, end='')").text() == text


def test_text_that_cannot_be_encoded_does_not_hurt_the_kernel(guest: Client) -> None:
    guest.run("print('half a pair: \\ud800')")
    guest.run("'\\udfff'")
    guest.run("raise ValueError('\\ud800')")
    assert guest.value("6 * 7") == 42


def test_streams_are_what_programs_expect(guest: Client) -> None:
    look = "sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.encoding.upper(), sys.stderr.isatty()"
    assert guest.value(f"import sys; {look}") == (False, True, "UTF-8", False)
    cell = guest.do("_ = sys.stdout.write('a'); sys.stdout.writelines(['b', 'c']); sys.stdout.flush()")
    assert cell.text() == "abc"
    assert guest.run("sys.stdout.write(b'bytes')").error["ename"] == "TypeError"


def test_streams_can_be_replaced_and_put_back(guest: Client) -> None:
    cell = guest.do(
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as kept: print('inside')\n"
        "print('outside', kept.getvalue(), end='')"
    )
    assert cell.text() == "outside inside\n"


def test_a_silent_cells_text_is_still_published(guest: Client) -> None:
    assert guest.do("print('heard'); 'unseen'", silent=True).text() == "heard\n"


def test_an_object_that_cannot_be_shown_is_an_error_and_no_more(guest: Client) -> None:
    cell = guest.run("class Odd:\n    def __repr__(self): raise RuntimeError('no words')\nOdd()")
    assert "no words" in str([m["content"] for m in cell.messages])
    assert guest.value("6 * 7") == 42


@only_holdfast
def test_what_is_printed_after_a_big_text_is_seen_while_its_cell_runs(guest: Client) -> None:
    for _ in range(5):
        guest.do("import sys; _ = sys.stdout.write('x' * 300_000)")  # more than one message holds
        msg_id = guest.start("print('here')\nwhile True: pass")
        guest.text(msg_id, "here")
        guest.send("interrupt_request", {}, "control")
        assert guest.finish(msg_id).status == "error"
