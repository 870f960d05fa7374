"""The worker's half of debugging: debugpy on and off, and what variables there are while nothing is stopped.

debugpy brings threads and a connection that no fork can take along, so no standby is taken while it is on
(also if a cell has started it); a crash in between brings back the state from before. `end` leaves nothing of
it behind but its modules: what is forked afterwards is as if it had never run. Its client is the supervisor.
"""

from __future__ import annotations

import base64
import contextlib
import os
import sys
import threading
import types
from pathlib import Path
from typing import Any

import comm
import IPython
import msgspec
import traitlets
from IPython.core.inputtransformer2 import leading_empty_lines

import holdfast
from holdfast.errors import HoldfastError
from holdfast.protocol.codec import encode as to_json
from holdfast.protocol.debugging import Request, is_shown, without_hidden
from holdfast.worker.ipython.shell import ZMQInteractiveShell
from holdfast.worker.standby.freeze import Freezer

PAUSED = "a debugger is attached"

_QUIETLY = "PYDEVD_DISABLE_FILE_VALIDATION"
"""Environment variable: no warning that modules frozen into the interpreter can't be debugged."""
_PACKAGES = (holdfast, IPython, traitlets, comm)
"""What runs a cell. None of it is meant by "step into", nor is what it has loaded before the first cell."""

_THREAD_SECONDS = 1.0
"""For each of debugpy's threads to end, once it was told to. It has to wait for its connection's end."""

_AROUND_CELLS = ("pre_execute", "post_execute")

_the_one: Debugging | None = None
"""This process's: frames at a breakpoint have no other way to it."""


