"""Comms: messages between a widget here and its other half in a browser (messaging spec, custom messages)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import Any, ClassVar

import comm
from comm import base_comm
from comm.base_comm import BaseComm
from IPython import get_ipython

from holdfast.link.messages import Ask
from holdfast.protocol.codec import value_of
from holdfast.worker.ipython.display import Publisher


class Comm(BaseComm):
    """A comm whose messages go out over the link; also what `ipykernel.comm.Comm` is here."""

    publisher: ClassVar[Publisher | None] = None  # of this process

    def __init__(
        self,
        target_name: str = "comm",
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        show_warning: bool = True,  # noqa: ARG002 - ipykernel's signature
        *,
        kernel: object = None,  # noqa: ARG002 - there is one
        **more: Any,
    ) -> None:
        super().__init__(
            target_name=target_name or "comm", data=data, metadata=metadata, buffers=buffers, **more
        )

    @property
    def kernel(self) -> Any:
        """The kernel of this process: widgets send nothing through a comm whose kernel is None."""
        return getattr(get_ipython(), "kernel", None)

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        """Send one message to the other half."""
        if self.publisher is not None:
            content = {"data": data or {}, "comm_id": self.comm_id, **keys}
            self.publisher.publish(msg_type, content, metadata, buffers)


class CommManager(base_comm.CommManager):
    """Who knows the comms and what opens them; also what `ipykernel.comm.CommManager` is here."""

    def __init__(self, **_parts: object) -> None:
        super().__init__()  # ipykernel's is given its parent and kernel


_manager = CommManager()  # the one of this process


def install(publisher: Publisher) -> CommManager:
    """Make the `comm` package of this process speak through `publisher`; returns the one manager."""
    global _manager
    _manager = CommManager()
    Comm.publisher = publisher
    comm.create_comm = Comm
    comm.get_comm_manager = get_comm_manager
    return _manager


def get_comm_manager() -> CommManager:
    """Who knows the comms of this process."""
    return _manager


def deliver(manager: base_comm.CommManager, request: Ask) -> None:
    """Hand a `comm_open`, `comm_msg` or `comm_close` to its comm."""
    message = {
        "header": value_of(request.header),
        "metadata": value_of(request.metadata),
        "content": value_of(request.content),
        "buffers": [memoryview(each) for each in request.buffers],
    }
    getattr(manager, request.msg_type)(None, None, message)


def living() -> list[str]:
    """Ids of the comms of this process."""
    return list(_manager.comms)


def forget(ids: Iterable[str]) -> None:
    """Close comms whose other half is gone, without a word to it: nobody would hear it.

    To the code that holds such a comm it looks as if the other half had closed it.
    """
    for each in ids:
        half = _manager.comms.pop(each, None)
        if half is not None:
            half._closed = True
            message = {"header": {}, "metadata": {}, "content": {"comm_id": each, "data": {}}, "buffers": []}
            with contextlib.suppress(Exception):  # the user's own callback
                half.handle_close(message)


def resend_states() -> None:
    """Tell the browser the state of all widgets: what it shows may be of another time.

    A widget that is alive here and was forgotten begins anew under its old id, which others refer to.
    """
    widgets = [each for each in _widgets() if getattr(each, "comm", None) is not None]
    lost = [each for each in widgets if each.comm.comm_id not in _manager.comms]
    for widget in lost:  # first, and the oldest first: a widget is told of those it shows by their ids
        with contextlib.suppress(Exception):  # the user's own traits and hooks take part
            widget.comm = None
            widget.open()
    begun_anew = {id(each) for each in lost}
    for widget in widgets:
        if id(widget) not in begun_anew:
            with contextlib.suppress(Exception):
                widget.send_state()


def _widgets() -> list[Any]:
    """Every living widget of ipywidgets (8: a dict of its module; 7: of its class), if that is loaded."""
    module = sys.modules.get("ipywidgets.widgets.widget")
    known = getattr(module, "_instances", None)
    if known is None:
        known = getattr(getattr(module, "Widget", None), "widgets", {})
    return list(known.values())
