"""The prompt on a real terminal: keys that people bring from IPython and readline, and what they see then."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.session import HOLDFAST, Session, session
from kit.terminal import (
    CTRL_C,
    CTRL_D,
    ENTER,
    RIGHT,
    TAB,
    UP,
    Terminal,
)

END, DOWN, CTRL_RIGHT, F2, ESCAPE = "\x1b[F", "\x1b[B", "\x1b[1;5C", "\x1bOQ", "\x1b"
CTRL_E, CTRL_G, CTRL_L, CTRL_N, CTRL_P = "\x05", "\x07", "\x0c", "\x0e", "\x10"
CTRL_X, CTRL_Z = "\x18", "\x1a"


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    """One session for all tests, which leave it as they found it."""
    with session() as made:
        yield made


@pytest.fixture
def console(shared: Session) -> Iterator[Terminal]:
    with shared.console() as terminal:
        yield terminal


def run(console: Terminal, code: str) -> None:
    """Have a cell run, up to the next prompt."""
    before = console.prompt_number()
    assert before is not None
    console.send(code + ENTER)
    console.wait_until(lambda: (console.prompt_number() or 0) > before, "the next number")
    console.wait_for_last_prompt()


def last(console: Terminal) -> str:
    """The last line of the screen, without the prompt."""
    return re.sub(r"^(\[\w+\] )?In \[\d+\]: ", "", "".join(console.lines[-1:]))


def below_prompt(console: Terminal) -> str:
    return console.text.rpartition("In [")[2]


def wait_for_line(console: Terminal, line: str) -> None:
    console.wait_until(lambda: last(console) == line, f"{line!r} at the prompt")


def wait_for_grey(console: Terminal, proposed: str) -> None:
    """Until exactly this is proposed behind what is typed."""
    console.wait_until(lambda: grey(console) == proposed, f"{proposed!r} in grey")


def wait_for_no_grey(console: Terminal, line: str) -> None:
    """Until this is what is typed, all of it."""
    console.wait_until(lambda: last(console) == line and not grey(console), f"{line!r}, typed")


def grey(console: Terminal) -> str:
    """The end of the last line, as far as it is grey."""
    line = "".join(console.lines[-1:])
    ends = (line[begin:] for begin in range(len(line)))
    return next((end for end in ends if console.style_of(end)[0] == "brightblack"), "")


# Suggestions


def test_the_rest_of_an_earlier_line_is_proposed_in_grey_and_changes_nothing(console: Terminal) -> None:
    run(console, "peach_one = 'stone'")
    run(console, "peach = 'old'")
    run(console, "peach_two = 'ripe'")
    console.send("pea")
    wait_for_line(console, "peach_two = 'ripe'")
    assert console.style_of("ch_two") == ("brightblack", False)
    assert console.style_of("pea") == ("default", False)
    console.send("ch" + RIGHT + RIGHT + ENTER)
    console.wait_for("'old'\n\nIn [")
    console.send("peach_" + UP + UP)
    wait_for_line(console, "peach_one = 'stone'")


def test_end_takes_what_is_proposed_and_ctrl_right_a_word_of_it(console: Terminal) -> None:
    run(console, "quince_one = len('four')")
    for keys in (END, CTRL_E):
        console.send("quince")
        wait_for_grey(console, "_one = len('four')")
        console.send(keys)
        wait_for_no_grey(console, "quince_one = len('four')")
        console.send(CTRL_C)
        console.wait_for_last_prompt()
    console.send("quince")
    wait_for_grey(console, "_one = len('four')")
    console.send(CTRL_RIGHT)
    wait_for_grey(console, " = len('four')")


def test_one_setting_switches_suggestions_off(shared: Session) -> None:
    shared.configure("[console]\nsuggestions = false\n")
    try:
        with shared.console() as console:
            run(console, "medlar = 'brown'")
            before = len(console.raw)
            console.send("medl")
            wait_for_line(console, "medl")
            console.send("ar" + ENTER)
            console.wait_for("]: 'brown'\n\nIn [")
            assert b"= 'brown'" not in console.raw[before:]
    finally:
        shared.configure("")


# The history


def test_up_finds_what_was_typed_in_another_session(shared: Session) -> None:
    shared.command("new", "elsewhere", "-d")
    try:
        with Terminal([*HOLDFAST, "attach", "elsewhere"], shared.env) as console:
            console.wait_for_last_prompt()
            run(console, "far_away = 1")
        with shared.console() as console:
            console.send("far" + UP)
            wait_for_line(console, "far_away = 1")
    finally:
        shared.command("stop", "elsewhere")


def test_a_block_comes_back_whole_and_down_leads_back_to_what_was_begun(console: Terminal) -> None:
    run(console, "for plum in 'ab':" + ENTER + "print(plum * 2)" + ENTER)
    console.send("for pl" + UP)
    console.wait_until(lambda: "print(plum * 2)\n   ...:" in below_prompt(console), "the block")
    console.send(UP + DOWN + DOWN + DOWN)
    wait_for_line(console, "for pl")


def test_up_at_a_question_finds_earlier_answers_and_never_a_password(console: Terminal) -> None:
    run(console, "import getpass")
    console.send("first = input('first? ')" + ENTER)
    console.wait_for_last("first?")
    console.send("an answer" + ENTER)
    console.wait_for_last_prompt()
    console.send("secret = getpass.getpass('secret? ')" + ENTER)
    console.wait_for_last("secret?")
    console.send("hunter2" + ENTER)
    console.wait_for_last_prompt()
    console.send("second = input('second? ')" + ENTER)
    console.wait_for_last("second?")
    console.send(UP)
    console.wait_for("second? an answer")
    assert "hunter2" not in console.text
    console.send(ENTER)
    console.wait_for_last_prompt()


# vi


@pytest.fixture
def vi(shared: Session) -> Iterator[Terminal]:
    shared.configure("[console]\nediting_mode = 'vi'\n")
    try:
        with Terminal([*HOLDFAST, "attach", "work"], shared.env, columns=120) as terminal:
            terminal.wait_for("[ins] In [")
            yield terminal
    finally:
        shared.configure("")


def test_vis_mode_stands_in_the_prompt(vi: Terminal) -> None:
    vi.send("'damson' +")
    wait_for_line(vi, "'damson' +")
    vi.send(ESCAPE)
    vi.wait_until(lambda: "".join(vi.lines[-1:]).startswith("[nav] In ["), "navigation mode")
    vi.send("R")
    vi.wait_until(lambda: "".join(vi.lines[-1:]).startswith("[rep] In ["), "replacing mode")
    vi.send(ESCAPE + "cc" + "6 * 7" + ENTER)
    vi.wait_for("]: 42\n\n[ins] In [")


def test_ctrl_p_and_ctrl_n_walk_the_history_in_vis_insert_mode(vi: Terminal) -> None:
    vi.send("'first'" + ENTER)
    vi.wait_for("]: 'first'\n\n[ins]")
    vi.send("'second'" + ENTER)
    vi.wait_for("]: 'second'\n\n[ins]")
    vi.send(CTRL_P + CTRL_P)
    wait_for_line(vi, "'first'")
    vi.send(CTRL_N)
    wait_for_line(vi, "'second'")


# The editor


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor that makes every red blue."""
    return script(tmp_path / "repaint", 'for last; do :; done; sed -i s/red/blue/g "$last"')


