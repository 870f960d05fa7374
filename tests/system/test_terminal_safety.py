"""What cells do to the terminal: others' are only seen, what one's own leave is undone for a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from holdfast.console import ansi
from kit.session import HOLDFAST, Session, session
from kit.terminal import CTRL_BACKSLASH, ENTER, Terminal
from kit.wire import Client

EVIL = (
    "\x1b]0;evil\x07\x1b]2;evil\x1b\\\x1bkevil\x1b\\\x1b]52;c;ZXZpbA==\x07\x1bPtmux;\x1b\x1b]0;evil\x07\x1b\\"
    "\x1b[6n\x1b[c\x1b]11;?\x07\x1bP$qm\x1b\\\x1b_Gi=9,a=q;AAAA\x1b\\\x1b[21t\x05"
    "\x1b[?1049h\x1b[?1003h\x1b[?1004h\x1b[>7u\x1b[>4;2m\x1b=\x1b[3;9r\x1b(0\x0e\x1b[4h\x1b#8\x1bc\x1b[3J"
    "\x9b6n\x9d0;evil\x9c\x1bPqevil\x1b\\\x1b]1337;File=inline=0:ZXZpbA==\x07"
)

HARM = re.compile(
    r"""[\x05\x0e\x80-\x9f] | \x1b (?: [kPc=_\#(] | \] (?!8;) | \[ (?: [\d;]*[cnrt] | \d+J | [>=]
        | \? (?:1049|1003|1004) h ))""",
    re.VERBOSE,
)
"""What none of it may have become, in the raw output of a console; the prompt itself writes no such thing."""

SHOWN = "\x1b[31mred\x1b[0m \x1b]8;;https://example.org/\x1b\\link\x1b]8;;\x1b\\"

CELLS = {
    "printed": "print(EVIL, SHOWN)",
    "piece by piece": "for each in EVIL: print(each, end='', flush=True)\nprint()",
    "a result": "type('R', (), {'__repr__': lambda self: EVIL + 'result'})()",
    "displays": "from IPython.display import *\nfor kind in 'plain', 'markdown', 'latex', 'html', EVIL:\n"
    "    display({f'text/{kind}': EVIL + kind}, raw=True)",
    "an error": "raise type('E' + EVIL, (Exception,), {})(EVIL)",
    "a page": "get_ipython().run_line_magic('pinfo', 'EVIL')",
    "an update": "shown = display('first', display_id=True); shown.update({'text/plain': EVIL}, raw=True)",
    "a program": "import subprocess; subprocess.run(['printf', '%s', EVIL.replace(chr(0x9b), '')])",
}


@pytest.fixture(scope="module")
def work() -> Iterator[Session]:
    with session() as made:
        yield made


@pytest.fixture(scope="module")
def eve(work: Session) -> Iterator[Client]:
    client = work.client(f"eve{EVIL}\n")
    client.reply(client.send("execute_request", {"code": f"EVIL, SHOWN = {EVIL!r}, {SHOWN!r}"}))
    yield client
    client.close()


@pytest.fixture(scope="module")
def console(work: Session, eve: Client) -> Iterator[Terminal]:
    with work.console(cleared=False) as terminal:
        yield terminal


def harm_of(raw: bytes) -> list[str]:
    return HARM.findall(raw.decode())


@pytest.mark.parametrize("cell", CELLS)
def test_cells_of_others_do_nothing_but_be_seen(eve: Client, console: Terminal, cell: str) -> None:
    eve.reply(eve.send("execute_request", {"code": CELLS[cell]}))
    eve.reply(eve.send("execute_request", {"code": f"print('after ' + {cell!r})"}))
    console.wait_for(f"\nafter {cell}")
    console.wait_for_last_prompt()
    assert harm_of(console.raw) == []


def test_colours_and_links_of_others_are_shown(eve: Client, console: Terminal) -> None:
    eve.reply(eve.send("execute_request", {"code": "print(SHOWN, 'and ' + 'more')"}))
    console.wait_for("red link and more")
    assert SHOWN.encode() in console.raw
    assert console.style_of("red link")[0] == "red"


def test_the_list_of_clients_is_one_that_can_be_read(eve: Client, console: Terminal) -> None:
    console.send("%clients" + ENTER)
    console.wait_for(r"eve\x1b]0;evil\x07")
    console.wait_for_last_prompt()
    assert harm_of(console.raw) == []


@pytest.mark.parametrize("command", [("ls",), ("info", "work"), ("log", "work"), ("variables", "work")])
def test_commands_show_names_and_values_of_others_and_do_not_obey_them(
    work: Session, eve: Client, command: tuple[str, ...]
) -> None:
    with Terminal([*HOLDFAST, *command], work.env, columns=200) as terminal:
        terminal.wait_end()
        assert "evil" in terminal.all_text
        assert harm_of(terminal.raw) == []


def test_who_comes_later_is_told_what_happened_and_no_more(work: Session, eve: Client) -> None:
    eve.reply(eve.send("execute_request", {"code": "print(EVIL, 'what happened')"}))
    with work.console(cleared=False) as console:
        assert "what happened" in console.text
        assert harm_of(console.raw) == []


def test_who_allows_it_gets_it_all_but_the_questions(work: Session, eve: Client) -> None:
    with work.console(HOLDFAST_CONSOLE_ESCAPES="all") as console:
        eve.reply(eve.send("execute_request", {"code": r"print('\x1b]0;evil\x07\x1b[6nallowed')"}))
        console.wait_for("\nallowed")
        assert b"\x1b]0;evil\x07allowed" in console.raw


def test_a_question_of_another_that_is_answered_here_does_nothing_either(work: Session, eve: Client) -> None:
    asked = eve.send("execute_request", {"code": "input(EVIL + '\\nwho' + EVIL + '? ')", "allow_stdin": True})
    with work.opened() as console:
        console.wait_for(' asks "')
        console.wait_for("answers it here")
        console.send(ENTER)
        console.wait_for_last("who6n0;evil?")
        console.send("me" + ENTER)
        assert eve.reply(asked)["content"]["status"] == "ok"
        console.wait_for_last_prompt()
        assert harm_of(console.raw) == []


MODES = [
    *(r"\x1b[?1049h", r"\x1b[?25l", r"\x1b[?1003h\x1b[?1006h", r"\x1b(0", r"\x0e\x1b)0", r"\x1b[3;6r"),
    *(r"\x1b[4h", r"\x1b[>1u", r"\x1b=\x1b[?66h", r"\x1b[?5h", r"\x1b[8;41m", r"\x1b]8;;http://x\x07"),
    r"\x1b]0;unfinished",
]


def test_after_ones_own_cell_the_prompt_is_usable_whatever_it_has_left_switched(work: Session) -> None:
    with work.console() as console:
        for number, left in enumerate(MODES):
            console.send(f"print('{left}', end='')" + ENTER)
            console.send(f"'us' + 'able {number}'" + ENTER)
            console.wait_for(f"]: 'usable {number}'")
            assert console.style_of(f"'usable {number}'")[0] == "default"
        console.wait_for_last_prompt()
        state = console._screen
        assert not state.margins
        console.wait_until(lambda: not state.cursor.hidden, "a cursor")  # it is not there while one is drawn
        assert console.raw.count(b"\x1b(B") == 2  # the emulator has one character set


def test_a_thread_that_switches_something_later_does_not_spoil_the_prompt(work: Session) -> None:
    with work.console() as console:
        late = r"import threading; threading.Timer(0.1, print, [chr(27) + '(0\x1b[?1003hlate']).start()"
        console.send(late + ENTER)
        console.wait_for("\nlate")
        console.send("'us' + 'able'" + ENTER)
        console.wait_for("]: 'usable'")
        assert b"\x1b[?1003l" in console.raw
        assert b"\x1b(B" in console.raw  # the emulator has one character set


def test_who_leaves_a_cell_that_goes_on_has_the_terminal_as_it_was(work: Session) -> None:
    with work.console() as console:
        console.send(r"print('\x1b[?1003h\x1b[?25lha' + 'lf', end=''); input()" + ENTER)
        console.wait_for_last("half")
        console.send(CTRL_BACKSLASH)
        console.wait_end()
        assert console.raw.endswith(b"\r\n")
        assert "\nleft work; it goes on" in console.text
        assert console.raw.count(b"\x1b[?1003h") == console.raw.count(b"\x1b[?1003l") == 1
        assert not console._screen.cursor.hidden
    work.command("interrupt", "work")


def test_no_answer_of_the_terminal_is_taken_for_typed(work: Session) -> None:
    with work.console() as console:
        assert ansi.unasking(console.raw.decode()) == console.raw.decode()
        console.send(r"for each in '\x1b[6n\x1b[c\x1b]11;?\x07': print(each, end='', flush=True)" + ENTER)
        console.send("'al' + 'one'" + ENTER)
        console.wait_for("]: 'alone'")
