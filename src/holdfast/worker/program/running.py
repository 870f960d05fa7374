"""Running a program to its end: compiled, executed, what it raised shown, exit handlers: python's own ways.

All of it happens in the namespace of `__main__`, whoever made that; `scene` sees to what stands around.
"""

from __future__ import annotations

import atexit
import contextlib
import linecache
import os
import pkgutil
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from importlib.machinery import BuiltinImporter, SourceFileLoader
from types import CodeType, TracebackType
from typing import Any

from holdfast.protocol.programs import Program

INTERRUPTED = -signal.SIGINT
"""Exit status, as subprocess has it: python kills itself by the signal then, so that its shell knows."""

LOST_OUTPUT = 120
"""python's exit status if what is left to be written at the end can't be (Py_FinalizeEx)."""

_SHOWS_CODE = sys.version_info >= (3, 13)
"""Since then, tracebacks of `-c` show the lines."""


def execute(program: Program) -> None:
    """Do what the program does. Raises what it raises."""
    sys.argv[:] = program.arguments
    names: dict[str, Any] = vars(sys.modules["__main__"])
    if program.way == "module":
        _first_on_the_path(os.getcwd())
        _run_module(program.what, set_argv0=True)
        return
    if program.way == "code":
        _first_on_the_path("")
        _set(names, BuiltinImporter, None)
        if _SHOWS_CODE:
            lines = program.what.splitlines(keepends=True)
            linecache.cache[program.name] = (len(program.what), None, lines, program.name)
        exec(compile(program.what, program.name, "exec", dont_inherit=True), names)  # noqa: S102
        return
    path = os.path.join(os.getcwd(), program.what)  # absolute, and else as it was given
    if pkgutil.get_importer(path) is not None:  # a folder or an archive, with a __main__.py
        sys.path.insert(0, path)
        _run_module("__main__", set_argv0=False)
    else:
        _first_on_the_path(os.path.dirname(os.path.realpath(path)))
        _set(names, SourceFileLoader("__main__", path), path)
        exec(_compiled(path), names)  # noqa: S102


def status_of(program: Program, show: Callable[[BaseException], None]) -> int:
    """Run it to the end of its main part; its exit status. What it raised is shown."""
    try:
        execute(program)
    except SystemExit as error:
        if program.interactive:
            show(error)
        return exit_status(error)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the program's
        show(error)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def exit_status(error: SystemExit) -> int:
    """What SystemExit means (sys.exit); a message is printed."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.write(f"{code}\n")
    return 1


def show(error: BaseException) -> None:
    """Print it as python does, by `sys.excepthook`, and keep it for a debugger."""
    error = error.with_traceback(own_part(error.__traceback__))
    kind, trace = type(error), error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(kind, error, trace)
    except BaseException as another:  # noqa: BLE001 - a hook of the program's
        another.__traceback__ = own_part(another.__traceback__)
        if another.__context__ is error:
            another.__context__ = None
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(another), another, another.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(kind, error, trace)


def own_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without our frames, which come first."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


def end(later: Iterable[Callable[[], object]]) -> bool:
    """What happens when python ends: threads are waited for, exit handlers run but those of `later`.

    False if what was left to be written could not be.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined] # as the interpreter does
    except KeyboardInterrupt as error:
        print(f"Exception ignored in: {threading!r}", file=sys.stderr)
        show(error)
    for handler in later:
        atexit.unregister(handler)
    atexit._run_exitfuncs()
    for handler in later:
        atexit.register(handler)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except (OSError, ValueError):
        return False
    return True


def _run_module(name: str, *, set_argv0: bool) -> None:
    """What the interpreter itself calls for -m, folders and archives; it finds the namespace by itself."""
    runpy._run_module_as_main(name, set_argv0)  # type: ignore[attr-defined]


def _first_on_the_path(folder: str) -> None:
    """Modules are found there first; unless the user does not want that (PYTHONSAFEPATH)."""
    if "" in sys.path:
        sys.path.remove("")
    if not os.environ.get("PYTHONSAFEPATH"):
        sys.path.insert(0, folder)


def _set(names: dict[str, Any], loader: object, file: str | None) -> None:
    """The names that every program finds."""
    names.update(__doc__=None, __package__=None, __loader__=loader, __spec__=None)
    if sys.version_info < (3, 14):
        names.setdefault("__annotations__", {})
    if file is None:
        names.pop("__file__", None)
        names.pop("__cached__", None)
    else:
        names.update(__file__=file, __cached__=None)


def _compiled(path: str) -> CodeType:
    with open(path, "rb") as file:
        code: CodeType | None = pkgutil.read_code(file)  # of a .pyc
        if code is not None:
            return code
        file.seek(0)
        return compile(file.read(), path, "exec", dont_inherit=True)