def script(path: Path, code: str) -> Path:
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o700)
    return path


def test_f2_edits_the_line_and_runs_nothing(shared: Session, editor: Path) -> None:
    with shared.console(EDITOR=str(editor)) as console:
        console.send("'red' + 'dish'" + F2)
        wait_for_line(console, "'blue' + 'dish'")
        console.send(ENTER)
        console.wait_for("'bluedish'\n\nIn [")
        assert console.all_text.count("bluedish") == 1


def test_ctrl_x_ctrl_e_edits_and_runs(shared: Session, editor: Path) -> None:
    with shared.console(EDITOR=str(editor)) as console:
        console.send("'red' + 'dish'" + CTRL_X + CTRL_E)
        console.wait_for("'bluedish'")


def test_an_editor_that_gives_up_leaves_the_line(shared: Session, tmp_path: Path) -> None:
    editor = script(tmp_path / "give-up", 'echo > "$1"; echo tried; exit 1')
    with shared.console(EDITOR=str(editor)) as console:
        console.send("'as ' + 'it was'" + CTRL_X + CTRL_E)
        console.wait_for("tried")
        wait_for_line(console, "'as ' + 'it was'")
        console.send(ENTER)
        console.wait_for("'as it was'")


def test_an_editor_that_is_not_there_is_told_with_what_to_try(shared: Session) -> None:
    with shared.console(EDITOR="emax") as console:
        console.send("half" + F2)
        console.wait_for("EDITOR is 'emax', and there is no such program   try: export EDITOR=")
        wait_for_line(console, "half")


