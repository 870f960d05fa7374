"""What a cell shows beside text: results, displays, errors, pages, clearing. Each is one `Publish`."""

from __future__ import annotations

import dis
import sys
from types import FrameType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from traitlets import Any as AnyTrait

from holdfast.link.messages import Publish
from holdfast.protocol.codec import encode as to_json
from holdfast.worker.outlet import Outlet
from holdfast.worker.parents import Parents

_LAST_ONLY = frozenset({"last_expr", "last_expr_or_assign"})
_SHOWS = frozenset(dis.opmap[each] for each in ("PRINT_EXPR", "CALL_INTRINSIC_1") if each in dis.opmap)
"""Instructions that call sys.displayhook: up to Python 3.11, and since."""


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
    ) -> None:
        """Send one iopub message with the current parent; `hold`: together with the cell's end."""
        message = Publish(
            self._outlet.position,
            self.parents.current(),
            msg_type,
            to_json(content),
            to_json(metadata) if metadata else b"{}",
            [bytes(memoryview(each)) for each in buffers] if buffers else [],
        )
        if hold:
            self._outlet.hold(message)
        else:
            self._outlet.send(message)


class ResultHook(DisplayHook):
    """`sys.displayhook`: the value of a cell's last expression becomes an `execute_result`."""

    publisher: Any = AnyTrait()

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

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Take the result's representations."""
        self._content["data"] = format_dict
        self._content["metadata"] = md_dict or {}

    def finish_displayhook(self) -> None:
        """Send the result, if there was anything to show."""
        if self._content.get("data"):
            hold = self._ends_the_cell(sys._getframe(2))
            self.publisher.publish("execute_result", self._content, hold=hold)

    def _ends_the_cell(self, caller: FrameType) -> bool:
        """Whether the interpreter itself shows a cell's last expression: nothing of the cell comes after."""
        return (
            self.shell.ast_node_interactivity in _LAST_ONLY
            and caller.f_code.co_code[caller.f_lasti] in _SHOWS
        )

    def check_for_underscore(self) -> None:
        """Do nothing: a console's worry, `_` in builtins (gettext) is not ours to touch."""


class DisplayChannel(DisplayPublisher):
    """`display()`, `update_display()` and `clear_output()`."""

    publisher: Any = AnyTrait()

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
        content = {"data": data, "metadata": metadata or {}, "transient": transient or {}}
        self.publisher.publish("update_display_data" if update else "display_data", content)

    def clear_output(self, wait: bool = False) -> None:
        """Ask clients to clear the cell's output, now or when the next output comes."""
        self.publisher.publish("clear_output", {"wait": wait})
