"""A debugger that is started: what is asked of debugpy, and what is kept of what it says.

Most requests go on to debugpy's adapter as they are. Some are changed on their way, because a cell is no file
and its client can't know how the worker is made; some are put into other words (JEP 47).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from holdfast.errors import MalformedMessage
from holdfast.protocol import debugging
from holdfast.protocol.dap import Dap
from holdfast.protocol.debugging import Request
from holdfast.supervisor.debugging.adapter import Adapter, Answer
from holdfast.supervisor.loop import Loop

_WORKER = "__import__('holdfast.worker.ipython.debugging', fromlist=['_'])"
"""In an expression that a stopped frame evaluates: the module of the worker that answers there."""


class DebugSession:
    """From `initialize` to the end, whoever brings it about."""

    def __init__(
        self,
        loop: Loop,
        port: int,
        skipped: list[str],
        publish: Callable[[Dap], None],
        on_end: Callable[[], None],
    ) -> None:
        """`skipped`: patterns of files that nobody means to step into. `on_end`: the adapter is gone."""
        self.breakpoints: dict[str, list[dict[str, Any]]] = {}
        self.stopped: set[int] = set()  # threads that stand at a breakpoint
        self.said_its_end = False
        self._port = port
        self._skipped = skipped
        self._publish = publish
        self._configure: Callable[[], None] | None = None  # what `initialized` sets off
        self._adapter = Adapter(loop, port, self._on_event, on_end)
        self._commands: dict[str, Callable[[Request, Answer], None]] = {
            "attach": self._attach,
            "configurationDone": lambda request, then: then(request.answer()),
            "setBreakpoints": self._set_breakpoints,
            "continue": self._continue,
            "variables": self._variables,
            "inspectVariables": self._ask_where_it_stands,
            "modules": self._ask_where_it_stands,
            "richInspectVariables": self._inspect_richly,
            "copyToGlobals": self._copy_to_globals,
        }

    def ask(self, request: Request, then: Answer) -> None:
        """Do what is asked; `then` gets the response. LookupError or TypeError: an argument is wrong."""
        known = self._commands.get(request.command)
        if known is not None:
            known(request, then)
        else:
            self._forward(request, then)

    def close(self) -> None:
        """End it; nobody is called any more."""
        self._adapter.close()

    def _forward(self, request: Request, then: Answer, said: Request | None = None) -> None:
        """Ask debugpy the same, or what is `said` instead."""

        def answered(response: Dap) -> None:
            then(response | {"request_seq": request.seq, "command": request.command})

        said = said or request
        self._adapter.request(said.command, said.arguments, answered)

    # What is said

    def _on_event(self, event: Dap) -> None:
        kind, body = event.get("event"), event.get("body") or {}
        if kind == "stopped" and body.get("allThreadsStopped"):
            self._adapter.request("threads", None, lambda response: self._on_all_stopped(event, response))
            return  # it is told when `debugInfo` can name the threads
        if kind == "stopped":
            self.stopped.add(body["threadId"])
        elif kind == "continued" and body.get("allThreadsContinued", True):
            self.stopped.clear()
        elif kind == "continued" or (kind == "thread" and body.get("reason") == "exited"):
            self.stopped.discard(body["threadId"])
        elif kind == "terminated":
            self.said_its_end = True
        elif kind == "initialized" and self._configure is not None:
            configure, self._configure = self._configure, None
            configure()
        self._publish(event)

    def _on_all_stopped(self, event: Dap, response: Dap) -> None:
        threads = response.get("body", {}).get("threads", [])
        self.stopped.update(each["id"] for each in threads)
        self._publish(event)

    # What is asked

    def _attach(self, request: Request, then: Answer) -> None:
        """Attach to the worker: also the standard library may be looked into, what runs the cells not.

        debugpy answers once it is configured, and asks for that by an event. Clients of Jupyter's wait for
        the answer first, so the configuration is done here, and theirs, which comes later, is nothing.
        """
        arguments = (request.arguments or {}) | {
            "connect": {"host": "127.0.0.1", "port": self._port},
            "debugOptions": ["DebugStdLib"],
            "rules": [{"path": pattern, "include": False} for pattern in self._skipped],
            "subProcess": False,
        }
        self._configure = lambda: self._adapter.request("configurationDone", None, lambda _: None)
        self._forward(request, then, Request("attach", arguments=arguments))

    def _set_breakpoints(self, request: Request, then: Answer) -> None:
        arguments = request.arguments or {}
        path = arguments["source"]["path"]

        def answered(response: Dap) -> None:
            if response.get("success"):  # they may have been moved to lines where something is done
                found = response["body"]["breakpoints"]
                self.breakpoints[path] = [{"line": each["line"]} for each in found if "line" in each]
            then(response)

        self._forward(request, answered)

    def _continue(self, request: Request, then: Answer) -> None:
        """The event that says the same may come later; the next stop's threads are asked for after this."""

        def answered(response: Dap) -> None:
            if response.get("success") and response.get("body", {}).get("allThreadsContinued", True):
                self.stopped.clear()
            then(response)

        self._forward(request, answered)

    def _variables(self, request: Request, then: Answer) -> None:
        def answered(response: Dap) -> None:
            if response.get("success"):
                response["body"]["variables"] = debugging.without_hidden(response["body"]["variables"])
            then(response)

        self._forward(request, answered)

    def _copy_to_globals(self, request: Request, then: Answer) -> None:
        arguments = request.arguments or {}
        target = arguments["dstVariableName"]
        if not str(target).isidentifier():  # it becomes part of an expression
            raise MalformedMessage(f"{target!r} is no variable's name")
        words = {
            "expression": f"globals()[{target!r}]",
            "value": arguments["srcVariableName"],
            "frameId": arguments["srcFrameId"],
        }
        self._forward(request, then, Request("setExpression", arguments=words))

    def _inspect_richly(self, request: Request, then: Answer) -> None:
        arguments = request.arguments or {}
        name = str(arguments["variableName"])
        if not name.isidentifier():  # a group of variables is none itself
            then(request.answer({"data": {}, "metadata": {}}))
        elif (frame := arguments.get("frameId")) is None:
            self._ask_where_it_stands(request, then)
        else:
            self._evaluate(request, f"{_WORKER}.represented({name})", frame, then)

    def _ask_where_it_stands(self, request: Request, then: Answer) -> None:
        """What the worker's main thread would answer, if it did not stand at a breakpoint."""
        words = json.dumps({"command": request.command, "seq": request.seq, "arguments": request.arguments})

        def found(response: Dap) -> None:
            frames = response.get("body", {}).get("stackFrames")
            if not frames:
                then(request.answer(message="no frame is there to ask"))
            else:
                self._evaluate(request, f"{_WORKER}.asked_at_a_stop({words!r})", frames[0]["id"], then)

        thread = min(self.stopped, default=1)
        self._adapter.request("stackTrace", {"threadId": thread, "levels": 1}, found)

    def _evaluate(self, request: Request, expression: str, frame: int, then: Answer) -> None:
        """Answer with the body that an expression has as its value: JSON, in base64."""

        def evaluated(response: Dap) -> None:
            if not response.get("success"):
                then(request.answer(message=str(response.get("message", "it could not be evaluated"))))
                return
            try:
                then(request.answer(debugging.unwrapped(response["body"]["result"])))
            except MalformedMessage as error:
                then(request.answer(message=error.what))

        arguments = {"expression": expression, "frameId": frame, "context": "clipboard"}
        self._adapter.request("evaluate", arguments, evaluated)
