"""A picture in each way that terminals have, read back as the terminal would."""

from __future__ import annotations

import base64
import io
import itertools
import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from holdfast.console.ansi import ESCAPE
from holdfast.console.pictures import blocks, iterm2, kitty, sixel, tmux
from holdfast.console.pictures.picture import Picture, Size, placed

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 50).save(file, "PNG")
    return file.getvalue()


def drawn(picture: Picture) -> str:
    """The escape that draws, without the way to its place and back."""
    up, _, rest = picture.text.partition("\x1b7")
    escape, _, down = rest.partition("\x1b8")
    assert up == "\n" * picture.rows + f"\x1b[{picture.rows}A"
    assert down == f"\x1b[{picture.rows}B"
    return escape


def test_kitty_gets_the_file_as_it_is_in_small_pieces() -> None:
    file = png(200, 100)
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", drawn(kitty.draw(file, Size(25, 6))))

    assert len(pieces) > 1
    assert all(len(data) <= 4096 for _, data in pieces)
    assert base64.b64decode("".join(data for _, data in pieces)) == file
    assert re.fullmatch(r"a=T,f=100,i=\d+,c=25,r=6,C=1,q=2,m=1", pieces[0][0])
    assert [control for control, _ in pieces[1:]] == ["m=1"] * (len(pieces) - 2) + ["m=0"]


def test_kitty_forgets_a_picture_by_its_own_number() -> None:
    one, other = kitty.draw(png(9, 9), Size(1, 1)), kitty.draw(png(9, 9), Size(1, 1))
    numbers = [re.findall(r"i=(\d+)", each.text + each.forget) for each in (one, other)]

    assert numbers[0][0] == numbers[0][1] != numbers[1][0] == numbers[1][1]
    assert one.forget.startswith("\x1b_Ga=d,d=I,")


def test_in_tmux_a_picture_of_kitty_is_characters_that_stay_where_they_are() -> None:
    picture = kitty.draw_in_tmux(png(40, 40), Size(5, 3))
    wrapped = re.match(r"(?:\x1bPtmux;(?:[^\x1b]|\x1b\x1b)*\x1b\\)+", picture.text)
    assert wrapped is not None
    sent, lines = wrapped[0], picture.text[wrapped.end() :]

    assert "\x1b\x1b_Ga=T,U=1," in sent
    assert lines.count("\n") == picture.rows == 3
    assert all(line.count("\U0010eeee") == 5 for line in lines.splitlines())
    number = int(re.findall(r"i=(\d+)", sent)[0])
    colour = int(re.findall(r"38;5;(\d+)m", lines)[0])
    assert number & 0xFF == colour
    assert number >> 24 < kitty.MOST_ROWS


def test_iterm2_gets_the_file_and_the_place_it_takes() -> None:
    control, _, data = iterm2.drawing(b"GIF89a", Size(10, 4)).partition(":")

    assert control == "\x1b]1337;File=inline=1;size=6;width=10;height=4;preserveAspectRatio=0"
    assert base64.b64decode(data.removesuffix("\x07")) == b"GIF89a"


def test_tmux_hands_on_what_is_wrapped() -> None:
    wrapped = tmux.passed_through("\x1b]1337;x\x07\x1b\\")
    match = ESCAPE.match(wrapped + "text")

    assert wrapped == "\x1bPtmux;\x1b\x1b]1337;x\x07\x1b\x1b\\\x1b\\"
    assert match is not None
    assert match[0] == wrapped


def read_sixels(text: str) -> list[list[int | None]]:
    """The colours' numbers of a sixel image, as a terminal reads it."""
    match = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)((?:#\d+;2;\d+;\d+;\d+)+)(.*)\x1b\\', text, re.DOTALL)
    assert match is not None
    width, height, body = int(match[1]), int(match[2]), match[4]
    rows: list[list[int | None]] = [[None] * width for _ in range(height)]
    top = column = colour = 0
    for number, count, character in re.findall(r"#(\d+)|(?:!(\d+))?([?-~$-])", body):
        if number:
            colour = int(number)
        elif character == "$":
            column = 0
        elif character == "-":
            top, column = top + 6, 0
        else:
            end = column + int(count or 1)
            for place in range(6):
                if (ord(character) - 63) >> place & 1:
                    rows[top + place][column:end] = [colour] * (end - column)
            column = end
    return rows


@given(st.integers(1, 20), st.integers(1, 20), st.data())
@settings(deadline=None)
def test_sixels_have_every_pixel_in_its_place(width: int, height: int, data: st.DataObject) -> None:
    count = width * height
    pixels = bytes(data.draw(st.lists(st.sampled_from([0, 1, 7, 255]), min_size=count, max_size=count)))
    rows = read_sixels(sixel.drawing(pixels, width, bytes(range(256)) * 3))

    assert bytes(itertools.chain.from_iterable(rows)) == pixels  # type: ignore[arg-type] # no hole is left


def on_a_screen(picture: Picture) -> pyte.Screen:
    screen = pyte.Screen(20, 10)
    pyte.Stream(screen).feed(picture.text.replace("\n", "\r\n"))
    return screen


def test_half_blocks_are_two_pixels_in_a_character() -> None:
    pixels = bytes([*RED, *BLUE, *BLUE, *BLUE])
    screen = on_a_screen(blocks.draw(pixels, 2, truecolour=True))
    cells = [screen.buffer[0][column] for column in range(2)]

    assert [(cell.data, cell.bg) for cell in cells] == [("▀", "0000ff"), (" ", "0000ff")]
    assert cells[0].fg == "ff0000"
    assert (screen.cursor.y, screen.cursor.x) == (1, 0)


@pytest.mark.parametrize(
    ("pixel", "colour"),
    [(RED, 196), (WHITE, 231), ((0, 0, 0), 16), ((128, 128, 128), 244), ((95, 135, 175), 67)],
)
def test_with_few_colours_the_nearest_is_taken(pixel: tuple[int, int, int], colour: int) -> None:
    assert f"48;5;{colour}m" in blocks.draw(bytes(pixel * 2), 1, truecolour=False).text


def test_a_picture_ends_below_itself_wherever_the_terminal_leaves_the_cursor() -> None:
    screen = on_a_screen(placed("\x1b[5;9H", 3))
    assert (screen.cursor.y, screen.cursor.x) == (3, 0)
