"""Output and a prompt on one terminal."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from holdfast.console.pictures.picture import Picture
from holdfast.console.screen import HALF_LINE, LENT_CHARACTERS, Screen
from kit.page import COLUMNS, ROWS, Page


@asynccontextmanager
async def a_prompt(screen: Screen, page: Page, half_typed: str) -> AsyncIterator[PipeInput]:
    """A prompt that stands on `screen` meanwhile."""
    size = Size(rows=ROWS, columns=COLUMNS)
    output = Vt100_Output(page, lambda: size, enable_cpr=False)
    with create_pipe_input() as keys, create_app_session(input=keys, output=output):
        session: PromptSession[str] = PromptSession()
        typed = asyncio.Event()
        session.default_buffer.on_text_changed += lambda buffer: buffer.text != half_typed or typed.set()
        keys.send_text(half_typed)
        with screen.prompting():
            reading = asyncio.ensure_future(session.prompt_async("> "))
            await typed.wait()
            yield keys
            session.app.exit(result="")
            await reading


def test_text_is_written_as_it_comes(screen: Screen, page: Page) -> None:
    screen.write("half")
    screen.write(" a line\n")
    assert page.getvalue() == "half a line\n"


def test_a_fresh_line_ends_a_half_written_one_once(screen: Screen, page: Page) -> None:
    screen.fresh_line()
    screen.write("half")
    screen.fresh_line()
    screen.fresh_line()
    screen.write("next")
    assert page.lines == ["half", "next"]


def test_a_note_breaks_between_words_on_a_terminal_and_stays_one_line_in_a_pipe(page: Page) -> None:
    note = "word " * COLUMNS
    Screen(page, page).note(note)
    assert len(page.lines) > 1
    assert all(line.rstrip().endswith("word") for line in page.lines)
    pipe = io.StringIO()
    Screen(page, pipe).note(note)
    assert pipe.getvalue() == f"{note}\n"


def test_what_was_written_since_a_mark_can_be_taken_back(screen: Screen, page: Page) -> None:
    screen.write("before\n")
    mark = screen.mark()
    screen.write("one\ntwo" * 2)
    screen.rewind(mark)
    screen.write("after\n")
    assert page.lines == ["before", "after"]


def test_only_what_can_still_be_seen_is_taken_back(screen: Screen, page: Page) -> None:
    mark = screen.mark()
    screen.write("line\n" * 50)
    screen.rewind(mark)
    screen.write("after")
    assert page.lines == ["after"]


def test_the_half_written_line_can_be_taken_for_a_prompt(screen: Screen, page: Page) -> None:
    screen.write("whole\nYou are ")
    assert screen.half_line() == "You are "
    screen.fresh_line()
    assert page.getvalue() == "whole\nYou are "


def test_what_the_terminal_can_not_show_is_replaced(page: Page) -> None:
    class Ascii(Page):
        encoding = "ascii"

    narrow = Ascii()
    Screen(narrow, narrow).write("é\udcff")
    assert narrow.getvalue() == "??"


def test_a_redirected_stream_gets_its_text_and_does_not_count(page: Page) -> None:
    file = io.StringIO()
    screen = Screen(page, file)
    screen.write("half a line", "stderr")
    screen.fresh_line()
    assert file.getvalue() == "half a line"
    assert page.getvalue() == ""


def test_text_goes_above_the_prompt_and_the_half_typed_line_stays(screen: Screen, page: Page) -> None:
    async def scene() -> list[str]:
        async with a_prompt(screen, page, "half typed"):
            screen.write("one\n")
            screen.write("two\n")
            await screen.drained()
            screen.write("three\n")
            await screen.drained()
            return page.lines

    assert asyncio.run(scene()) == ["one", "two", "three", "> half typed"]


def test_above_the_prompt_a_half_line_waits_for_its_end(screen: Screen, page: Page) -> None:
    async def scene() -> tuple[list[str], list[str]]:
        async with a_prompt(screen, page, "half typed"):
            screen.write("begun")
            screen.write(" and\ngone")
            await screen.drained()
            before = page.lines
            screen.write(" on")
            screen.fresh_line()
            await screen.drained()
            return before, page.lines

    before, after = asyncio.run(scene())
    assert before == ["begun and", "> half typed"]
    assert after == ["begun and", "gone on", "> half typed"]


def test_above_the_prompt_the_last_state_of_a_progress_bar_is_shown(screen: Screen, page: Page) -> None:
    async def scene() -> list[str]:
        async with a_prompt(screen, page, "half typed"):
            for percent in range(0, 101, 50):
                screen.write(f"\r{percent} %")
                await screen.drained()
            screen.fresh_line()
            await screen.drained()
            return page.lines

    assert asyncio.run(scene()) == ["100 %", "> half typed"]


def test_what_waited_for_its_end_is_written_when_the_prompt_goes(screen: Screen, page: Page) -> None:
    async def scene() -> None:
        async with a_prompt(screen, page, "half typed"):
            screen.write("no end")
            await screen.drained()

    asyncio.run(scene())
    assert page.lines == ["> half typed", "no end"]


def test_a_mark_is_lost_once_a_prompt_has_stood_below_it(screen: Screen, page: Page) -> None:
    async def scene() -> None:
        mark = screen.mark()
        screen.write("kept\n")
        async with a_prompt(screen, page, "typed"):
            pass
        screen.rewind(mark)
        screen.write("after\n")

    asyncio.run(scene())
    assert page.lines == ["kept", "> typed", "after"]


def test_of_a_flood_of_frames_above_a_prompt_the_last_one_is_shown(screen: Screen, page: Page) -> None:
    async def scene() -> None:
        async with a_prompt(screen, page, "half typed"):
            for _ in range(2):
                screen.write("before\n")
                mark = screen.mark()
                for number in range(1000):
                    screen.rewind(mark)
                    screen.write(f"frame {number}\n")
                    screen.rewind(mark)
                    screen.fresh_line()
                    screen.draw(Picture("picture\n", 1, forget=""))
                    screen.write(f"below {number}\n")
                await screen.drained()
                screen.rewind(mark)
                screen.write("the last one\n")
                await screen.drained()

    asyncio.run(scene())
    assert page.lines == [*["before", "the last one"] * 2, "> half typed"]
    assert page.getvalue().count("below 999") == 2
    assert page.getvalue().count("below") == 2


def picture(name: str, rows: int) -> Picture:
    lines = "".join(f"{name}{row}\n" for row in range(rows))
    return Picture(lines, rows, forget=f"\x1b_Ga=d,i={ord(name)}\x1b\\")


def test_a_picture_stands_on_lines_of_its_own(screen: Screen, page: Page) -> None:
    screen.write("half")
    screen.draw(picture("p", 2))
    screen.write("next")
    assert page.lines == ["half", "p0", "p1", "next"]


def test_a_picture_that_is_taken_back_is_forgotten_by_the_terminal_too(screen: Screen, page: Page) -> None:
    screen.draw(picture("k", 1))
    mark = screen.mark()
    screen.draw(picture("p", 3))
    screen.rewind(mark)
    screen.rewind(mark)

    assert page.getvalue().count(picture("p", 3).forget) == 1
    assert picture("k", 1).forget not in page.getvalue()


def test_what_went_back_to_its_beginning_is_not_written_over_by_what_follows(
    screen: Screen, page: Page
) -> None:
    screen.write("99 %\r")
    screen.write("100 %\r")
    screen.fresh_line()
    screen.write("next")
    assert page.lines == ["100 %", "next"]


def test_a_progress_bar_that_wiped_itself_away_leaves_no_empty_line(screen: Screen, page: Page) -> None:
    screen.write("\r100 %\r     \r")
    screen.fresh_line()
    screen.write("\rhalf\x1b[2K\r\x1b[2K")
    screen.fresh_line()
    screen.write("next")
    assert page.lines == ["next"]


def test_above_the_prompt_states_that_end_with_a_return_replace_each_other(
    screen: Screen, page: Page
) -> None:
    async def scene() -> list[str]:
        async with a_prompt(screen, page, "half typed"):
            for percent in range(0, 101, 50):
                screen.write(f"line\n{percent} %\r")
                await screen.drained()
            screen.write("done\n")
            await screen.drained()
            return page.lines

    assert asyncio.run(scene()) == ["line", "line", "line", "done%", "> half typed"]


def test_a_bar_that_moves_for_hours_above_the_prompt_takes_no_more_room(screen: Screen, page: Page) -> None:
    async def scene() -> int:
        async with a_prompt(screen, page, "half typed"):
            screen.write("\r0 s")
            await screen.drained()
            tracemalloc.start()
            for second in range(10_000):
                screen.write(f"\r{second} s")
            used, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return used

    assert asyncio.run(scene()) < 100_000  # one object for each would be a megabyte
    assert page.lines == ["> half typed", "9999 s"]


def test_a_half_line_that_has_no_end_is_written_above_the_prompt_all_the_same(
    screen: Screen, page: Page
) -> None:
    async def scene() -> None:
        async with a_prompt(screen, page, "half typed"):
            for _ in range(HALF_LINE + 1):
                screen.write(".")
            await screen.drained()
            assert page.getvalue().count(".") == HALF_LINE + 1
            assert page.lines[-1] == "> half typed"

    asyncio.run(scene())


def test_two_cells_half_lines_never_stand_on_the_prompts_line(screen: Screen, page: Page) -> None:
    async def scene() -> list[str]:
        async with a_prompt(screen, page, "half typed"):
            screen.write("whole\nhalf")
            screen.mark()
            await screen.drained()
            return page.lines

    assert asyncio.run(scene()) == ["whole", "> half typed"]


def test_after_the_window_has_changed_its_width_nothing_is_wiped_away(
    screen: Screen, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.write("before " * 10 + "\n")
    mark = screen.mark()
    screen.write("old " * 15 + "\n")
    monkeypatch.setenv("COLUMNS", str(COLUMNS * 2))
    screen.rewind(mark)
    screen.write("new\n")
    assert any("before" in line for line in page.lines)
    assert page.lines[-1] == "new"


def test_of_a_flood_while_a_pager_is_open_the_end_is_shown_and_what_is_missing_is_said(
    screen: Screen, page: Page
) -> None:
    line = "x" * 99 + "\n"
    with screen.lent():
        for _ in range(LENT_CHARACTERS // 100 + 50):
            screen.write(line)
    assert page.getvalue().startswith("… 5.0 kB before\n")
    assert page.getvalue().count(line) == LENT_CHARACTERS // 100
