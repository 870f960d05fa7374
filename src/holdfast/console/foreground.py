"""A program of the user's that has the terminal to itself for a while: a pager, an editor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from holdfast.console.screen import Screen


async def run(
    command: Sequence[str], screen: Screen, *, text: str | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run `command` to its end, with `text` as its input if there is one; its exit status.

    Nothing is written to `screen` meanwhile, and Ctrl-C is the program's.
    """
    with screen.lent():
        process = await asyncio.create_subprocess_exec(
            *command, stdin=None if text is None else asyncio.subprocess.PIPE, env=env
        )
        try:
            if text is not None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # left before the end
                    await process.communicate(text.encode(errors="replace"))
            return await process.wait()
        finally:
            if process.returncode is None:  # the console is left
                process.terminate()