class Debugging:
    """Answers what the supervisor's debugger asks."""

    def __init__(self, shell: ZMQInteractiveShell, freezer: Freezer) -> None:
        global _the_one
        self._shell = shell
        self._on = False
        self._counts_all_lines = False  # IPython would cut empty ones off a cell's beginning
        self._loaded = frozenset(sys.modules)  # before any cell
        self._variables: dict[int, Any] = {}  # what the last inspection found, by reference
        _the_one = self
        freezer.pause = _why_not_to_fork

    def begin(self) -> dict[str, Any]:
        """Have debugpy listen; returns where, and what is not to be stepped into."""
        import debugpy.server.api  # noqa: PLC0415 - takes 150 ms, and few need it

        if _why_not_to_fork():
            raise HoldfastError("debugpy runs already, started by a cell")
        self._on = True
        validation = os.environ.get(_QUIETLY)
        os.environ[_QUIETLY] = "1"
        try:
            debugpy.configure(subProcess=False)  # no client of Jupyter's attaches to a child process
            _, port = debugpy.listen(("127.0.0.1", 0))  # noqa: T100
        except BaseException:
            self.end()
            raise
        finally:
            if validation is None:
                del os.environ[_QUIETLY]
            else:
                os.environ[_QUIETLY] = validation
        for event in _AROUND_CELLS:
            self._shell.events.register(event, self._mend)
        cleanups = self._shell.input_transformer_manager.cleanup_transforms
        self._counts_all_lines = leading_empty_lines in cleanups
        if self._counts_all_lines:  # as a breakpoint does
            cleanups.remove(leading_empty_lines)
        return {"port": port, "skipped": self._skipped()}

    def end(self) -> None:
        """Put debugpy's threads, connection and tracing away, as far as there are any."""
        if not self._on:
            return
        self._on = False
        import pydevd  # noqa: PLC0415
        from debugpy.server import api  # noqa: PLC0415

        debugger = pydevd.get_global_debugger()  # None if it has ended by itself, with its adapter
        threads = list(debugger.created_pydb_daemon_threads) if debugger is not None else []
        pydevd.stoptrace()
        for thread in threads:
            thread.join(_THREAD_SECONDS)
        api.listen.called = False  # it refuses to listen twice, because it does not know that it ends
        for event in _AROUND_CELLS:
            with contextlib.suppress(ValueError):  # it had not come so far
                self._shell.events.unregister(event, self._mend)
        if self._counts_all_lines:
            self._counts_all_lines = False
            self._shell.input_transformer_manager.cleanup_transforms.insert(0, leading_empty_lines)

    def _skipped(self) -> list[str]:
        """Files, or patterns of them."""
        files = (getattr(sys.modules.get(name), "__file__", None) for name in self._loaded)
        folders = [f"{Path(str(each.__file__)).parent}/**" for each in _PACKAGES]
        return folders + sorted(file for file in files if isinstance(file, str) and file.endswith(".py"))

    def _mend(self) -> None:
        """If a cell was interrupted while it stood at a breakpoint, debugpy believes that it still does.

        And Python has stopped tracing: it does so when a trace function raises. (sys.monitoring goes on.)
        """
        import debugpy  # noqa: PLC0415, T100
        from _pydevd_bundle.pydevd_additional_thread_info import set_additional_thread_info  # noqa: PLC0415
        from _pydevd_bundle.pydevd_constants import STATE_SUSPEND  # noqa: PLC0415
        from _pydevd_bundle.pydevd_thread_lifecycle import resume_threads  # noqa: PLC0415

        if set_additional_thread_info(threading.current_thread()).pydev_state == STATE_SUSPEND:
            resume_threads("*")
            debugpy.trace_this_thread(True)

    def answer(self, content: bytes) -> dict[str, Any]:
        """The response to a request about variables or modules."""
        request = msgspec.json.decode(content, type=Request)
        try:
            return request.answer(self.body(request))
        except Exception as error:  # noqa: BLE001 - the user's objects take part
            return request.answer(message=f"{type(error).__name__}: {error}")

    def body(self, request: Request) -> dict[str, Any]:
        """What the response says."""
        arguments = request.arguments or {}
        if request.command == "inspectVariables":
            return {"variables": self._inspect()}
        if request.command == "variables":
            found = self._variables[arguments["variablesReference"]].get_children_variables()
            return {"variables": without_hidden([each.get_var_data() for each in found])}
        if request.command == "modules":
            return _modules(arguments)
        return self._inspect_richly(arguments["variableName"])

    def _inspect(self) -> list[dict[str, Any]]:
        """The user's variables in words of debugpy's, as in a scope at a breakpoint."""
        import debugpy.server.api  # noqa: F401, PLC0415 - lets the following be found
        from _pydevd_bundle.pydevd_api import PyDevdAPI  # noqa: PLC0415
        from _pydevd_bundle.pydevd_suspended_frames import _FrameVariable  # noqa: PLC0415

        self._variables = {}
        names = {name: value for name, value in self._shell.user_ns.items() if is_shown(name)}
        frame = types.SimpleNamespace(
            f_code=types.SimpleNamespace(co_name="<module>"), f_locals=names, f_globals=names
        )
        debugger = types.SimpleNamespace(variable_presentation=PyDevdAPI.VariablePresentation())
        scope = _FrameVariable(debugger, frame, self._register)
        return [each.get_var_data() for each in scope.get_children_variables()]

    def _register(self, variable: Any) -> None:
        self._variables[variable.get_variable_reference()] = variable

    def _inspect_richly(self, name: str) -> dict[str, Any]:
        nothing: dict[str, Any] = {"data": {}, "metadata": {}}
        if not name.isidentifier():  # a group of variables is none itself
            return nothing
        shown = self._shell.user_expressions({name: name})[name]
        return {key: shown[key] for key in nothing} if shown.get("status") == "ok" else nothing


def _why_not_to_fork() -> str:
    constants = sys.modules.get("_pydevd_bundle.pydevd_constants")
    return PAUSED if constants is not None and constants.get_global_debugger() is not None else ""


def represented(value: object) -> str:
    """A value in all forms that clients may show. Called by a frame that stands at a breakpoint."""
    data, metadata = IPython.get_ipython().display_formatter.format(value)
    return _wrapped({"data": data, "metadata": metadata})


def asked_at_a_stop(request: str) -> str:
    """The body of the answer to a request. Called by a frame that stands at a breakpoint."""
    assert _the_one is not None
    return _wrapped(_the_one.body(msgspec.json.decode(request, type=Request)))


def _wrapped(body: dict[str, Any]) -> str:
    """As text without quotes and escapes: debugpy hands it on as Python would write it down."""
    return base64.b64encode(to_json(body)).decode()


def _modules(arguments: dict[str, Any]) -> dict[str, Any]:
    """Modules that are loaded, with their files; a part of them if that is asked for."""
    modules = list(sys.modules.copy().values())
    start = arguments.get("startModule") or 0
    end = start + (arguments.get("moduleCount") or len(modules))
    origins = [(each, getattr(getattr(each, "__spec__", None), "origin", None)) for each in modules]
    described = [
        {"id": number, "name": module.__name__, "path": origin}
        for number, (module, origin) in enumerate(origins)
        if start <= number < end and isinstance(origin, str) and origin.endswith(".py")
    ]
    return {"modules": described, "totalModules": len(modules)}
