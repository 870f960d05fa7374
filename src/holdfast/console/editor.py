"""The user's own editor: on the cell that is being typed, or on a file that a cell asks for (`%edit`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.console import foreground
from holdfast.console.screen import Screen
from holdfast.errors import HoldfastError

_USUAL = ("editor", "nano", "vi")
"""Looked for if the user has chosen none: what Debian's administrator chose, then what most systems have."""

_GOTO = {"code": ["--goto"], "codium": ["--goto"], "cursor": ["--goto"], "subl": [], "zed": [], "hx": []}
"""Editors that are sent to a line as `FILE:LINE`, after these options. All others know `+LINE FILE`."""


async def on_text(text: str, screen: Screen) -> str | None:
    """`text` as the user leaves it, without the last newline; None if the editor failed (`:cq`).

    HoldfastError if there is no editor, or no place for a file.
    """
    try:
        folder = TemporaryDirectory(prefix="holdfast-")
    except OSError as error:
        raise HoldfastError(f"there is no place for a file to edit: {error.strerror}") from error
    with folder:
        path = Path(folder.name) / "cell.py"
        path.write_text(text + "\n", encoding="utf-8", errors="replace")
        return read(path).removesuffix("\n") if await on_file(path, 0, screen) else None


async def on_file(path: Path, line: int, screen: Screen) -> bool:
    """Let the user edit the file at `path`, from `line` on (0: wherever); whether the editor is content.

    HoldfastError if there is no editor.
    """
    return await foreground.run(command(os.environ, path, line), screen) == 0


def read(path: Path) -> str:
    """What is in a file that was edited; nothing if it was never written."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def command(environ: Mapping[str, str], path: Path, line: int) -> list[str]:
    """How to start the editor on `path` at `line`. HoldfastError if there is none."""
    editor = _chosen(environ)
    if not line:
        return [*editor, str(path)]
    goto = _GOTO.get(Path(editor[0]).name)
    return [*editor, f"+{line}", str(path)] if goto is None else [*editor, *goto, f"{path}:{line}"]


def _chosen(environ: Mapping[str, str]) -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        words = foreground.chosen(environ, variable)
        if words and shutil.which(words[0]) is None:
            raise HoldfastError(
                f"{variable} is {words[0]!r}, and there is no such program", f"export {variable}=…"
            )
        if words:
            return words
    for usual in _USUAL:
        if shutil.which(usual):
            return [usual]
    raise HoldfastError("there is no editor here", "export EDITOR=…")
