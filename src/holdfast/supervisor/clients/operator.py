"""Does what our own operations ask (protocol/operations.py), by the doorbell or on a control channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from holdfast.errors import MalformedMessage
from holdfast.protocol import operations
from holdfast.supervisor.clients import doorways
from holdfast.supervisor.clients.account import Account
from holdfast.supervisor.clients.broadcast import NOBODY, Broadcast
from holdfast.supervisor.clients.company import Company
from holdfast.supervisor.clients.glance import Glance
from holdfast.supervisor.ledger import Ledger
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
        company: Company,
        loop: Loop,
        undo: Undo,
        ledger: Ledger,
        broadcast: Broadcast,
    ) -> None:
        self._owner = owner
        self._loop = loop
        self._broadcast = broadcast
        self._answers: dict[type[msgspec.Struct], Callable[[Any], msgspec.Struct]] = {
            operations.InfoRequest: lambda _: msgspec.structs.replace(
                account.info(company.names()), doors=doorways.described(broadcast.doors)
            ),
            operations.LogRequest: lambda asked: account.log(asked, (broadcast.epoch, broadcast.seq)),
            operations.HeldRequest: lambda _: account.held(),
            operations.ClientsRequest: lambda _: company.attached(),
            operations.RecentRequest: Glance(ledger, broadcast).answer,
            operations.Withdraw: company.withdraw,
            operations.AnswerRequest: company.answer,
            operations.Interrupt: self._interrupt,
            operations.Undo: undo.do,
            operations.Redo: undo.do,
            operations.CheckpointsRequest: lambda _: undo.checkpoints(),
            operations.Stop: self._stop,
            operations.Resume: Resumption(ledger, broadcast).answer,
        }

    def operate(self, name: str, request: msgspec.Struct) -> msgspec.Struct:
        """The reply to one operation. HoldfastError if it can't be done."""
        answer = self._answers.get(type(request))
        if answer is None:
            raise MalformedMessage(f"{name} is not offered")
        return answer(request)

    def _interrupt(self, asked: operations.Interrupt) -> operations.Done:
        self._owner.interrupt(force=asked.force)
        return operations.Done()

    def _stop(self, asked: operations.Stop) -> operations.Stopping:
        reason = "shutdown" if asked.for_good else "stop"
        self._broadcast.publish("shutdown_reply", {"status": "ok", "restart": False}, NOBODY)
        self._loop.later(0, lambda: self._owner.end(reason))  # after the reply
        return operations.Stopping()