def test_edit_opens_the_editor_and_runs_what_was_written(shared: Session, tmp_path: Path) -> None:
    editor = script(tmp_path / "write", 'printf "rose = \'red\' * 2\nprint(rose.upper())\n" > "$1"')
    with shared.console(EDITOR=str(editor)) as console:
        console.send("%edit" + ENTER)
        console.wait_for("\nREDRED\n\nIn [")
        assert re.search(r"In \[\d+\]: rose = 'red' \* 2\n +\.\.\.: print\(rose", console.text)
        console.send(UP)
        console.wait_until(lambda: last(console).endswith("print(rose.upper())"), "what was edited")


def test_edit_of_a_function_changes_it_and_with_x_runs_nothing(shared: Session, editor: Path) -> None:
    with shared.console(EDITOR=str(editor)) as console:
        run(console, "def colour(): return 'red' + 'wood'" + ENTER)
        run(console, "%edit -x colour")
        run(console, "colour()")
        assert "]: 'redwood'" in console.text
        console.send("%edit colour" + ENTER)
        console.wait_for("]: def colour(): return 'blue' + 'wood'\n\nIn [")
        console.send("colour()" + ENTER)
        console.wait_for("'bluewood'")


def test_edit_of_a_file_writes_the_file_and_runs_it(shared: Session, editor: Path, tmp_path: Path) -> None:
    file = tmp_path / "a file.py"
    file.write_text("paint = 'red' + 'dish'\n")
    with shared.console(EDITOR=str(editor)) as console:
        console.send(f"%edit '{file}'" + ENTER)
        console.wait_for(f"%run -i '{file}'")
        console.wait_for_last_prompt()
        console.send("paint" + ENTER)
        console.wait_for("'bluedish'")
    assert file.read_text() == "paint = 'blue' + 'dish'\n"


