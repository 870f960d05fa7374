"""How large a picture becomes, and what is done where it can't be shown."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image

from holdfast.console.pictures.easel import Easel
from holdfast.console.pictures.picture import Picture
from holdfast.console.pictures.protocols import Protocols, Way
from holdfast.console.pictures.tmux import Outside
from kit.page import COLUMNS, ROWS, Page


@pytest.fixture(autouse=True)
def _window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("LINES", str(ROWS))


def shown(way: Way, size: tuple[int, int], kind: str = "PNG", **wanted: object) -> Picture:
    file = io.BytesIO()
    Image.effect_noise(size, 90).save(file, kind)
    picture = Easel(Protocols(way, {}), Page()).picture(
        base64.b64encode(file.getvalue()).decode(), wanted, anew=False
    )
    assert picture is not None
    return picture


def place(picture: Picture) -> tuple[int, int]:
    """Columns and rows that kitty is told."""
    columns, rows = re.findall(r"c=(\d+),r=(\d+)", picture.text)[0]
    return int(columns), int(rows)


@pytest.mark.parametrize(
    ("size", "columns_and_rows"),
    [
        ((80, 64), (10, 4)),
        ((3, 3), (1, 1)),
        ((1600, 160), (COLUMNS - 1, 2)),
        ((80, 1600), (1, ROWS - 2)),
    ],
)
def test_a_picture_has_its_own_size_or_that_of_the_window(
    size: tuple[int, int], columns_and_rows: tuple[int, int]
) -> None:
    assert place(shown("kitty", size)) == columns_and_rows


@pytest.mark.parametrize(
    ("wanted", "columns_and_rows"),
    [
        ({"width": 40}, (5, 2)),
        ({"height": 128}, (20, 8)),
        ({"width": 160, "height": 32}, (20, 2)),
        ({"width": -1, "height": "wide"}, (10, 4)),
        ({"width": 10**30}, (25, 10)),
    ],
)
def test_the_sender_may_ask_for_a_size(wanted: dict[str, object], columns_and_rows: tuple[int, int]) -> None:
    assert place(shown("kitty", (80, 64), **wanted)) == columns_and_rows


def test_a_large_file_is_made_smaller_before_it_is_sent() -> None:
    assert len(shown("kitty", (2000, 2000)).text) < 100_000


def test_each_way_takes_the_rows_it_says() -> None:
    assert [shown(way, (80, 64), "JPEG").rows for way in ("kitty", "sixel", "iterm2", "blocks")] == [4] * 4  # type: ignore[arg-type] # each is a Way


def test_what_tmux_would_throw_away_is_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    Image.effect_noise((1200, 900), 90).save(file, "PNG")
    protocols = Protocols("iterm2", {"TMUX": "x"}, lambda: Outside(True, "", "iTerm2", frozenset()))
    picture = Easel(protocols, Page()).picture(base64.b64encode(file.getvalue()).decode(), {}, anew=False)
    assert picture is not None
    assert "1337" not in picture.text
    assert picture.text.count("\x1b[48;5;") >= picture.rows


@pytest.mark.parametrize(
    "data", ["", "nonsense", base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 40).decode()]
)
@pytest.mark.parametrize("way", ["kitty", "sixel", "blocks"])
def test_a_damaged_picture_is_not_drawn(way: Way, data: str) -> None:
    assert Easel(Protocols(way, {}), Page()).picture(data, {}, anew=True) is None


def test_nothing_is_drawn_into_a_file() -> None:
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG")
    encoded = base64.b64encode(file.getvalue()).decode()
    assert Easel(Protocols("kitty", {}), io.StringIO()).picture(encoded, {}, anew=True) is None


@pytest.mark.parametrize(
    ("way", "where"), [("kitty", "m=[01];([^\x1b]*)\x1b"), ("iterm2", ":([^\x07]*)\x07")]
)
def test_of_others_pictures_the_terminal_gets_the_pixels_alone(way: Way, where: str) -> None:
    file, pixels = io.BytesIO(), Image.effect_noise((80, 64), 90)
    pixels.save(file, "PNG", icc_profile=b"evil profile")
    encoded = base64.b64encode(file.getvalue() + b"evil behind its end").decode()
    picture = Easel(Protocols(way, {}), Page()).picture(encoded, {}, anew=True)
    assert picture is not None
    sent = base64.b64decode("".join(re.findall(where, picture.text)))
    with Image.open(io.BytesIO(sent)) as made:
        assert made.convert("L").tobytes() == pixels.tobytes()
    assert b"evil" not in sent
    assert b"iCCP" not in sent
    assert sent.endswith(b"IEND\xaeB`\x82")
