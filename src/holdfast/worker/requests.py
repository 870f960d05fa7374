"""Completion, inspection, comm and debugger messages: what needs the interpreter but is no cell."""

from __future__ import annotations

from typing import Any

from comm.base_comm import CommManager
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.utils.tokenutil import token_at_cursor

from holdfast.errors import HoldfastError
from holdfast.link.messages import DEBUG_BEGIN, DEBUG_END, VARIABLES, Ask, Done
from holdfast.protocol.codec import encode as to_json
from holdfast.protocol.codec import value_of
from holdfast.worker.interrupts import Interrupts, unbroken
from holdfast.worker.ipython import comms, variables
from holdfast.worker.ipython.debugging import Debugging
from holdfast.worker.ipython.shell import ZMQInteractiveShell
from holdfast.worker.outlet import Outlet


class Requests:
    """Answers everything that comes as an `Ask`."""

    def __init__(
        self,
        shell: ZMQInteractiveShell,
        outlet: Outlet,
        interrupts: Interrupts,
        manager: CommManager,
        debugging: Debugging | None = None,
    ) -> None:
        self._shell = shell
        self._outlet = outlet
        self._interrupts = interrupts
        self._manager = manager
        self._debugging = debugging

    @unbroken
    def handle(self, request: Ask) -> bool:
        """Do what was asked and send the reply; True if the namespace may have changed."""
        changes = request.msg_type.startswith("comm_")
        try:
            self._interrupts.begin(request.turn, lambda: None)
            content = self._do(request)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the user's objects take part
            self._interrupts.end()
            content = {
                "status": "error",
                "ename": type(error).__name__,
                "evalue": str(error),
                "traceback": [],
            }
            if changes:
                self._shell.showtraceback()
        finally:
            self._interrupts.end()
        status = content.get("status", "ok")  # a debugger's answer has none
        self._outlet.send(Done(self._outlet.position, request.cell, status, to_json(content)))
        return changes or request.msg_type == DEBUG_END

    def _do(self, request: Ask) -> dict[str, Any]:
        self._interrupts.check()
        if request.msg_type.startswith("debug_"):
            return self._debug(request)
        if not request.msg_type.startswith("comm_"):
            return {"status": "ok", **self._answer(request)}
        comms.deliver(self._manager, request)
        self._shell.events.trigger("post_execute")
        return {"status": "ok"}

    def _debug(self, request: Ask) -> dict[str, Any]:
        if self._debugging is None:
            raise HoldfastError("there is no debugger in an embedded program")
        if request.msg_type == DEBUG_BEGIN:
            return self._debugging.begin()
        if request.msg_type == DEBUG_END:
            self._debugging.end()
            return {}
        return self._debugging.answer(request.content)

    def _answer(self, request: Ask) -> dict[str, Any]:
        if request.msg_type == VARIABLES:
            return variables.described(self._shell, value_of(request.content))
        content = value_of(request.content)
        code, cursor = content["code"], content["cursor_pos"]
        if request.msg_type == "complete_request":
            return self._complete(code, cursor)
        return self._inspect(code, cursor, content.get("detail_level", 0))

    def _complete(self, code: str, cursor: int) -> dict[str, Any]:
        with provisionalcompleter():
            completions = list(rectify_completions(code, self._shell.Completer.completions(code, cursor)))
        typed = [
            {
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "type": each.type,
                "signature": each.signature,
            }
            for each in completions
        ]
        return {
            "matches": [each.text for each in completions],
            "cursor_start": completions[0].start if completions else cursor,
            "cursor_end": completions[0].end if completions else cursor,
            "metadata": {"_jupyter_types_experimental": typed},
        }

    def _inspect(self, code: str, cursor: int, detail_level: int) -> dict[str, Any]:
        name = token_at_cursor(code, cursor)
        try:
            data = self._shell.object_inspect_mime(name, detail_level=detail_level)
        except KeyError:
            return {"found": False, "data": {}, "metadata": {}}
        if not self._shell.enable_html_pager:
            data.pop("text/html", None)
        return {"found": True, "data": data, "metadata": {}}
