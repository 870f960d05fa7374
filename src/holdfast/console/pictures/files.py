"""Image files that come from a cell: what they are, how large, and their pixels. Pillow is imported here.

They come from whoever writes to the session, so every size is looked at before it costs something.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
from typing import TYPE_CHECKING, Final

from holdfast.console.pictures.picture import Size

if TYPE_CHECKING:
    from PIL.Image import Image

RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff")
"""What can be shown, the best first. Not SVG: that is a program."""

_FORMATS = tuple(each.removeprefix("image/").upper() for each in RASTER)
"""No others are looked for: some that Pillow knows start programs."""

MOST_BYTES = 32 * 1024 * 1024
"""Of one file. A photograph of a camera has a third of that."""

MOST_PIXELS = 64_000_000
"""Of one picture: 250 MB when it is unpacked. A figure for print has a tenth, a bomb a thousand times."""

_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD: Final = 24
"""Bytes of a PNG: signature, length and type of the first chunk, width, height (PNG, 5.2 and 11.2.2)."""
HEAD_CHARACTERS = 64
"""Of base64: more than its head takes, also with line breaks."""

_WHITE = (255, 255, 255, 255)
"""What shows through a picture's holes: figures are drawn for paper."""


class NotAPicture(Exception):
    """These bytes are no picture that could be shown."""


class ImageFile:
    """One file, from the text of a message."""

    def __init__(self, encoded: object) -> None:
        """`encoded`: base64, as Jupyter sends it. NotAPicture if it is not, or too large."""
        if not isinstance(encoded, str) or len(encoded) > MOST_BYTES * 4 // 3:
            raise NotAPicture
        try:
            self.data = base64.b64decode("".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError):
            raise NotAPicture from None
        self._image: Image | None = None
        self.size = _size_of_png(self.data) or Size(*self._opened().size)
        if not 0 < self.size.width * self.size.height <= MOST_PIXELS:
            raise NotAPicture

    @property
    def is_png(self) -> bool:
        """Whether it is one by its first bytes: what a message calls it may be wrong."""
        return self.data.startswith(_PNG)

    def png(self, size: Size | None = None) -> bytes:
        """The same picture as a PNG file; if a size is given, of that size, and with its pixels alone."""
        if self.is_png and size is None:
            return self.data
        image = self._opened().convert("RGBA")
        image = image if size is None else image.resize(size)
        image.info = {}  # else Pillow hands on the colour profile, as it came
        made = io.BytesIO()
        image.save(made, "PNG", compress_level=1)
        return made.getvalue()

    def rgb(self, size: Size) -> bytes:
        """Red, green and blue of each pixel of the picture, resized, row by row."""
        return self._on_white(size).tobytes()

    def palette(self, size: Size) -> tuple[bytes, bytes]:
        """The resized picture in 256 colours at most: the number of each pixel's, and the palette."""
        from PIL import Image  # noqa: PLC0415 - as below

        # Median cut, the default, looks better and takes ten times as long.
        image = self._on_white(size).quantize(256, Image.Quantize.FASTOCTREE)
        return image.tobytes(), bytes(image.getpalette() or ())

    def _on_white(self, size: Size) -> Image:
        from PIL import Image  # noqa: PLC0415 - 60 ms, for pictures only

        image = self._opened().convert("RGBA").resize(size)
        paper = Image.new("RGBA", image.size, _WHITE)
        return Image.alpha_composite(paper, image).convert("RGB")

    def _opened(self) -> Image:
        """The picture; of several in a file, the first. Only its head is read until pixels are needed."""
        if self._image is None:
            from PIL import Image  # noqa: PLC0415 - as above

            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of large ones, which are refused above
                    self._image = Image.open(io.BytesIO(self.data), formats=_FORMATS)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                raise NotAPicture from None
        return self._image


def png_size(encoded: str) -> Size | None:
    """Width and height of a PNG by its first `HEAD_CHARACTERS` in base64; None if it is none."""
    try:
        head = "".join(encoded.split())[: _HEAD // 3 * 4]
        return _size_of_png(base64.b64decode(head, validate=True))
    except (binascii.Error, ValueError):
        return None


def _size_of_png(data: bytes) -> Size | None:
    if not data.startswith(_PNG) or len(data) < _HEAD:
        return None
    return Size(*struct.unpack(">II", data[16:_HEAD]))
