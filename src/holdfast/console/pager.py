"""Long text, page by page: in the user's own pager. Only the app calls this, while no prompt stands."""

from __future__ import annotations

import os
import shlex
import shutil

from holdfast.console import foreground
from holdfast.console.extent import Extent
from holdfast.console.screen import Screen


async def show(text: str, screen: Screen) -> None:
    """Print `text` if it fits on the screen, else open `$PAGER` (or less) on it and wait for its end."""
    size = shutil.get_terminal_size()
    extent = Extent(width=size.columns)
    extent.follow(text)
    command = _pager()
    if extent.row < size.lines - 2 or command is None:
        screen.fresh_line()
        screen.write(text.rstrip("\n") + "\n")
        return
    colours = {"LESS": os.environ.get("LESS", "-R")}  # they pass through
    await foreground.run(command, screen, text=text, env=os.environ | colours)


def _pager() -> list[str] | None:
    chosen = shlex.split(os.environ.get("PAGER", ""))
    if chosen and shutil.which(chosen[0]):
        return chosen
    return ["less"] if shutil.which("less") else None
