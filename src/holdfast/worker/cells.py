"""One cell: run by IPython's shell, answered with one `Done`. Nothing here reads the link."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from IPython.core.async_helpers import _asyncio_runner
from IPython.core.interactiveshell import ExecutionResult

from holdfast.errors import MalformedMessage
from holdfast.link.messages import Done, Run
from holdfast.protocol.codec import encode as to_json
from holdfast.protocol.codec import value_of
from holdfast.worker.interrupts import Interrupts, unbroken
from holdfast.worker.ipython import plain, scripts
from holdfast.worker.ipython.shell import ZMQInteractiveShell, words_of
from holdfast.worker.ipython.terminal import ClientsTerminal
from holdfast.worker.outlet import Outlet
from holdfast.worker.stdin import Keyboard

INTERRUPTED = {"ename": "KeyboardInterrupt", "evalue": "", "traceback": ["KeyboardInterrupt"]}
"""Of a cell that was interrupted before any line of its own ran."""

_libc = ctypes.CDLL(None)


class Cells:
    """Runs cells in `shell`."""

    def __init__(
        self, shell: ZMQInteractiveShell, outlet: Outlet, interrupts: Interrupts, keyboard: Keyboard
    ) -> None:
        self._shell = shell
        self._outlet = outlet
        self._interrupts = interrupts
        self._keyboard = keyboard
        self.terminal = ClientsTerminal()

    @unbroken
    async def run(self, request: Run) -> None:
        """Execute the cell; whatever happens in it, exactly one reply goes out."""
        shell = self._shell
        started = datetime.now(UTC).isoformat()
        shell.execution_count = request.count
        shell.history_manager.pad(request.count)
        self._keyboard.allowed = request.allow_stdin
        try:
            self._interrupts.begin(request.turn, self._canceller())
            content = await self._execute(request)
        except (KeyboardInterrupt, asyncio.CancelledError):  # an interrupt outside of the cell's own lines
            self._interrupts.end()
            content = _error(INTERRUPTED)
            if not request.silent:
                shell.publisher.publish("error", INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - IPython stumbled over one of the user's objects
            self._interrupts.end()
            if shell.last_error is None:
                shell.showtraceback()
            content = _error(shell.last_error or _described(error))
        finally:
            self._interrupts.end()
        if self._outlet.forked:  # the cell forked, and this is the child at the cell's end
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
            os._exit(0)
        content["execution_count"] = request.count - (not request.store_history or request.silent)
        _libc.fflush(None)  # C code's own buffers: what a cell printed belongs to the cell
        self._outlet.send(
            Done(
                self._outlet.position,
                request.cell,
                content["status"],
                _in_json(content),
                started,
                shell.history_manager.output_hist_reprs.get(request.count),
            )
        )

    def _canceller(self) -> Callable[[], object]:
        """What an interrupt does while the loop waits for the cell."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def cancel() -> None:
            self._shell.interrupted = True
            loop.call_soon_threadsafe(task.cancel)  # also wakes the loop, which a signal alone does not

        return cancel

    async def _execute(self, request: Run) -> dict[str, Any]:
        self._interrupts.check()
        shell = self._shell
        shell.last_error, shell.interrupted, shell.failed = None, False, False
        with self.terminal.of(request.metadata), scripts.ended_with_cell(shell):
            result = await self._run_in_shell(request)
        if request.user_expressions:
            self._outlet.flush()
        if result.success and not shell.failed:  # an error that the cell only showed is none
            content: dict[str, Any] = {
                "status": "ok",
                "user_expressions": shell.user_expressions(request.user_expressions),
            }
        else:
            content = _error(shell.last_error or _described(result.error_before_exec or result.error_in_exec))
        content["payload"] = shell.payload_manager.read_payload()
        shell.payload_manager.clear_payload()
        return content

    async def _run_in_shell(self, request: Run) -> ExecutionResult:
        """Have IPython execute the cell and tell who waits for its end."""
        shell = self._shell
        try:
            code, failure = plain.transformed(shell, request.code), None
        except Exception:  # noqa: BLE001 - input transformers are the user's; the shell shows what they raise
            code, failure = request.code, sys.exc_info()
        options = {"store_history": request.store_history, "silent": request.silent, **_cell_of(request)}
        if shell.loop_runner is not _asyncio_runner and shell.should_run_async(code, transformed_cell=code):
            with self._interrupts.as_python_has_them():  # `%autoawait trio`: a loop of its own
                return shell.run_cell(request.code, **options)
        result = await shell.run_cell_async(
            request.code, transformed_cell=code, preprocessing_exc_tuple=failure, **options
        )
        if self._has_hooks("post_execute", "post_run_cell"):
            self._outlet.flush()
        shell.events.trigger("post_execute")
        if not request.silent:
            shell.events.trigger("post_run_cell", result)
        return result

    def _has_hooks(self, *events: str) -> bool:
        """Whether somebody but IPython itself does something at one of these events."""
        callbacks = self._shell.events.callbacks
        modules = (getattr(each, "__module__", None) or "" for event in events for each in callbacks[event])
        return any(module.partition(".")[0] != "IPython" for module in modules)


def _cell_of(request: Run) -> dict[str, Any]:
    """What the frontend says about the cell, as IPython hands it on to its hooks."""
    if request.metadata == b"{}":
        return {}
    metadata = value_of(request.metadata)
    return {"cell_meta": metadata, "cell_id": metadata.get("cellId")}


def _in_json(content: dict[str, Any]) -> bytes:
    """A reply, without what the user's code put into it and JSON can't hold."""
    try:
        return to_json(content)
    except MalformedMessage:
        return to_json(content | {"payload": [], "user_expressions": {}})


def _described(error: BaseException | None) -> dict[str, Any]:
    return {"ename": type(error).__name__, "evalue": words_of(error), "traceback": []}


def _error(described: dict[str, Any]) -> dict[str, Any]:
    return {"status": "error", **described, "user_expressions": {}, "payload": []}
