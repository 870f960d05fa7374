"""Long text, page by page: in the user's own pager. Only the app calls this, while no prompt stands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal

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
    await _run(command, text)


def _pager() -> list[str] | None:
    chosen = shlex.split(os.environ.get("PAGER", ""))
    if chosen and shutil.which(chosen[0]):
        return chosen
    return ["less"] if shutil.which("less") else None


async def _run(command: list[str], text: str) -> None:
    """Ctrl-C belongs to the pager meanwhile; colours pass through less (LESS=R)."""
    loop = asyncio.get_running_loop()
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, env=os.environ | {"LESS": os.environ.get("LESS", "-R")}
    )
    loop.add_signal_handler(signal.SIGINT, _ignore)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # left before the end
        await process.communicate(text.encode(errors="replace"))


def _ignore() -> None:
    """The pager gets it too."""
