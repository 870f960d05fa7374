"""Magics that mean something else in a kernel than in a terminal: pagers, editors and clients are elsewhere.

Which ones there are, and their names, is ipykernel's; each is registered over IPython's own.
"""

from __future__ import annotations

import json
import linecache
import shlex
import sys
from pathlib import Path
from typing import Any

from IPython.core import page
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magics.code import CodeMagics, InteractivelyDefined, MacroToEdit
from IPython.display import Javascript, display
from IPython.utils import openpy

from holdfast.errors import HoldfastError
from holdfast.worker.ipython import connect

_CLEAR = "\x1b[H\x1b[2J"
"""What clear(1) writes to a terminal: consoles clear themselves, notebooks show nothing."""


@magics_class
class KernelMagics(Magics):
    """For a shell whose clients are elsewhere."""

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def edit(self, line: str, last_call: list[str] | None = None) -> None:
        """Open a file in the client's editor.

        %edit            a new file
        %edit name       where the function, class or variable `name` is defined; else a file of that name
        %edit 3 5-7      a new file with the code of these cells
        %edit -n 20 ...  at line 20
        %edit -p         what was edited last
        %edit -r         cells as they were typed, not as IPython understood them
        %edit -x         and don't run it then

        A console of Holdfast's runs the code when its editor is closed. Other clients open theirs, and run
        nothing.
        """
        options, target = self.parse_options(line, "prxn:")
        last_call = last_call or ["", ""]
        try:
            found = CodeMagics._find_edit_target(self.shell, target, options, last_call)
        except InteractivelyDefined as error:  # in a cell: that is what is edited
            found = CodeMagics._find_edit_target(self.shell, str(error.index), options, last_call)
        except MacroToEdit:
            raise UsageError("macros can't be edited from here: %macro defines them anew") from None
        if found is None or found[0] is None:  # it has said why
            return
        file, place, temporary = str(found[0]), found[1], bool(found[2])
        if not Path(file).exists() and (lines := linecache.getlines(file)):  # a cell: its code has no file
            file, temporary = self.shell.mktempfile("".join(lines)), True
        path = str(Path(file).resolve())
        payload = {"filename": path, "line_number": int(place or 0)}
        then = {"run": "x" not in options, "code": "" if temporary else f"%run -i {shlex.quote(path)}"}
        self.shell.payload_manager.write_payload({"source": "edit_magic", **payload, "holdfast": then})

    @line_magic  # type: ignore[untyped-decorator]
    def gui(self, line: str) -> None:
        """Serve windows while no cell runs: %gui tk, qt, qt5 or qt6; %gui alone ends that."""
        try:
            self.shell.enable_gui(line.strip() or None)
        except UsageError as error:  # the cell goes on, as in IPython, which would log it
            print(error, file=sys.stderr)

    @line_magic  # type: ignore[untyped-decorator]
    def clear(self, _line: str) -> None:
        """Clear the console."""
        sys.stdout.write(_CLEAR)

    @line_magic  # type: ignore[untyped-decorator]
    def less(self, line: str) -> None:
        """Show a file in the client's pager; Python files with colours."""
        if not line:
            raise UsageError("which file? %less path")
        path = Path(line).expanduser()
        try:
            if path.suffix == ".py":
                text = self.shell.pycolorize(openpy.read_py_file(path, skip_encoding_cookie=False))
            else:
                text = path.read_text()
        except OSError as error:
            raise UsageError(f"can't read {line}: {error.strerror}") from error
        page.page(text)

    more = line_magic("more")(less)

    @line_magic  # type: ignore[untyped-decorator]
    def man(self, line: str) -> None:
        """Show a manual page in the client's pager."""
        page.page(self.shell.getoutput(f"man {line} | col -b", split=False))

    @line_magic  # type: ignore[untyped-decorator]
    def paste(self, _line: str) -> None:
        """Say where to paste: the clipboard is the client's."""
        raise UsageError(
            "paste where you type: it comes in as one block, without its prompts, and waits for Enter"
        )

    cpaste = line_magic("cpaste")(paste)

    @line_magic  # type: ignore[untyped-decorator]
    def connect_info(self, _line: str) -> None:
        """Print how other clients reach this session."""
        known = self._connection()
        print(
            f"{json.dumps(known['info'], indent=2)}\n\n"
            "Put the above into a file and connect with\n"
            "    jupyter <app> --existing <file>\n"
            "or, on this machine, with one of\n"
            f"    jupyter <app> --existing {known['file']}\n"
            f"    holdfast attach {known['name']}"
        )

    @line_magic  # type: ignore[untyped-decorator]
    def qtconsole(self, line: str) -> None:
        """Open a Qt console on this session."""
        try:
            connect.connect_qtconsole(self._connection()["file"], shlex.split(line))
        except HoldfastError as error:
            raise UsageError(f"{error.what}. Try: {error.remedy}") from error

    @line_magic  # type: ignore[untyped-decorator]
    def autosave(self, line: str) -> None:
        """Have the classic notebook save itself every so many seconds; 0: never."""
        try:
            seconds = int(line)
        except ValueError:
            raise UsageError(f"%autosave takes a number of seconds, not {line!r}") from None
        script = Javascript(f"IPython.notebook.set_autosave_interval({1000 * seconds})")
        display(script, include=["application/javascript"])
        print(f"Autosaving every {seconds} seconds" if seconds else "Autosave disabled")

    @line_magic  # type: ignore[untyped-decorator]
    def subshell(self, _line: str) -> None:
        """Say that there are none."""
        print("Holdfast has no subshells: requests are served one after the other")

    def _connection(self) -> dict[str, Any]:
        known: dict[str, Any] = self.shell.ask("connection")
        return known


def register(shell: Any) -> None:
    """Give the shell these magics."""
    shell.register_magics(KernelMagics(shell))
    shell.magics_manager.register_alias("ed", "edit")
