"""Keys in, a cell out: the prompt without a terminal."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent, Completion, DummyCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from holdfast.console.history import SessionHistory
from holdfast.console.prompt import Prompt
from holdfast.console.screen import Screen
from holdfast.settings import Console as Settings
from kit.page import Page

ENTER, TAB, SHIFT_TAB, BACKSPACE, LEFT, UP = "\r", "\t", "\x1b[Z", "\x7f", "\x1b[D", "\x1b[A"
ALT_B, ALT_DOT, ESCAPE, CTRL_UNDERSCORE = "\x1bb", "\x1b.", "\x1b", "\x1f"
CTRL_E, CTRL_K, CTRL_N, CTRL_P, CTRL_W, CTRL_Y = "\x05", "\x0b", "\x0e", "\x10", "\x17", "\x19"
ALT_ENTER, CTRL_A, CTRL_C, CTRL_D, CTRL_O, CTRL_BACKSLASH = "\x1b\r", "\x01", "\x03", "\x04", "\x0f", "\x1c"


class Words(DummyCompleter):
    """Proposes three words for whatever stands before the cursor."""

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        for word in ("alpha", "alpine", "beta"):
            typed = document.get_word_before_cursor()
            if word.startswith(typed):
                yield Completion(word, start_position=-len(typed))


def typed(
    screen: Screen,
    keys: str,
    default: str = "",
    history: tuple[str, ...] = (),
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> str:
    """What the prompt returns when `keys` are pressed."""
    return asyncio.run(_typed(screen, keys, default, history, [], settings))


async def _typed(
    screen: Screen,
    keys: str,
    default: str,
    entries: tuple[str, ...],
    idle: list[str],
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> str:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        history = SessionHistory()
        history.supply(entries)
        prompt = Prompt(
            screen,
            count=lambda: 1,
            completer=Words(),
            history=history,
            on_idle_interrupt=lambda: idle.append("pressed"),
            settings=settings,
        )
        pipe.send_text(keys)
        return await prompt.read(default)


@pytest.mark.parametrize(
    ("keys", "cell"),
    [
        ("1 + 1" + ENTER, "1 + 1"),
        ("ab" + LEFT + ENTER, "ab"),
        ("x = (" + ENTER + "1)" + ENTER, "x = (\n1)"),
        ("if x:" + ENTER + "y" + ENTER + ENTER, "if x:\n    y\n    "),
        ("if x:" + ENTER + "y" + ENTER + BACKSPACE + "else:" + ENTER + "z" + ENTER + ENTER,
         "if x:\n    y\nelse:\n    z\n    "),
        ("%%time" + ENTER + "x" + ENTER + ENTER + ENTER, "%%time\nx\n\n"),
        ("!ls" + ENTER, "!ls"),
        ("x +" + ENTER, "x +"),
        ("if x:" + ALT_ENTER, "if x:"),
        ("x" + CTRL_O + "y" + ENTER, "x\ny"),
        (TAB + "x" + ENTER, "    x"),
        (TAB + TAB + SHIFT_TAB + "x" + ENTER, "    x"),
        ("  " + TAB + "x" + ENTER, "    x"),
        ("if x:" + ENTER + TAB + BACKSPACE + BACKSPACE + "y" + ENTER, "if x:\ny"),
        ("a  " + BACKSPACE + "b" + ENTER, "a b"),
        ("x" + ENTER, "x"),
    ],
)  # fmt: skip
def test_enter_runs_what_is_complete_and_goes_on_with_what_is_not(
    screen: Screen, keys: str, cell: str
) -> None:
    assert typed(screen, keys) == cell


def test_enter_above_the_last_line_opens_a_line(screen: Screen) -> None:
    assert typed(screen, UP + ENTER + ALT_ENTER, default="a\nb") == "a\n\nb"


@pytest.mark.parametrize(
    ("pasted", "cell"),
    [
        ("a\r\nb\r", "a\nb\n"),
        ("if x:\n\n    y\n", "if x:\n\n    y\n"),
        (">>> a\n>>> b", "a\nb"),
        ("In [1]: if x:\n   ...:     y", "if x:\n    y"),
        ("\tx", "\tx"),
    ],
)
def test_a_paste_runs_nothing_and_loses_its_prompts(screen: Screen, pasted: str, cell: str) -> None:
    assert typed(screen, f"\x1b[200~{pasted}\x1b[201~" + ALT_ENTER) == cell


def test_ctrl_c_clears_the_line(screen: Screen) -> None:
    assert typed(screen, "thrown away" + CTRL_C + "kept" + ENTER) == "kept"


def test_ctrl_c_on_an_empty_line_is_passed_on(screen: Screen) -> None:
    idle: list[str] = []
    asyncio.run(_typed(screen, CTRL_C + "x" + ENTER, "", (), idle))
    assert idle == ["pressed"]


@pytest.mark.parametrize("keys", [CTRL_D, CTRL_BACKSLASH, "half typed" + CTRL_BACKSLASH])
def test_leaving(screen: Screen, keys: str) -> None:
    with pytest.raises(EOFError):
        typed(screen, keys)


def test_ctrl_d_in_a_line_deletes_and_does_not_leave(screen: Screen) -> None:
    assert typed(screen, "abc" + CTRL_A + CTRL_D + ENTER) == "bc"


def test_up_arrow_finds_what_begins_with_what_is_typed(screen: Screen) -> None:
    entries = ("import os", "x = 1", "import sys", "y = 2")
    assert typed(screen, UP + UP + ENTER, history=entries) == "import sys"
    assert typed(screen, "x" + UP + ENTER, history=entries) == "x = 1"
    assert typed(screen, "imp" + UP + UP + ENTER, history=entries) == "import os"


def test_a_cell_of_several_lines_comes_back_as_one(screen: Screen) -> None:
    assert typed(screen, UP + ALT_ENTER, history=("if x:\n    y\n",)) == "if x:\n    y\n"


@pytest.mark.parametrize(
    ("keys", "cell"),
    [
        ("x = 1" + CTRL_UNDERSCORE + "2" + ENTER, "x = 2"),
        ("f(a)" + CTRL_A + CTRL_K + "b" + CTRL_Y + ENTER, "bf(a)"),
        ("one two" + CTRL_W + "2" + ENTER, "one 2"),
        ("a b" + ALT_B + "c" + ENTER, "a cb"),
        (ALT_DOT + ENTER, "json"),
    ],
)
def test_readlines_keys_do_what_they_do_in_ipython(screen: Screen, keys: str, cell: str) -> None:
    assert typed(screen, keys, history=("import json",)) == cell


@pytest.mark.parametrize(
    ("keys", "cell"),
    [
        ("f(" + ENTER, "f()"),
        ("f([1])" + ENTER, "f([1])"),
        ("f('a', \"b\")" + ENTER, "f('a', \"b\")"),
        ("x = f'" + ENTER, "x = f''"),
        ("# don't" + ENTER, "# don't"),
        ("x" + LEFT + "(" + ALT_ENTER, "(x"),
        ("f(" + BACKSPACE + ENTER, "f"),
        ('"""' + ALT_ENTER, '"""'),
        ("'a" + ENTER, "'a'"),
    ],
)
def test_brackets_and_quotes_close_by_themselves_for_who_wants_it(
    screen: Screen, keys: str, cell: str
) -> None:
    assert typed(screen, keys, settings=Settings(auto_close=True)) == cell
    assert typed(screen, "f(" + ALT_ENTER) == "f("


VI = Settings(editing_mode="vi")


@pytest.mark.parametrize(
    ("keys", "cell"),
    [
        ("abc" + ESCAPE + "0x" + ENTER, "bc"),
        ("if x:" + ENTER + "y" + ESCAPE + ENTER, "if x:\n    y"),
        ("im" + CTRL_P + ENTER, "import json"),
        (CTRL_P + CTRL_P + CTRL_N + ENTER, "import json"),
        ("bc" + CTRL_A + "a" + CTRL_E + "d" + ENTER, "abcd"),
        ("a word" + ESCAPE + "b" + "cwb" + ENTER, "a b"),
        ("x" + CTRL_UNDERSCORE + "y" + ENTER, "y"),
    ],
)
def test_vi_edits_as_vi_and_finds_the_history_as_readline_does(screen: Screen, keys: str, cell: str) -> None:
    assert typed(screen, keys, history=("x = 2", "import json"), settings=VI) == cell


def test_the_prompt_begins_with_what_it_is_given(screen: Screen) -> None:
    assert typed(screen, " + 1" + ENTER, default="x") == "x + 1"


def test_an_answer_is_typed_after_the_half_written_line_and_its_question(screen: Screen) -> None:
    async def scene() -> str:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            prompt = Prompt(
                screen,
                count=lambda: 1,
                completer=Words(),
                history=SessionHistory(),
                on_idle_interrupt=lambda: None,
                settings=Settings(),
            )
            pipe.send_text("ana" + ENTER)
            return await prompt.ask("name? ", password=False)

    assert asyncio.run(scene()) == "ana"


class Watched(Screen):
    """Tells when a prompt stands."""

    @contextmanager
    def prompting(self) -> Iterator[None]:
        with super().prompting():
            asyncio.get_running_loop().call_soon(self.stands.set)
            yield

    @functools.cached_property
    def stands(self) -> asyncio.Event:
        return asyncio.Event()


def test_to_be_told_twice_to_give_up_is_once_too_often_and_harmless(page: Page) -> None:
    screen = Watched(page, page)

    async def scene() -> None:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            prompt = Prompt(
                screen,
                count=lambda: 1,
                completer=Words(),
                history=SessionHistory(),
                on_idle_interrupt=lambda: None,
                settings=Settings(),
            )
            reading = asyncio.ensure_future(prompt.read())
            await screen.stands.wait()
            prompt.end()
            prompt.end()
            await reading

    with pytest.raises(EOFError):
        asyncio.run(scene())
