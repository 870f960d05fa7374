"""Long text, page by page: in the user's own pager. Only the app calls this, while no prompt stands."""

from __future__ import annotations

import contextlib
import os
import shutil

from holdfast.console import foreground
from holdfast.console.extent import Extent
from holdfast.console.screen import Screen
from holdfast.errors import HoldfastError


async def show(text: str, screen: Screen) -> None:
    """Print `text` if it fits on the screen, else open `$PAGER` (or less) on it and wait for its end."""
    size = shutil.get_terminal_size()
    extent = Extent(width=size.columns)
    extent.follow(text)
    if extent.row >= size.lines - 2:
        colours = {"LESS": os.environ.get("LESS", "-R")}  # they pass through
        with contextlib.suppress(HoldfastError):  # there is no pager: it is printed
            await foreground.run(_pager(), screen, text=text, env=os.environ | colours)
            return
    screen.fresh_line()
    screen.write(text.rstrip("\n") + "\n")


def _pager() -> list[str]:
    chosen = foreground.chosen(os.environ, "PAGER")
    return chosen if chosen and shutil.which(chosen[0]) else ["less"]
