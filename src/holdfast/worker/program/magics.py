"""`%program FILE`: a program in a session, as typed; `%as_python PATH`: one that has it to itself."""

from __future__ import annotations

import ast
import contextlib
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from holdfast.protocol.programs import Program, exit_payload
from holdfast.worker.interrupts import Interrupts
from holdfast.worker.program import running, scene, terminal

_OWN_NAMES = ("__doc__", "__file__", "__cached__", "__loader__", "__spec__", "__package__")
"""What a program finds in its namespace about itself, and a session does not."""

_ABSENT = object()


@magics_class
class ProgramMagics(Magics):
    """The magics."""

    def __init__(self, shell: Any, interrupts: Interrupts) -> None:
        super().__init__(shell)
        self._interrupts = interrupts

    @no_var_expand  # type: ignore[untyped-decorator] # IPython is Any here
    @line_magic  # type: ignore[untyped-decorator]
    def program(self, line: str) -> None:
        """Run a program here, as `python` would in a process of its own.

        %program FILE ARGUMENT...        a file, folder or archive
        %program -m MODULE ARGUMENT...   a module

        It finds this session's variables, and leaves its own. `sys.argv`, `sys.path` and `__file__` are the
        program's while it runs.
        """
        words = shlex.split(line)
        way = words[:1] == ["-m"]
        words = words[way:]
        if not words:
            raise UsageError("%program FILE, or %program -m MODULE")
        if not way and not os.path.exists(words[0]):
            raise UsageError(f"can't open {words[0]!r}: no such file")
        asked = Program("module" if way else "file", words[0], words if not way else ["-m", *words[1:]], {})
        names = self.shell.user_ns
        kept = {name: names.get(name, _ABSENT) for name in _OWN_NAMES}
        argv, path = sys.argv[:], sys.path[:]
        try:
            with (
                self._interrupts.as_python_has_them(),
                scene.without_a_loop(),
                scene.with_pythons_exit(self.shell),
            ):
                status = running.status_of(asked, self._show)
        finally:
            sys.argv[:], sys.path[:] = argv, path
            for name, value in kept.items():
                if value is _ABSENT:
                    names.pop(name, None)
                else:
                    names[name] = value
        if status and not self.shell.failed:  # `sys.exit`
            self.shell.failed = True
            self.shell._showtraceback(SystemExit, SystemExit(status), [f"SystemExit: {status}"])
        self.shell.payload_manager.write_payload(exit_payload(status))

    @line_magic  # type: ignore[untyped-decorator]
    def as_python(self, line: str) -> None:
        """Run what the launcher behind a socket asks for. `holdfast FILE` uses it, nobody else can."""
        asked, descriptors = terminal.fetch(Path(line))
        process = os.getpid()
        as_cell = asked.way == "code" and self._is_a_cell(asked.what)
        with (
            terminal.standing_on(descriptors),
            scene.as_under_python(self.shell, self._interrupts, asked.environment, hidden=not as_cell),
        ):
            status = self._run_as_cell(asked) if as_cell else running.status_of(asked, running.show)
            if not asked.interactive and not running.end([self.shell.atexit_operations]):
                status = running.LOST_OUTPUT
            if os.getpid() != process:  # a fork of the program's has come to its end
                terminal.flush()
                os._exit(status if status >= 0 else 128 - status)
        self.shell.payload_manager.write_payload(exit_payload(status))

    def _is_a_cell(self, code: str) -> bool:
        """Whether it is no Python, but IPython understands it: `%timeit f()`, `!ls`, a bare `await`."""
        try:
            compile(code, "", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            with contextlib.suppress(SyntaxError, ValueError):
                cell = self.shell.transform_cell(code)
                compile(cell, "", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
                return True
        return False

    def _run_as_cell(self, asked: Program) -> int:
        sys.argv[:] = asked.arguments
        result = self.shell.run_cell(asked.what, silent=True)
        if isinstance(result.error_in_exec, SystemExit):
            return running.exit_status(result.error_in_exec)
        return 0 if result.success else 1

    def _show(self, error: BaseException) -> None:
        """As the session shows what a cell raises."""
        trace = running.own_part(error.__traceback__)
        self.shell.failed = True
        self.shell.showtraceback((type(error), error, trace), tb_offset=0)


def register(shell: Any, interrupts: Interrupts) -> None:
    """Give the shell these magics."""
    shell.register_magics(ProgramMagics(shell, interrupts))
