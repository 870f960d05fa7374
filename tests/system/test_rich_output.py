"""What is more than text, in a console on a real terminal: pictures, tables, formulas, progress."""

from __future__ import annotations

import base64
import io
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from kit.session import HOLDFAST, Session, session
from kit.terminal import CTRL_D, ENTER, Terminal

RED = "Image.new('RGB', (80, 64), 'red')"
"""A picture of ten columns and four rows, where a character has 8 x 16 pixels."""

FROM_ELSEWHERE = ("TMUX", "TERM_PROGRAM", "COLORTERM", "COLUMNS", "LINES")
"""Variables of the terminal that the tests are run from."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    with session() as made:
        for name in FROM_ELSEWHERE:
            made.env.pop(name, None)
        yield made


@contextmanager
def a_console(shared: Session, columns: int = 120, **variables: str) -> Iterator[Terminal]:
    """A console on a terminal that sets these variables."""
    with shared.console(columns=columns, **variables) as made:
        run(made, "from PIL import Image")
        yield made


@pytest.fixture
def console(shared: Session) -> Iterator[Terminal]:
    with a_console(shared, COLORTERM="truecolor") as made:
        yield made


def run(console: Terminal, code: str) -> str:
    """What is on the screen after a cell, from its code on."""
    begun = rf"In \[(\d+)\]: {re.escape(code.splitlines()[0][:20])}"  # its number may be another one than it
    earlier = len(re.findall(begun, console.all_text))  # would have had when the prompt was drawn

    def has_ended() -> bool:
        numbers = re.findall(begun, console.all_text)[earlier:]
        return bool(numbers) and (console.prompt_number() or 0) > int(numbers[-1])

    console.send(code + ENTER)
    console.wait_until(has_ended, "the next prompt", 30)
    number = re.findall(begun, console.all_text)[-1]
    return console.all_text.rpartition(f"In [{number}]: ")[2].rpartition("\n\nIn [")[0]


# Pictures


def test_a_terminal_that_nobody_knows_gets_half_blocks(console: Terminal) -> None:
    run(console, "import matplotlib.pyplot as plt; plt.plot([1, 4, 2]); plt.show()")

    assert console.text.count("▀") > 100
    assert "<Figure" not in console.text


def test_a_plot_is_shown_though_nobody_says_show(console: Terminal) -> None:
    assert "▀" in run(console, "import matplotlib.pyplot as plt; _ = plt.plot([1, 4, 2])")


def test_kitty_gets_the_file_as_it_is(shared: Session) -> None:
    with a_console(shared, KITTY_WINDOW_ID="1") as console:
        run(console, RED)
        sent = re.findall(rb"\x1b_Ga=T,f=100,i=\d+,c=10,r=4,C=1,q=2,m=0;([^\x1b]*)\x1b", console.raw)
        with Image.open(io.BytesIO(base64.b64decode(sent[0]))) as picture:
            assert picture.size == (80, 64)


def test_iterm2_gets_the_file_also_over_ssh(shared: Session) -> None:
    with a_console(shared, LC_TERMINAL="iTerm2") as console:
        run(console, RED)
        assert re.search(rb"\x1b\]1337;File=inline=1;size=\d+;width=10;height=4;", console.raw)


def test_a_terminal_with_sixels_gets_them(shared: Session) -> None:
    with a_console(shared, WT_SESSION="1") as console:
        run(console, RED)
        assert b'\x1bP0;1;0q"1;1;80;64#0;2;100;0;0#0!80~-' in console.raw


def test_without_colours_a_picture_is_named(shared: Session) -> None:
    with a_console(shared, NO_COLOR="1") as console:
        assert re.search(r"<image/png 80x64, \d+ B>", run(console, RED))


def test_an_animation_is_drawn_in_one_place(shared: Session) -> None:
    frames = "[h.update(Image.new('RGB', (80, 64), colour)) for colour in ('green', 'blue')]"
    with a_console(shared, KITTY_WINDOW_ID="1") as console:
        run(console, f"h = display({RED}, display_id=True); _ = {frames}")
        numbers = re.findall(rb"a=T,f=100,i=(\d+)", console.raw)
        again = [re.search(rb"\x1b\[4A\x1b\[J\x1b_Ga=d,d=I,i=%s," % each, console.raw) for each in numbers]

        assert [each is not None for each in again] == [True, True, False]


def test_frames_that_clear_the_output_leave_the_last_one(console: Terminal) -> None:
    run(console, "from IPython.display import clear_output")
    frame = f"clear_output(wait=True), display({RED}), print('frame', n)"
    shown = run(console, f"[({frame}) for n in range(3)]; 0")

    assert "frame 2" in shown
    assert not re.search(r"^frame 1", console.text, re.MULTILINE)


def test_a_picture_of_another_client_comes_above_the_half_typed_line(
    shared: Session, console: Terminal
) -> None:
    console.send("half = 'ty")
    ana = shared.client("ana")
    try:
        ana.reply(ana.send("execute_request", {"code": RED}))
        console.wait_until(lambda: re.search(r"\[ana\] Out\[\d+\]:", console.text) is not None)
        console.wait_until(lambda: console.lines[-1].endswith("half = 'ty"), "the half typed line")
    finally:
        ana.close()
    console.send("ped'" + ENTER + "half" + ENTER)
    console.wait_for("'typed'")


def test_no_picture_smuggles_escapes_into_a_terminal(shared: Session) -> None:
    evil = "eA==\x1b]0;owned\x07"
    bundle = {"image/png": evil, "text/html": f"<p>{evil}", "text/plain": "<x>"}
    with a_console(shared, LC_TERMINAL="iTerm2") as console:
        eve = shared.client("eve")
        try:
            eve.reply(eve.send("execute_request", {"code": f"display({bundle!r}, raw=True)"}))
            console.wait_for("<image/png")
        finally:
            eve.close()
        assert b"\x1b]0;owned" not in console.raw


# Documents and tables


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (r"Math(r'\frac{a+b}{x^2}')", "(a+b)/x²"),
        (r"Markdown('| a | b |\n|---|---|\n| 1 | 2 |')", " ───"),
        ("HTML('<table><tr><td>tea<td>9<tr><td>coffee<td>12</table>')", "tea      9\ncoffee  12"),
        ("JSON({'a': 1})", '"a": 1'),
        ("HTML('<script>x</script>')", "<text/html, 18 B>"),
    ],
)
def test_what_has_no_text_of_its_own_can_be_read(console: Terminal, code: str, text: str) -> None:
    run(console, "from IPython.display import *")
    assert text in run(console, code)


def test_code_in_a_cell_knows_the_width_of_its_clients_terminal(shared: Session) -> None:
    size = "import shutil; print('width', shutil.get_terminal_size().columns)"
    with a_console(shared, columns=130) as console:
        assert "width 130" in run(console, size)
    with a_console(shared, columns=90) as console:
        assert "width 90" in run(console, size)
        console.resize(70, 40)
        console.wait_for_last_prompt()
        assert "width 70" in run(console, size)
    other = shared.client("lab")
    try:
        request = other.send(
            "execute_request", {"code": "import os; assert os.environ.get('COLUMNS') != '70'"}
        )
        assert other.reply(request)["content"]["status"] == "ok"
    finally:
        other.close()


# Progress


def test_bars_of_tqdm_move_in_place_in_all_its_shapes(console: Terminal) -> None:
    run(console, "from tqdm import tqdm; from tqdm.auto import tqdm as auto")
    assert run(console, "[0 for _ in tqdm(range(300), desc='plain')]; 0").count("plain: ") == 1
    bars = run(console, "[[0 for _ in auto(range(9), desc='in')] for _ in auto(range(2), desc='out')]; 0")
    assert re.search(r"out: 100% ━+ 2/2 .*\nin: 100% ━+ 9/9 .*\nin: 100% ━+ 9/9", bars)


def test_progress_of_rich_is_one_line_for_each_task(console: Terminal) -> None:
    run(console, "from rich.progress import Progress; p = Progress()")
    run(console, "a, b = p.add_task('one', total=9), p.add_task('two', total=9)")
    shown = run(console, "p.start(); [(p.advance(a), p.advance(b), p.refresh()) for _ in range(9)]; p.stop()")

    assert len(re.findall("^one ", shown, re.MULTILINE)) == len(re.findall("^two ", shown, re.MULTILINE)) == 1
    assert shown.count("100%") == 2


def test_text_may_move_the_cursor_and_the_prompt_stays_below(console: Terminal) -> None:
    shown = run(console, r"print('a\nb\nc', end='\x1b[2A\r'); print('A', end='\x1b[2B\r'); print('C')")
    assert shown.endswith("A\nb\nC")


@pytest.mark.skipif(not (shutil.which("tmux") and shutil.which("tic")), reason="needs tmux and tic")
@pytest.mark.parametrize("passthrough", ["on", "off"])
def test_in_tmux_kitty_gets_the_file_if_tmux_lets_it_through(
    shared: Session, tmp_path: Path, passthrough: str
) -> None:
    described = subprocess.check_output(["infocmp", "xterm-256color"], text=True, timeout=30)
    kitty = tmp_path / "kitty.ti"
    kitty.write_text(re.sub("^xterm-256color", "xterm-kitty", described, flags=re.MULTILINE))
    subprocess.run(["tic", "-o", tmp_path, kitty], check=True, capture_output=True, timeout=30)
    (tmp_path / "conf").write_text(f"set -g allow-passthrough {passthrough}\nset -g status off\n")
    inside = shlex.join([*HOLDFAST, "attach", "work"])
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", str(tmp_path / "conf")]
    env = {**shared.env, "TERM": "xterm-kitty", "TERMINFO": str(tmp_path), "LANG": "C.UTF-8"}
    with Terminal(["env", "TERM=xterm-kitty", *tmux, "new", inside], env, rows=40) as console:
        console.wait_for_last_prompt()
        run(console, "from PIL import Image")
        run(console, RED)
        assert (b"\x1b_Ga=T,U=1,f=100" in console.raw) == (passthrough == "on")
        assert ("allow-passthrough" in console.text) == (passthrough == "off")
        console.send(CTRL_D)
        console.wait_end()
