"""What a cell shows beside text: results, displays, errors, pages, clearing. Each is one `Publish`."""

from __future__ import annotations

import dis
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.history import HistoryOutput
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Bool

from holdfast.link.messages import Publish
from holdfast.protocol.codec import encode as to_json
from holdfast.worker.outlet import Outlet
from holdfast.worker.parents import ParentApi, Parents

_LAST_ONLY = frozenset({"last_expr", "last_expr_or_assign"})
_SHOWS = frozenset(dis.opmap[each] for each in ("PRINT_EXPR", "CALL_INTRINSIC_1") if each in dis.opmap)
"""Instructions that call sys.displayhook: up to Python 3.11, and since."""
_IPYTHONS_WAY = tuple(
    each.__code__
    for each in (InteractiveShell.run_code, InteractiveShell.run_ast_nodes, InteractiveShell.run_cell_async)
)
"""From a line of a cell up to whoever runs the cell."""
_CELLS = "holdfast.worker.cells"


class Publisher:
    """Sends messages to every client, as output of whatever cell runs."""

    def __init__(self, outlet: Outlet, parents: Parents) -> None:
        self._outlet = outlet
        self.parents = parents

    def publish(
        self,
        msg_type: str,
        content: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        buffers: list[Any] | None = None,
        *,
        hold: bool = False,
        parent: int | None = None,
    ) -> None:
        """Send one iopub message with the current parent, or `parent`; `hold`: with the cell's end."""
        message = Publish(
            self._outlet.position,
            self.parents.current() if parent is None else parent,
            msg_type,
            to_json(content),
            to_json(metadata) if metadata else b"{}",
            [bytes(memoryview(each)) for each in buffers] if buffers else [],
        )
        if hold:
            self._outlet.hold(message)
        else:
            self._outlet.send(message)


Message = dict[str, Any]
Hook = Callable[[Message], Message | None]
"""Is shown a message before it goes out, and returns it, changed or not; None: it is not to go out."""


class _Hooked(ParentApi):
    """What both display hooks offer libraries, beside their work: ipykernel's attributes and methods."""

    publisher: Publisher
    session: Any
    pub_socket: Any

    def register_hook(self, hook: Hook) -> None:
        """Have `hook` see what this thread shows."""
        self._hooks.append(hook)

    def unregister_hook(self, hook: Hook) -> bool:
        """Undo `register_hook`; whether there was something to undo."""
        if hook not in self._hooks:
            return False
        self._hooks.remove(hook)
        return True

    @property
    def _hooks(self) -> list[Hook]:
        """The hooks of this thread."""
        known = vars(self)
        threads = known.get("_hooks_of_threads") or known.setdefault("_hooks_of_threads", threading.local())
        if not hasattr(threads, "hooks"):
            threads.hooks = []
        hooks: list[Hook] = threads.hooks
        return hooks

    def _through_hooks(self, msg_type: str, content: Message) -> None:
        """Publish what the hooks make of a message."""
        message: Message | None = self.session.msg(msg_type, content, self.parent_header)
        for hook in self._hooks:
            message = hook(message) if message is not None else None
        if message is not None:
            self.session.send(self.pub_socket, message)

    def _speaker(self) -> Parents:
        return self.publisher.parents


class ResultHook(_Hooked, DisplayHook):
    """`sys.displayhook`: the value of a cell's last expression becomes an `execute_result`."""

    publisher: Any = AnyTrait()
    session: Any = AnyTrait()
    pub_socket: Any = AnyTrait()
    topic: Any = AnyTrait(b"execute_result")

    def quiet(self) -> bool:
        """Whether the cell ends in a semicolon. Only if it has one at all need it be taken apart."""
        inputs = self.shell.history_manager.input_hist_parsed
        return bool(inputs and ";" in inputs[-1] and super().quiet())

    def start_displayhook(self) -> None:
        """Begin a result."""
        self._content: dict[str, Any] = {}

    def write_output_prompt(self) -> None:
        """Number the result."""
        self._content["execution_count"] = self.prompt_count

    def compute_format_data(self, result: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """See IPython's DisplayHook, which shows what a `repr` raises and goes on."""
        shown_before = self.shell.last_error
        shown: tuple[dict[str, Any], dict[str, Any]] = super().compute_format_data(result)
        self.shell.failed = self.shell.failed or self.shell.last_error is not shown_before
        return shown

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Take the result's representations."""
        self._content["data"] = format_dict
        self._content["metadata"] = md_dict or {}

    def finish_displayhook(self) -> None:
        """Send the result, if there was anything to show."""
        if not self._content.get("data"):
            return
        if self._hooks:
            self._through_hooks("execute_result", self._content)
        else:
            hold = self._ends_the_cell(sys._getframe(2))
            self.publisher.publish("execute_result", self._content, hold=hold)

    def _ends_the_cell(self, caller: FrameType) -> bool:
        """Whether the interpreter itself shows a cell's last expression: nothing of the cell comes after.

        After a cell that was run by a cell, or a line that the user compiled, more may come.
        """
        return (
            self.shell.ast_node_interactivity in _LAST_ONLY
            and caller.f_code.co_code[caller.f_lasti] in _SHOWS
            and _is_called_by_our_cells(caller)
        )

    def check_for_underscore(self) -> None:
        """Do nothing: a console's worry, `_` in builtins (gettext) is not ours to touch."""


class DisplayChannel(_Hooked, DisplayPublisher):
    """`display()`, `update_display()` and `clear_output()`."""

    publisher: Any = AnyTrait()
    session: Any = AnyTrait()
    pub_socket: Any = AnyTrait()
    topic: Any = AnyTrait(b"display_data")
    store_display_history = Bool(False, help="keep displays for %notebook").tag(config=True)

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        source: str | None = None,  # noqa: ARG002
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_kwargs: Any,
    ) -> None:
        """Send a display, or new content for the one with the same display_id."""
        self._validate_data(data, metadata)
        if self.store_display_history:
            kept = self.shell.history_manager.outputs[self.shell.execution_count]
            kept.append(HistoryOutput(output_type="display_data", bundle=data))
        content = {"data": data, "metadata": metadata or {}, "transient": transient or {}}
        self._send("update_display_data" if update else "display_data", content)

    def clear_output(self, wait: bool = False) -> None:
        """Ask clients to clear the cell's output, now or when the next output comes."""
        self._send("clear_output", {"wait": wait})

    def _send(self, msg_type: str, content: Message) -> None:
        if self._hooks:
            self._through_hooks(msg_type, content)
        else:
            self.publisher.publish(msg_type, content)


def _is_called_by_our_cells(frame: FrameType) -> bool:
    """Whether a frame is that of a cell which came from a client."""
    caller = frame.f_back
    for code in _IPYTHONS_WAY:
        if caller is None or caller.f_code is not code:
            return False
        caller = caller.f_back
    return caller is not None and caller.f_globals.get("__name__") == _CELLS
