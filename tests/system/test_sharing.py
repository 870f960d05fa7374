"""Several people on one session: who sees what of whom, whose turn it is, and who answers a question."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest

from kit.session import Session, session
from kit.terminal import CTRL_BACKSLASH, CTRL_C, CTRL_D, ENTER, Terminal

WAITING = "print('wai' + 'ting'); import time; time.sleep(600)"
"""A cell that runs until it is interrupted, and says when it has begun."""


@pytest.fixture
def work() -> Iterator[Session]:
    with session() as made:
        yield made


@pytest.fixture
def ana(work: Session) -> Iterator[Terminal]:
    """One console on it."""
    with work.console() as terminal:
        yield terminal


@pytest.fixture
def bo(work: Session) -> Iterator[Terminal]:
    """Another one."""
    with work.console() as terminal:
        yield terminal


def run(terminal: Terminal, code: str, text: str) -> None:
    """Run a cell, and wait for what it prints."""
    terminal.send(code + ENTER)
    terminal.wait_for(text)


# Whose turn it is


def test_a_cell_that_waits_says_for_whom_and_ctrl_c_takes_out_only_itself(
    ana: Terminal, bo: Terminal
) -> None:
    run(ana, WAITING, "\nwaiting")
    bo.wait_for("\nwaiting")
    bo.send("late = 1" + ENTER)
    bo.wait_until(lambda: re.search(r"waiting for In \[1\] of \w+ [0-9a-f]{4}; Ctrl-C", bo.text) is not None)
    bo.send(CTRL_C)
    bo.wait_for("taken out of the queue; it has not run")
    bo.wait_for_last_prompt()
    assert "KeyboardInterrupt" not in ana.text
    ana.send(CTRL_C)
    ana.wait_for("KeyboardInterrupt")
    ana.wait_for_last_prompt()  # what comes before the cell's end is not run
    run(bo, "'late' in globals()", "False")


def test_the_place_in_the_queue_is_said(work: Session, ana: Terminal, bo: Terminal) -> None:
    run(ana, WAITING, "\nwaiting")
    bo.wait_for("\nwaiting")
    bo.send("first = 1" + ENTER)
    bo.wait_for("waiting for In [1]")
    with work.console() as third:
        third.send("second = 2" + ENTER)
        third.wait_for("and 1 more cell; Ctrl-C takes it out of the queue")
        ana.send(CTRL_C)
        third.wait_for("not run, since a cell before it failed")


def test_a_cell_that_others_were_quicker_than_stands_once_more_above_its_output(
    ana: Terminal, bo: Terminal
) -> None:
    run(ana, "print('ask' + 'ing'); input()", "\nasking")
    bo.wait_for("\nasking")
    bo.send("'mi' + 'ne'" + ENTER)
    bo.wait_for("waiting for In [1]")
    ana.send(ENTER + "'the' + 'irs'" + ENTER)
    bo.wait_for("\nIn [2]: 'mi' + 'ne'\nOut[2]: 'mine'")
    assert "] In [1]: print(" in bo.text


def test_clients_lists_who_is_there_and_what_they_do(work: Session, ana: Terminal, bo: Terminal) -> None:
    lab = work.client("cleo")
    try:
        lab.reply(lab.send("kernel_info_request", {}))
        run(ana, "%clients", "runs In[1]")
        ana.wait_for_last_prompt()
        assert re.search(r"^NAME +WITH +SINCE$", ana.text, re.MULTILINE)
        assert re.search(r"^\w+ +console +\d\d:\d\d +you, runs In\[1\]$", ana.text, re.MULTILINE)
        assert re.search(r"^\w+ +console +\d\d:\d\d$", ana.text, re.MULTILINE)
        assert re.search(r"^cleo +jupyter +\d\d:\d\d$", ana.text, re.MULTILINE)
    finally:
        lab.close()
    with work.console(cleared=False) as third:
        assert re.search(r"with \w+ [0-9a-f]{4} \(console\), \w+ [0-9a-f]{4} \(console\)", third.unfolded)


def test_who_is_left_of_several_jupyter_clients_is_not_guessed_but_told_when_they_speak(
    work: Session,
) -> None:
    """Which of them has gone, no socket tells."""

    def attached() -> list[str]:
        answer = first.reply(first.send("holdfast_clients_request", channel="control"))["content"]
        return sorted(each["name"] for each in answer["clients"])

    first, second, third = (work.client(name) for name in ("cleo", "dan", "eve"))
    try:
        for each in (first, second, third):
            each.reply(each.send("kernel_info_request"))
        assert attached() == ["cleo", "dan", "eve"]
        second.close()
        first.until_told(lambda: len(attached()) == 2, "the departure")
        assert attached() == ["?", "cleo"]
        third.reply(third.send("kernel_info_request"))
        assert attached() == ["cleo", "eve"]
    finally:
        for each in (first, second, third):
            each.close()


def test_nobody_has_a_name_that_is_not_fit_to_be_read(work: Session) -> None:
    client = work.client("eve\x1b]0;title\x07\n" + "e" * 10_000)
    try:
        client.do("name = 1")
        answer = client.reply(client.send("holdfast_clients_request", channel="control"))["content"]
        (name,) = {each["name"] for each in answer["clients"]}
        assert name.isprintable()
        assert len(name) <= 100
        assert name in work.command("log", "work")
    finally:
        client.close()


def test_info_says_who_is_attached_and_whose_cell_runs(work: Session, ana: Terminal, bo: Terminal) -> None:
    run(ana, WAITING, "\nwaiting")
    bo.send("1" + ENTER)
    bo.wait_for("waiting for In [1]")
    told = work.command("info", "work")
    assert re.search(r"attached: +\w+ \(console\) since \d\d:\d\d, runs In\[1\]$", told, re.MULTILINE)
    assert re.search(r"attached: +\w+ \(console\) since \d\d:\d\d, 1 cell waiting$", told, re.MULTILINE)
    bo.send(CTRL_C)
    ana.send(CTRL_C)
    ana.wait_for("KeyboardInterrupt")


def test_exit_leaves_only_oneself_and_says_who_stays(ana: Terminal, bo: Terminal) -> None:
    bo.send("exit" + ENTER)
    assert bo.wait_end() == 0
    assert re.search(r"left work; it goes on \(\w+ is attached\)\. back: holdfast attach work", bo.text)
    run(ana, "'still ' + 'here'", "'still here'")


def test_who_leaves_two_consoles_of_one_user_is_told_of_both(work: Session, ana: Terminal) -> None:
    with work.console() as second, work.console() as third:
        second.wait_for_last_prompt()
        third.send(CTRL_D)
        assert third.wait_end() == 0
        assert re.search(r"\((\w+), \1 are attached\)", third.text)
    run(ana, "20 + 3", "Out[1]: 23")


# Questions


def test_a_question_of_who_has_left_is_answered_by_another_whose_line_stays(
    ana: Terminal, bo: Terminal
) -> None:
    bo.send("half = 'ty")
    bo.wait_for("half = 'ty")
    run(ana, "name = input('who? ')", "\nwho?")
    ana.send(CTRL_BACKSLASH)
    assert ana.wait_end() == 0
    assert "left work; it goes on (In[1] waits for an answer;" in ana.text
    bo.wait_for('asks "who?", and is gone; Enter on an empty line answers it here')
    bo.wait_until(lambda: bo.lines[-1].endswith("half = 'ty"), "the half typed line")
    bo.send("ped'" + CTRL_C + ENTER)
    bo.wait_for_last("who?")
    bo.send("Ada" + ENTER)
    bo.wait_for_last_prompt()
    run(bo, "name[::-1]", "'adA'")


def test_who_comes_back_is_asked_again_and_can_leave_it_for_later(work: Session) -> None:
    with work.console() as console:
        run(console, "import getpass; secret = getpass.getpass('word? ')", "\nword?")
        console.send(CTRL_BACKSLASH)
        assert console.wait_end() == 0
    assert "waits for an answer [1]" in work.command("ls")
    with work.asked("word?") as console:
        console.send(CTRL_C)
        console.wait_for("not answered; Enter on an empty line answers it here")
        console.wait_for_last_prompt()
        console.send(ENTER)
        console.wait_for_last("word?")
        console.send("hunter2" + ENTER)
        console.wait_for_last_prompt()
        assert "hunter2" not in console.text
        run(console, "secret[::-1]", "'2retnuh'")


def test_a_question_that_somebody_has_answered_goes_away_on_all_screens(work: Session) -> None:
    with work.console() as console:
        run(console, "name = input('who? ')", "\nwho?")
        console.send(CTRL_BACKSLASH)
        console.wait_end()
    with work.asked("who?") as ana, work.asked("who?") as bo:
        ana.send("Ada" + ENTER)
        ana.wait_for_last_prompt()
        bo.wait_for("has answered it")
        bo.wait_for_last_prompt()
        run(bo, "name", "'Ada'")


def test_who_waits_behind_a_question_that_nobody_answers_is_asked_at_once(
    ana: Terminal, bo: Terminal
) -> None:
    run(ana, "name = input('who? ')", "\nwho?")
    bo.wait_for("input('who? ')")
    bo.send("name.upper()" + ENTER)
    bo.wait_for("waiting for In [1]")
    ana.send(CTRL_BACKSLASH)
    bo.wait_for_last("who?")
    bo.send("ada" + ENTER)
    bo.wait_for("'ADA'")


def test_a_question_outlives_the_supervisor_and_who_was_asked(
    work: Session, ana: Terminal, bo: Terminal
) -> None:
    run(ana, "name = input('who? ')", "\nwho?")
    bo.wait_for("input('who? ')")
    os.kill(work.info()["pid"], signal.SIGKILL)
    bo.wait_for("nothing was lost")
    ana.wait_for("nothing was lost")
    assert "answers it here" not in bo.text
    ana.send(CTRL_BACKSLASH)
    bo.wait_for("and is gone; Enter on an empty line answers it here")
    bo.send(ENTER)
    bo.wait_for_last("who?")
    bo.send("Ada" + ENTER)
    bo.wait_for_last_prompt()
    run(bo, "name[::-1]", "'adA'")


def test_who_was_asked_can_answer_another_supervisor(work: Session, ana: Terminal) -> None:
    run(ana, "name = input('who? ')", "\nwho?")
    os.kill(work.info()["pid"], signal.SIGKILL)
    ana.wait_for("nothing was lost")
    ana.send("Ada" + ENTER)
    ana.wait_for_last_prompt()
    run(ana, "name[::-1]", "'adA'")


def test_a_question_of_another_frontend_that_is_gone_is_offered_too(work: Session, ana: Terminal) -> None:
    lab = work.client("cleo")
    lab.wait_for_stdin()
    lab.start("name = input('who? ')", allow_stdin=True)
    lab.prompt()
    ana.wait_for("input('who? ')")
    assert "answers it here" not in ana.text
    lab.close()
    ana.wait_for('In [1] of cleo asks "who?", and is gone; Enter on an empty line answers it here')
    ana.send(ENTER)
    ana.wait_for_last("who?")
    ana.send(CTRL_D)
    ana.wait_for("EOFError")


def test_a_late_answer_is_not_taken_for_that_of_the_next_question(work: Session, ana: Terminal) -> None:
    lab = work.client("cleo")
    try:
        lab.wait_for_stdin()
        asking = lab.start(
            "first = input('one? '); second = input('two? '); (first, second)", allow_stdin=True
        )
        lab.prompt()
        question = work.info()["question"]
        assert question["prompt"] == "one? "
        lab.ask(
            "holdfast_answer_request", {"question": question["id"], "value": "quick", "by": "ana"}, "control"
        )
        lab.until(lambda: len(lab.prompts) == 2, "the second question")
        late = lab.session.msg("input_reply", {"value": "late"}, parent=lab.prompts[0])
        lab.send_frames(lab.session.serialize(late), "stdin")
        lab.answer("right")
        assert lab.finish(asking).result == "('quick', 'right')"
    finally:
        lab.close()
