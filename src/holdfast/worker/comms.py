"""Comms: messages between a widget here and its other half in a browser (messaging spec, custom messages)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import Any

import comm
import msgspec
from comm.base_comm import BaseComm, CommManager

from holdfast.link.messages import Ask
from holdfast.worker.display import Publisher


def install(publisher: Publisher) -> CommManager:
    """Make the `comm` package of this process speak through `publisher`; returns the one manager."""
    manager = CommManager()

    class WorkerComm(BaseComm):
        """A comm whose messages go out over the link."""

        def publish_msg(
            self,
            msg_type: str,
            data: Any = None,
            metadata: Any = None,
            buffers: Any = None,
            **keys: Any,
        ) -> None:
            content = {"data": data or {}, "comm_id": self.comm_id, **keys}
            publisher.publish(msg_type, content, metadata, buffers)

    def create_comm(*args: Any, **kwargs: Any) -> WorkerComm:
        return WorkerComm(*args, **kwargs)

    def get_comm_manager() -> CommManager:
        return manager

    comm.create_comm = create_comm
    comm.get_comm_manager = get_comm_manager
    return manager


def deliver(manager: CommManager, request: Ask) -> None:
    """Hand a `comm_open`, `comm_msg` or `comm_close` to its comm."""
    message = {
        "header": msgspec.json.decode(request.header),
        "metadata": msgspec.json.decode(request.metadata),
        "content": msgspec.json.decode(request.content),
        "buffers": [memoryview(each) for each in request.buffers],
    }
    getattr(manager, request.msg_type)(None, None, message)


def living() -> list[str]:
    """Ids of the comms of this process."""
    return list(comm.get_comm_manager().comms)


def forget(ids: Iterable[str]) -> None:
    """Close comms whose other half is gone, without a word to it: nobody would hear it."""
    manager = comm.get_comm_manager()
    for each in ids:
        if (half := manager.comms.pop(each, None)) is not None:
            half._closed = True


def resend_states() -> None:
    """Tell the browser the state of all widgets: what it shows may be of another time."""
    widgets = sys.modules.get("ipywidgets.widgets.widget")
    if widgets is None:
        return
    for each in list(getattr(widgets, "_instances", {}).values()):
        if each.comm is not None:
            with contextlib.suppress(Exception):  # the user's own traits and hooks take part
                each.send_state()
