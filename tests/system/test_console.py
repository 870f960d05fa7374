"""The console on a real terminal: what a person types, and what is on the screen then."""

from __future__ import annotations

import json
import os
import re
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.deadline import Deadline
from kit.processes import kill
from kit.session import HOLDFAST, Session, session
from kit.terminal import (
    BACKSPACE,
    CTRL_BACKSLASH,
    CTRL_C,
    CTRL_D,
    CTRL_R,
    ENTER,
    SHIFT_TAB,
    TAB,
    UP,
    Terminal,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    """One session for the tests that leave it as they found it."""
    with session() as made:
        yield made


@pytest.fixture
def own() -> Iterator[Session]:
    """A session for this test alone."""
    with session() as made:
        yield made


@pytest.fixture
def console(shared: Session) -> Iterator[Terminal]:
    with shared.console() as terminal:
        yield terminal


@pytest.fixture
def other(shared: Session) -> Iterator[Terminal]:
    """A second console on the same session."""
    with shared.console() as terminal:
        yield terminal


def complete_once(work: Session) -> None:
    """Have jedi loaded: on a busy machine that takes longer than a console waits for what Tab shall show."""
    client = work.client("first")
    client.ask("complete_request", {"code": "import os; os.pat", "cursor_pos": 17}, within=90.0)
    client.close()


DEAF = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])"
"""Before anything is printed: an interrupt that comes between that and native code is heard by Python."""


# Typing


def test_a_cell_runs_and_the_next_prompt_is_numbered_on(own: Session) -> None:
    with own.console() as console:
        console.send("6 * 7" + ENTER)
        console.wait_for("Out[1]: 42\n\nIn [2]:")


def test_code_is_coloured_while_it_is_typed(console: Terminal) -> None:
    console.send("import os")
    console.wait_for("import os")
    console.wait_until(lambda: console.style_of("import")[0] == "magenta", "a coloured keyword")
    assert console.style_of("In [") == ("green", False)


def test_a_block_is_indented_and_runs_after_an_empty_line(console: Terminal) -> None:
    console.send("for i in 'ab':" + ENTER + "if i:" + ENTER + "print(i * 3)" + ENTER)
    console.wait_for("...:         print(i * 3)\n")
    console.send(ENTER)
    console.wait_for("aaa\nbbb\n")


def test_backspace_in_the_indent_goes_one_level_back(console: Terminal) -> None:
    console.send("if 1:" + ENTER + "if 1:" + ENTER + BACKSPACE + "x")
    console.wait_for("...:     x")


def test_tab_indents_at_the_beginning_of_a_line_and_shift_tab_takes_it_back(console: Terminal) -> None:
    console.send("(" + ENTER + TAB + TAB + SHIFT_TAB + "1")
    console.wait_for("...:     1")


def test_a_magic_and_a_shell_command_run(console: Terminal) -> None:
    console.send("%alias_magic tt timeit" + ENTER)
    console.wait_for("Created `%tt`")
    console.send("!echo from the $((40 + 2))nd shell" + ENTER)
    console.wait_for("from the 42nd shell")


def test_what_is_awaited_at_top_level_runs(console: Terminal) -> None:
    console.send("import asyncio" + ENTER + "await asyncio.sleep(0, 'slept')" + ENTER)
    console.wait_for("'slept'")


def test_a_paste_comes_as_one_block_without_its_prompts_and_runs_on_enter(console: Terminal) -> None:
    console.paste(">>> for i in range(2):\n...     print('pasted', i)\n...\n>>> print('after' + 'wards')")
    console.wait_for("'wards')")
    assert "pasted 0" not in console.text
    assert ">>>" not in console.text
    console.send(ENTER)
    console.wait_for("pasted 0\npasted 1\nafterwards\n")


def test_ctrl_c_clears_the_line(console: Terminal) -> None:
    console.send("to be thrown away")
    console.wait_for("to be thrown away")
    console.send(CTRL_C + "'ke' + 'pt'" + ENTER)
    console.wait_for("'kept'")
    assert "thrown" not in console.text


def test_sigint_from_elsewhere_clears_the_line_too(console: Terminal) -> None:
    console.send("to be thrown away")
    console.wait_for("to be thrown away")
    os.kill(console.pid, signal.SIGINT)
    console.wait_until(lambda: "thrown" not in console.text, "an empty line")


