"""Which of the representations in a MIME bundle is shown in a terminal, and as what: text or a picture.

The best one that says something: a picture if this terminal has a way, else text/plain, else a document that
can be read as text. What can't be shown is named with its size.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TextIO

from holdfast import sizes
from holdfast.console import ansi
from holdfast.console.pictures.files import HEAD_CHARACTERS, RASTER, png_size
from holdfast.console.sieve import sifted
from holdfast.console.widgets import Widgets

if TYPE_CHECKING:
    from holdfast.console.pictures.easel import Easel
    from holdfast.console.pictures.picture import Picture

Images = Literal["auto", "kitty", "sixel", "iterm2", "blocks", "none"]

_DOCUMENTS = {
    "text/markdown": ("markdown", 20_000),
    "text/latex": ("latex", 5_000),
    "text/html": ("html", 300_000),
    "application/json": ("jsons", 300_000),
}
"""MIME type -> who reads it (`readable`), and how many characters at most, the best first: the prompt waits
meanwhile, for half a second. A page of text has 3,000; the longest table of pandas with styles, 200,000."""

_SAYS_NOTHING = re.compile(r"<[\w.<> ]{1,200}(?: object)?(?: at 0x[0-9a-fA-F]{1,16})?>")
"""What Python says of an object whose class says nothing about it."""


class Bundles:
    """Reads bundles for the terminal that `out` writes to."""

    def __init__(self, images: Images, out: TextIO) -> None:
        self.widgets = Widgets()
        self._images = images
        self._out = out

    def parts(self, content: Mapping[str, Any], *, others: bool) -> list[str | Picture]:
        """What to show of a message with `data` and `metadata`, piece by piece, from top to bottom.

        `others`: of somebody else's cell. Of a picture then only the pixels go on to the terminal.
        """
        bundle = _mapping(content.get("data"))
        told = _mapping(content.get("metadata"))
        if (widget := self.shows_widget(content)) is not None:
            shown = self.widgets.text(widget, shutil.get_terminal_size().columns - 1)
            return [sifted(shown, others=others)] if shown else []
        for mime in RASTER:
            if mime in bundle and not _is_formula(bundle):
                picture = self._easel.picture(bundle[mime], _mapping(told.get(mime)), anew=others)
                if picture is not None:
                    hint = self._easel.hint()
                    return [picture, ansi.paint(hint, ansi.NOTE)] if hint else [picture]
        return [sifted(text(content), others=others)] if bundle else []

    def shows_widget(self, content: Mapping[str, Any]) -> str | None:
        """The widget that a message shows; None if it shows something else, or one that nobody knows."""
        return self.widgets.shown_in(_mapping(content.get("data")))

    @functools.cached_property
    def _easel(self) -> Easel:
        from holdfast.console.pictures.easel import Easel  # noqa: PLC0415 - most sessions show no picture
        from holdfast.console.pictures.protocols import Protocols  # noqa: PLC0415

        return Easel(Protocols(self._images, os.environ), self._out)


def text(content: Mapping[str, Any]) -> str:
    """A message with `data` as text alone."""
    bundle = _mapping(content.get("data"))
    plain = bundle.get("text/plain")
    images = [_named(mime, value) for mime, value in bundle.items() if mime.startswith("image/")]
    if _is_formula(bundle):
        return str(plain)
    if plain is not None and (images or not _SAYS_NOTHING.fullmatch(str(plain))):
        return " ".join([str(plain), *images])
    document = next(filter(None, map(functools.partial(_document, bundle), _DOCUMENTS)), None)
    if document is not None:
        return document
    others = [] if images else [_named(mime, value) for mime, value in bundle.items() if mime != "text/plain"]
    return " ".join([*([str(plain)] if plain is not None else []), *images, *others])


def _is_formula(bundle: Mapping[str, Any]) -> bool:
    """Whether it is one with good text: characters are sharper than a small picture of them."""
    plain = bundle.get("text/plain")
    return "text/latex" in bundle and plain is not None and not _SAYS_NOTHING.fullmatch(str(plain))


def _document(bundle: Mapping[str, Any], mime: str) -> str | None:
    """A document of the bundle as text; None if there is none, or it has none, or it is too large."""
    value, (name, most) = bundle.get(mime), _DOCUMENTS[mime]
    if value is None or len(str(value)) > most:
        return None
    reader: Callable[..., str] = importlib.import_module(f"holdfast.console.readable.{name}").text
    try:
        if mime in ("text/markdown", "text/html"):
            return reader(str(value), shutil.get_terminal_size().columns)
        return reader(value if mime == "application/json" else str(value))
    except Exception:  # noqa: BLE001 - libraries read what anybody wrote: it must not end the console
        return None


def _named(mime: str, value: object) -> str:
    """`<image/png 640x480, 13 kB>`: what can be said of something that can't be shown."""
    encoded = str(value)
    if mime not in RASTER:
        return f"<{mime}, {sizes.short(len(encoded))}>"
    pixels = png_size(encoded[:HEAD_CHARACTERS])
    measure = f" {pixels.width}x{pixels.height}" if pixels is not None else ""
    return f"<{mime}{measure}, {sizes.short(len(encoded) * 3 // 4)}>"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
