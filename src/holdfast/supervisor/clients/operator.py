"""Does what our own operations ask (protocol/operations.py), by the doorbell or on a control channel."""

from __future__ import annotations

from typing import Protocol

import msgspec

from holdfast.errors import MalformedMessage
from holdfast.protocol import operations
from holdfast.supervisor.clients.account import Account
from holdfast.supervisor.clients.desk import Desk
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.succession.resumption import Resumption
from holdfast.supervisor.travel.undo import Undo


class Owner(Protocol):
    """The session, as far as operations change it."""

    def end(self, reason: str) -> None:
        """End the session's processes in order."""

    def interrupt(self, *, force: bool = False) -> None:
        """Interrupt the running cell, or kill the worker."""


class Operator:
    """Knows everybody who has an answer."""

    def __init__(
        self,
        owner: Owner,
        account: Account,
        desk: Desk,
        loop: Loop,
        undo: Undo,
        resumption: Resumption,
    ) -> None:
        self._owner = owner
        self._account = account
        self._desk = desk
        self._loop = loop
        self._undo = undo
        self._resumption = resumption

    def operate(self, name: str, request: msgspec.Struct) -> msgspec.Struct:
        """The reply to one operation. HoldfastError if it can't be done."""
        if isinstance(request, operations.InfoRequest):
            return self._account.info(self._desk.clients())
        if isinstance(request, operations.LogRequest):
            return self._account.log(request, self._resumption.position)
        if isinstance(request, operations.ClientsRequest):
            return operations.Clients(self._desk.clients())
        if isinstance(request, operations.HeldRequest):
            return self._account.held()
        if isinstance(request, operations.Undo | operations.Redo):
            return self._undo.do(request)
        if isinstance(request, operations.CheckpointsRequest):
            return self._undo.checkpoints()
        if isinstance(request, operations.Stop):
            reason = "shutdown" if request.for_good else "stop"
            self._loop.later(0, lambda: self._owner.end(reason))  # after the reply
            return operations.Stopping()
        if isinstance(request, operations.Resume):
            return self._resumption.answer(request)
        if isinstance(request, operations.Interrupt):
            self._owner.interrupt(force=request.force)
        else:
            raise MalformedMessage(f"{name} is not offered")
        return operations.Done()