def test_up_arrow_brings_back_what_was_typed_in_an_earlier_console(shared: Session) -> None:
    with shared.console() as console:
        console.send("old_name = 'from before'" + ENTER)
        console.wait_until(lambda: console.text.count("In [") == 2, "the next prompt")
    with shared.console() as console:
        console.send("old" + UP)
        console.wait_for("old_name = 'from before'")


def test_ctrl_r_searches_the_history(shared: Session) -> None:
    with shared.console() as console:
        console.send("needle = 1" + ENTER + "hay = 2" + ENTER)
        console.wait_until(lambda: console.text.count("In [") == 3, "the next prompt")
    with shared.console() as console:
        console.send(CTRL_R + "eedl")
        console.wait_for("needle = 1")


# Asking


def test_tab_shows_what_there_is_with_its_kind(shared: Session, console: Terminal) -> None:
    complete_once(shared)
    console.send("import json" + ENTER)
    console.wait_until(lambda: console.text.count("In [") == 2, "the next prompt")
    console.send("json.JSON" + TAB)
    console.wait_for("JSONDecoder")
    console.wait_for("class")
    assert "json.JSON\n" in console.text
    console.send(TAB + ENTER)
    console.wait_until(lambda: console.lines[-1].endswith("json.JSONDecodeError"), "the first choice")


def test_tab_completes_what_is_unambiguous(shared: Session, console: Terminal) -> None:
    complete_once(shared)
    console.send("import collections; collections.Ordered" + TAB)
    console.wait_for("collections.OrderedDict")


def test_short_help_is_printed(console: Terminal) -> None:
    console.send("def add(a, b): 'Adds them.'" + ENTER + "add?" + ENTER)
    console.wait_for("Docstring: Adds them.")
    console.wait_for_last_prompt()


def test_long_help_opens_in_the_pager_and_q_comes_back(console: Terminal) -> None:
    console.send("long = type('long', (), {'__doc__': 'first\\n' + 'line\\n' * 60 + 'last'})" + ENTER)
    console.send("long?" + ENTER)
    console.wait_for_last(":")
    assert "first" in console.text
    assert "last" not in console.text
    console.send("q")
    console.wait_for_last_prompt()


# Output


def test_errors_show_a_coloured_traceback(console: Terminal) -> None:
    console.send("1 / 0" + ENTER)
    console.wait_for("ZeroDivisionError: division by zero")
    assert console.style_of("ZeroDivisionError")[0] in ("red", "brightred")


