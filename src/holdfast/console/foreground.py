"""A program of the user's that has the terminal to itself for a while: a pager, an editor."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Mapping, Sequence

from holdfast.console.screen import Screen
from holdfast.errors import HoldfastError


def chosen(environ: Mapping[str, str], variable: str) -> list[str]:
    """The command that the user has put into an environment variable, if any."""
    try:
        return shlex.split(environ.get(variable, ""))
    except ValueError as error:  # an open quote
        raise HoldfastError(f"{variable} is no command: {error}", f"export {variable}=…") from error


async def run(
    command: Sequence[str], screen: Screen, *, text: str | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run `command` to its end, with `text` as its input if there is one; its exit status.

    Nothing is written to `screen` meanwhile, and Ctrl-C is the program's. HoldfastError: it can't start.
    """
    with screen.lent():
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=None if text is None else asyncio.subprocess.PIPE, env=env
            )
        except OSError as error:
            raise HoldfastError(f"can't start {command[0]}: {error.strerror}") from error
        try:
            if text is not None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # left before the end
                    await process.communicate(text.encode(errors="replace"))
            return await process.wait()
        finally:
            if process.returncode is None:  # the console is left
                process.terminate()