def test_what_others_run_does_not_get_into_the_editor(shared: Session, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    editor = script(tmp_path / "wait", f"echo editing; cat {gate}; echo edited")
    with shared.console(EDITOR=str(editor)) as console, shared.console() as other:
        console.send("half typed" + F2)
        console.wait_for("editing")
        run(other, "print('mean' + 'while')")
        gate.write_text("")
        console.wait_for("\nmeanwhile\n")
        wait_for_line(console, "half typed")
        news = console.raw.rpartition(b"editing")[2]
        assert news.index(b"edited") < news.index(b"meanwhile")


# Asking


def test_a_function_is_completed_with_its_signature(shared: Session, console: Terminal) -> None:
    first = shared.client(
        "first"
    )  # a session's first completion loads jedi, which takes a loaded machine long
    try:
        first.reply(first.send("complete_request", {"code": "gath", "cursor_pos": 4}), 60)
    finally:
        first.close()
    run(console, "def gather(apples, pears=3): pass")
    run(console, "gather_more = 1")
    console.send("gath" + TAB)
    console.wait_for("function(apples, pears=3)")
    console.wait_for("gather_more")
    console.send(TAB + TAB + CTRL_G)
    wait_for_line(console, "gather")
    assert "apples, pears=3)" not in below_prompt(console)


def test_a_menu_of_many_columns_is_a_setting(shared: Session) -> None:
    shared.configure("[console]\ncompletion_menu = 'multicolumn'\n")
    try:
        with shared.console() as console:
            run(console, "class Basket: apple = banana = cherry = 1")
            console.send("Basket." + TAB)
            console.wait_until(lambda: re.search(r"apple +cherry\b", console.text), "two in a row", 60)
    finally:
        shared.configure("")


def test_source_and_magics_are_explained(console: Terminal) -> None:
    run(console, "def sow(seeds):" + ENTER + "return seeds * 3" + ENTER)
    console.send("sow??" + ENTER)
    console.wait_for("Source:")
    console.wait_for_last_prompt()
    console.send("%undo?" + ENTER)
    console.wait_for("Docstring:")
    console.wait_for_last_prompt()


def test_a_cell_magic_takes_lines_up_to_an_empty_one(console: Terminal) -> None:
    run(console, "%%capture harvest" + ENTER + "print('in the barn')" + ENTER + ENTER)
    console.send("harvest.stdout.upper()" + ENTER)
    console.wait_for("'IN THE BARN\\n'")


def test_a_question_mark_alone_is_answered_at_once_also_while_the_session_is_busy(shared: Session) -> None:
    with shared.console() as busy, shared.console() as console:
        busy.send("print('be' + 'gun'); input('go on? ')" + ENTER)
        console.wait_for("\nbegun")
        console.wait_for_last_prompt()
        number = console.prompt_number()
        console.send("?" + ENTER)
        console.wait_for("a session that has a name goes on")
        console.wait_for_last_prompt()
        assert console.prompt_number() == number
        busy.wait_for_last("go on?")
        busy.send(ENTER)
        busy.wait_for_last_prompt()


def test_ctrl_c_interrupts_again_after_a_pager_was_there(console: Terminal) -> None:
    run(console, "long = type('long', (), {'__doc__': 'first\\n' + 'line\\n' * 60 + 'last'})")
    console.send("long?" + ENTER)
    console.wait_for_last(":")  # less's prompt
    before = len(console.raw)
    console.send(CTRL_C)
    console.wait_until(lambda: len(console.raw) > before, "less's answer")
    console.send("q")
    console.wait_for_last_prompt()
    console.send("print('wai' + 'ting'); import time; time.sleep(600)" + ENTER)
    console.wait_for("\nwaiting")
    console.send(CTRL_C)
    console.wait_for("KeyboardInterrupt")
    console.wait_for_last_prompt()


# Looks


def test_brackets_that_belong_together_are_marked(console: Terminal) -> None:
    console.send("f(a, [b])")
    console.wait_for("f(a, [b])")
    console.wait_until(lambda: console.style_of("(a")[1], "a bold bracket")
    assert not console.style_of("[b")[1]


def test_a_theme_is_a_setting(shared: Session) -> None:
    shared.configure("[console]\ntheme = 'monokai'\n")
    try:
        with shared.console() as console, shared.console() as other:
            console.send("import os")
            console.wait_for("import os")
            console.wait_until(lambda: is_exact(console.style_of("import")[0]), "monokai's colour")
            run(other, "import sys")
            console.wait_for("import sys")
            assert is_exact(console.style_of("import sys")[0])
    finally:
        shared.configure("")


def is_exact(colour: str) -> bool:
    """Whether a colour is none of the terminal's own."""
    return re.fullmatch("[0-9a-f]{6}", colour) is not None


def test_who_wants_no_colour_gets_none(shared: Session) -> None:
    with shared.console(NO_COLOR="1") as console:
        console.send("def flower(): 'x'")
        console.wait_for("flower(): 'x'")
        console.wait_until(lambda: console.style_of("flower")[1], "highlighting, in bold")
        assert {console.style_of(word)[0] for word in ("In [", "def", "flower", "'x'")} == {"default"}
        console.send(CTRL_C)
        run(console, "len?")
        run(console, "1 / 0")
        words = ("Signature:", "ZeroDivisionError", "---->", "1 / 0")
        assert {console.style_of(word)[0] for word in words} == {"default"}


def test_a_terminal_that_is_dumb_gets_no_colour_either(shared: Session) -> None:
    command = ["env", "TERM=dumb", *HOLDFAST, "attach", shared.name]
    with Terminal(command, shared.env, rows=60) as console:  # with all that the others ran, and the head
        console.wait_for_last_prompt()
        run(console, "2 + 2")
        run(console, "1 / 0")
        words = ("session work", "Out[", "4", "ZeroDivisionError", "----> 1")
        assert {console.style_of(word)[0] for word in words} == {"default"}


def test_a_cell_that_took_long_says_how_long(shared: Session) -> None:
    shared.configure("[console]\nelapsed_seconds = 0.2\n")
    try:
        with shared.console() as console:
            console.send("import threading; threading.Event().wait(0.3)" + ENTER)
            console.wait_for(" took ")
            console.wait_for_last_prompt()
            said = re.search(r"^Out\[(\d+)\]: False\n\[\1\] took \d+\.\d s\n\nIn", console.text, re.MULTILINE)
            assert said, console.text
    finally:
        shared.configure("")


# The window


def test_a_block_of_lines_survives_another_size_of_the_window(console: Terminal) -> None:
    console.send(
        "('first long line of a block' +" + ENTER + "'second long line of a block' +" + ENTER + "'third'"
    )
    console.wait_until(lambda: last(console).endswith("'third'"), "the block")
    for columns, rows in (30, 5), (120, 3):
        console.resize(columns, 30)
        console.wait_until(lambda rows=rows: is_whole(console.lines[-rows:]), "the block again")  # type: ignore[misc]
    console.send(")" + ENTER)
    console.wait_for("'first long line of a blocksecond long line of a blockthird'")


def is_whole(block: list[str]) -> bool:
    """Whether each of its three lines is there once, broken or not: the emulator alone only cuts them off."""
    words = " ".join(" ".join(block).replace("⋮", "").split())
    return words.count("long line of a block' +") == 2 and words.count("'third'") == 1


def test_ctrl_l_clears_the_screen_and_keeps_the_line(console: Terminal) -> None:
    run(console, "print('clut' + 'ter')")
    console.send("half typed" + CTRL_L)
    console.wait_until(lambda: "clutter" not in console.text, "an empty screen")
    wait_for_line(console, "half typed")


def test_ctrl_z_suspends_a_question_too(shared: Session) -> None:
    with Terminal(["bash", "--norc", "-i"], shared.env | {"PS1": "shell> "}, columns=120) as console:
        console.wait_for("shell>")
        console.send(f"{' '.join(HOLDFAST)} attach work" + ENTER)
        console.wait_for_last_prompt()
        console.send("input('who? ')" + ENTER)
        console.wait_for_last("who?")
        console.send("half" + CTRL_Z)
        console.wait_for("Stopped")
        console.send("fg" + ENTER)
        console.wait_until(lambda: last(console) == "who? half", "the line again")
        console.send(" typed" + ENTER)
        console.wait_for("'half typed'")


def test_ctrl_z_suspends_the_console_alone_and_fg_brings_it_back(shared: Session) -> None:
    with Terminal(["bash", "--norc", "-i"], shared.env | {"PS1": "shell> "}, columns=120) as console:
        console.wait_for("shell>")
        console.send(f"{' '.join(HOLDFAST)} attach work" + ENTER)
        console.wait_for_last_prompt()
        console.send("'half' +")
        wait_for_line(console, "'half' +")
        console.send(CTRL_Z)
        console.wait_for("Stopped")
        assert re.search(r"^work +idle", shared.command("ls"), re.MULTILINE)
        console.send("fg" + ENTER)
        console.wait_until(lambda: last(console) == "'half' +", "the line again")
        console.send(" ' the line'" + ENTER)
        console.wait_for("'half the line'\n\nIn [")
        console.send(CTRL_D)
        console.wait_for("left work; it goes on")
