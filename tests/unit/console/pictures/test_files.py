"""Image files as they come from a cell, the harmful ones too."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from holdfast.console.pictures.files import MOST_BYTES, ImageFile, NotAPicture
from holdfast.console.pictures.picture import Size


def encoded(kind: str, size: tuple[int, int] = (6, 4), colour: tuple[int, ...] = (255, 0, 0)) -> str:
    file = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(file, kind)
    return base64.encodebytes(file.getvalue()).decode()


def bomb(width: int, height: int) -> str:
    """A PNG that says that it is large; there is little in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_picture_of_any_kind_has_its_size_and_can_be_a_png(kind: str) -> None:
    file = ImageFile(encoded(kind))

    assert file.size == Size(6, 4)
    with Image.open(io.BytesIO(file.png())) as made:
        assert (made.format, made.size) == ("PNG", (6, 4))


def test_a_png_goes_on_as_it_is() -> None:
    text = encoded("PNG")
    assert ImageFile(text).png() == base64.b64decode(text)


def test_holes_are_white() -> None:
    assert ImageFile(encoded("PNG", colour=(0, 0, 0, 0))).rgb(Size(1, 2)) == bytes([255] * 6)


def test_pixels_of_256_colours_come_with_their_palette() -> None:
    numbers, palette = ImageFile(encoded("JPEG", colour=(0, 0, 255))).palette(Size(3, 2))

    assert len(numbers) == 6
    red, green, blue = palette[3 * numbers[0] : 3 * numbers[0] + 3]
    assert (red, green) < (3, 3)
    assert blue > 250


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "not base64!",
        base64.b64encode(b"no picture").decode(),
        base64.b64encode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n").decode(),
        bomb(50_000, 50_000),
        bomb(0, 5),
        "A" * (MOST_BYTES * 4 // 3 + 4),
    ],
    ids=["none", "number", "empty", "text", "bytes", "program", "bomb", "flat", "huge"],
)
def test_what_is_no_picture_is_refused(text: object) -> None:
    with pytest.raises(NotAPicture):
        ImageFile(text)