def test_stdout_goes_to_stdout_and_stderr_to_stderr(shared: Session, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    command = f"exec {' '.join(HOLDFAST)} attach work 2> {errors}"
    with Terminal(["/bin/sh", "-c", command], shared.env) as console:
        console.wait_for("In [")
        console.send("import sys; print('on ' + 'out'); print('on ' + 'err', file=sys.stderr)" + ENTER)
        console.wait_for("on out\n")
        console.wait_for_last_prompt()
        assert "on err" not in console.text
    assert "on err\n" in errors.read_text()


def test_a_line_without_end_is_not_overwritten_by_the_prompt(console: Terminal) -> None:
    console.send("print('no ' + 'end', end='')" + ENTER)
    console.wait_for("no end\n\nIn [")


def test_text_appears_while_the_cell_runs(console: Terminal) -> None:
    console.send("print('be' + 'gun'); x = input()" + ENTER)
    console.wait_for("\nbegun")
    console.send(ENTER)
    console.wait_for_last_prompt()


def test_a_progress_bar_is_drawn_in_place(console: Terminal) -> None:
    console.send("for i in range(4): print(f'\\rstep {i}', end='')" + ENTER + ENTER)
    console.wait_for("step 3\n")
    assert "step 2" not in console.text


def test_clear_output_takes_away_what_the_cell_has_shown(console: Terminal) -> None:
    console.send("from IPython.display import clear_output, display" + ENTER)
    console.send("print('ol' + 'd\\n' * 3); clear_output(wait=True); print('ne' + 'w')" + ENTER)
    console.wait_for("\nnew\n")
    assert "\nold\n" not in console.text
    assert "clear_output(wait=True)" in console.text


def test_an_updated_display_is_redrawn_in_place(console: Terminal) -> None:
    console.send("from IPython.display import display" + ENTER)
    console.send("h = display({'at': 1}, display_id=True); h.update({'at': 2}); h.update({'at': 3})" + ENTER)
    console.wait_for("\n{'at': 3}\n")
    assert "\n{'at': 2}" not in console.text


def test_late_output_comes_above_the_half_typed_line(console: Terminal) -> None:
    console.send("import threading; go = threading.Event()" + ENTER)
    console.send("threading.Thread(target=lambda: go.wait() and print('la' + 'te')).start()" + ENTER)
    console.send(
        "import signal; signal.signal(signal.SIGUSR1, lambda *_: go.set()); import os; os.getpid()" + ENTER
    )
    console.wait_until(lambda: re.search(r"Out\[\d+\]: (\d+)", console.text) is not None, "the worker's pid")
    console.wait_for_last_prompt()
    console.send("half ty")
    console.wait_for("half ty")
    os.kill(int(re.findall(r"Out\[\d+\]: (\d+)", console.text)[-1]), signal.SIGUSR1)
    console.wait_for("\nlate\n")
    console.wait_until(lambda: console.lines[-1].endswith("half ty"), "the half-typed line")


def test_loaded_code_stands_at_the_next_prompt(shared: Session, console: Terminal) -> None:
    (shared.folder / "code.py").write_text("loaded = 'from ' + 'a file'")
    console.send(f"%load {shared.folder}/code.py" + ENTER)
    console.wait_until(lambda: console.lines[-1].endswith("loaded = 'from ' + 'a file'"), "the code")
    console.send(ENTER + "loaded" + ENTER)
    console.wait_for("'from a file'")


def test_the_half_typed_line_survives_another_size_of_the_window(console: Terminal) -> None:
    console.send("'re' +")
    console.wait_for("'re' +")
    console.resize(60, 20)
    console.send(" 'sized'" + ENTER)
    console.wait_for(": 'resized'")


# Being asked


def test_input_is_answered_on_the_line_of_its_question(console: Terminal) -> None:
    console.send("print('You are ', end=''); name = input('called? ')" + ENTER)
    console.wait_for_last("You are called?")
    console.send("ana" + ENTER + "name.upper()" + ENTER)
    console.wait_for("You are called? ana\n")
    console.wait_for("'ANA'")


def test_a_password_is_not_shown(console: Terminal) -> None:
    console.send("import getpass; secret = getpass.getpass()" + ENTER)
    console.wait_for_last("Password:")
    console.send("hunter2" + ENTER + "secret[::-1]" + ENTER)
    console.wait_for("'2retnuh'")
    assert "hunter2" not in console.text


def test_ctrl_c_at_a_question_interrupts_the_cell(console: Terminal) -> None:
    console.send("input('well? ')" + ENTER)
    console.wait_for_last("well?")
    console.send(CTRL_C)
    console.wait_for("KeyboardInterrupt")
    console.wait_for_last_prompt()
    assert "----> 1 input('well? ')\n\nKeyboardInterrupt" in console.text  # none of our own lines


def test_ctrl_d_at_a_question_is_the_end_of_input(console: Terminal) -> None:
    console.send("input('well? ')" + ENTER)
    console.wait_for_last("well?")
    console.send(CTRL_D)
    console.wait_for("EOFError")
    console.wait_for_last_prompt()


# Interrupting


def test_ctrl_c_interrupts_the_running_cell(console: Terminal) -> None:
    console.send("print('loo' + 'ping'); [0 for _ in iter(int, 1) if _]" + ENTER)
    console.wait_for("\nlooping")
    console.send(CTRL_C)
    console.wait_for("KeyboardInterrupt")
    console.wait_for_last_prompt()


def test_ctrl_c_is_heard_while_more_is_printed_than_the_terminal_can_take(own: Session) -> None:
    heard = own.folder / "heard"
    with own.console() as console:
        console.send(f"!trap 'touch {heard}' INT; yes" + ENTER)
        console.wait_for("\ny\ny\ny\n")
        console.send(CTRL_C)
        deadline = Deadline(15.0)
        while not heard.exists():  # the emulator would take too long
            assert select.select([console], [], [], deadline.left_ms() / 1e3)[0]
            os.read(console.fileno(), 4096)
            assert not deadline.passed


def test_what_does_not_listen_to_ctrl_c_is_stopped_by_the_third_and_no_more_is_lost(
    own: Session,
) -> None:
    with own.console() as console:
        console.send("kept = 'still here'" + ENTER)
        console.wait_for("In [2]:")
        console.send(DEAF + "; print('coun' + 'ting'); sum(range(10**13))" + ENTER)
        console.wait_for("\ncounting")
        console.send(CTRL_C)
        console.wait_until(lambda: "^C" in console.text and console.cursor[1] == 0, "a new line after ^C")
        console.send(CTRL_C)
        console.wait_for("Ctrl-C again: stop the interpreter and restore the state before [2]")
        console.send(CTRL_C)
        console.wait_for("In [3]:")
        console.send("kept" + ENTER)
        console.wait_for("Out[3]: 'still here'")


# Leaving


def test_ctrl_d_leaves_with_one_line_and_the_session_goes_on(shared: Session, console: Terminal) -> None:
    console.send(CTRL_D)
    assert console.wait_end() == 0
    assert console.lines[-1] == "left work; it goes on. back: holdfast attach work"
    assert re.search(r"^work +idle", shared.command("ls"), re.MULTILINE)


@pytest.mark.parametrize("word", ["exit", "exit()", "quit(4)", "x = 1; exit(4)"])
def test_exit_leaves_too(console: Terminal, word: str) -> None:
    console.send(word + ENTER)
    assert console.wait_end() == 0


def test_ctrl_backslash_leaves_at_once_while_a_cell_runs(own: Session) -> None:
    with own.console() as console:
        console.send("print('wai' + 'ting'); import time; time.sleep(600)" + ENTER)
        console.wait_for("\nwaiting")
        console.send(CTRL_BACKSLASH)
        assert console.wait_end() == 0
        assert "left work; it goes on (In[1] is running). back: holdfast attach work" in console.text
    own.command("interrupt", "work")


def test_the_terminal_is_left_as_it_was_found(shared: Session) -> None:
    command = f"stty -g; {' '.join(HOLDFAST)} attach work; stty -g; echo done"
    with Terminal(["/bin/sh", "-c", command], shared.env) as console:
        console.wait_for("In [")
        console.send("1" + ENTER + CTRL_D)
        console.wait_for("\ndone")
        settings = [line for line in console.all_text.splitlines() if re.fullmatch(r"[0-9a-f:]{20,}", line)]
        assert len(settings) == 2
        assert settings[0] == settings[1]


def test_a_session_that_is_stopped_ends_the_console_and_says_so(own: Session) -> None:
    with own.console() as console:
        console.send("half ty")
        console.wait_for("half ty")
        own.command("stop", "work")
        assert console.wait_end() == 0
        assert "work has ended; its state is kept. back: holdfast attach work" in console.text
        assert "does not answer" not in console.text


def test_a_supervisor_that_is_killed_is_replaced_and_the_half_typed_line_stays(own: Session) -> None:
    with own.console() as console:
        console.send("kept = 5" + ENTER)
        console.send("half = kept + 1; ha")
        console.wait_for("half = kept + 1; ha")
        os.kill(json.loads(own.command("info", "work", "--json"))["pid"], signal.SIGKILL)
        console.wait_for("nothing was lost")
        assert re.search(r"the supervisor was gone for \d+\.\d s; nothing was lost", console.text)
        console.send("lf" + ENTER)
        console.wait_for("]: 6")


def test_a_cell_of_the_console_goes_on_when_the_supervisor_is_killed(own: Session) -> None:
    with own.console() as console:
        console.send("import time" + ENTER)
        console.send("for i in range(12): print('n', i); time.sleep(0.15)" + ENTER + ENTER)
        console.wait_for("n 3\n")
        os.kill(json.loads(own.command("info", "work", "--json"))["pid"], signal.SIGKILL)
        console.wait_for("n 11\n")
        console.wait_for_last_prompt()
        shown = [int(number) for number in re.findall(r"^n (\d+)$", console.text, re.MULTILINE)]
        assert shown == list(range(12))


def test_when_all_is_killed_the_console_ends_and_says_so(own: Session) -> None:
    with own.console() as console:
        console.send("half ty")
        console.wait_for("half ty")
        kill(own.mark, spared=console.pid)
        assert console.wait_end() == 1
        assert "the session work does not answer any more" in console.text


def test_a_console_that_is_terminated_leaves_in_order(console: Terminal) -> None:
    console.send("half ty")
    console.wait_for("half ty")
    os.kill(console.pid, signal.SIGTERM)
    assert console.wait_end() == 0
    assert "left work; it goes on" in console.text


# Together


def test_what_another_console_runs_comes_above_the_half_typed_line(
    console: Terminal, other: Terminal
) -> None:
    console.send("half = 'ty")
    console.wait_for("half = 'ty")
    other.send("for i in range(2): print('theirs', i)" + ENTER + ENTER)
    console.wait_for("theirs 0\ntheirs 1\n")
    assert re.search(r"\[\w+ [0-9a-f]{4}\] In \[\d+\]: for i in range\(2\)", console.text)
    half = re.compile(r"In \[\d+\]: half = 'ty")
    console.wait_until(lambda: half.fullmatch(console.lines[-1]) is not None, "the half-typed line")
    console.send("ped'" + ENTER + "half" + ENTER)
    console.wait_for("'typed'")


def test_the_prompts_number_follows_what_others_run(console: Terminal, other: Terminal) -> None:
    before = console.prompt_number()
    assert before is not None
    other.send("1" + ENTER)
    console.wait_until(lambda: console.prompt_number() == before + 1, "the next number")


def test_a_client_of_another_name_is_called_by_it(shared: Session, console: Terminal) -> None:
    ana = shared.client("ana")
    try:
        reply = ana.reply(ana.send("execute_request", {"code": "6 * 7"}))
        count = reply["content"]["execution_count"]
        console.wait_for(f"[ana] In [{count}]: 6 * 7\n[ana] Out[{count}]: 42")
    finally:
        ana.close()


def test_nobody_smuggles_escapes_into_the_terminal_of_others(shared: Session, console: Terminal) -> None:
    eve = shared.client("eve\x1b[2J")
    try:
        eve.reply(eve.send("execute_request", {"code": "'\x1b[2J' and 1"}))
        console.wait_for(r"[eve\x1b[2J] In")
        assert r"'\x1b[2J' and 1" in console.text
    finally:
        eve.close()


def test_a_console_on_a_busy_session_has_its_prompt_at_once(own: Session) -> None:
    with own.console() as busy:
        busy.send("print('wai' + 'ting'); import time; time.sleep(600); print('never')" + ENTER)
        busy.wait_for("\nwaiting")
        with own.console(cleared=False) as console:
            console.wait_for("has been running for")
            console.send("later = 1" + ENTER)
            console.wait_for("waiting for In [1] of")
            own.command("interrupt", "work")
            console.wait_for("not run, since a cell before it failed; here it is again")
            console.wait_until(lambda: console.lines[-1].endswith("later = 1"), "the cell that was not run")
        busy.wait_for("KeyboardInterrupt")


def test_tab_works_while_anothers_cell_runs_and_the_menu_says_as_of_when(own: Session) -> None:
    complete_once(own)
    with own.console() as console, own.console() as other:
        other.send("walrus_one, walrus_two = 1, 2" + ENTER)
        other.wait_for("In [2]:")
        other.send("walrus" + TAB)  # so that completion is quick from here on
        other.wait_for("walrus_two")
        other.send(CTRL_C + CTRL_C + "print('wai' + 'ting'); import time; time.sleep(600)" + ENTER)
        console.wait_for("\nwaiting")
        console.send("walr" + TAB)
        console.wait_for("(as of In[1])")
        assert console.text.count("as of In[1]") == 1


def test_ctrl_c_on_an_empty_line_says_whose_cell_runs_and_twice_interrupts_it(own: Session) -> None:
    with own.console() as console, own.console() as other:
        other.send("print('wai' + 'ting'); import time; time.sleep(600)" + ENTER)
        console.wait_for("\nwaiting")
        console.send(CTRL_C)
        console.wait_for("is running; Ctrl-C again interrupts it")
        console.send(CTRL_C)
        other.wait_for("KeyboardInterrupt")
        console.wait_for("KeyboardInterrupt")


# Crashes


def test_a_crash_is_told_in_all_consoles_and_no_variable_is_lost(own: Session) -> None:
    with own.console() as console, own.console() as other:
        console.send("import ctypes; kept = lambda: 'still here'" + ENTER)
        console.wait_for("In [2]:")
        console.send("ctypes.string_at(0)" + ENTER)
        for terminal in (console, other):
            terminal.wait_for("segmentation fault (signal 11, SIGSEGV)")
            terminal.wait_for("In [3]:")
        console.send("kept()" + ENTER)
        console.wait_for("Out[3]: 'still here'")
        other.wait_for("Out[3]: 'still here'")
