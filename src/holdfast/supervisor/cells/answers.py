"""Answers what the worker wonders about: what the supervisor owns and user code asks for in a cell."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.errors import HoldfastError
from holdfast.link.messages import Answer, Wonder
from holdfast.protocol import codec, operations
from holdfast.protocol.content import HistoryRequest
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.clients.account import Account
from holdfast.supervisor.clients.company import Company
from holdfast.supervisor.clients.entrance import Entrance
from holdfast.supervisor.disk import lostcells
from holdfast.supervisor.disk.ondisk import OnDisk
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.travel.undo import Undo

_ABOUT_THE_SESSION = frozenset(
    {"recover", "restore_point", "last_recovery", "clients", "undo", "redo", "checkpoints"}
)
"""Who asks that and nothing else has done nothing that could be undone, or is missed after a reboot."""


class Answers:
    """One for each question that a worker may have."""

    def __init__(
        self,
        ledger: Ledger,
        account: Account,
        company: Company,
        entrance: Entrance,
        stage: Stage,
        undo: Undo,
        disk: OnDisk,
    ) -> None:
        self._ledger = ledger
        self._account = account
        self._entrance = entrance
        self._stage = stage
        self._undo = undo
        self._told: dict[str, Callable[[], object]] = {
            "recover": self._lost,
            "restore_point": lambda: {"text": account.restore_point()},
            "last_recovery": lambda: {"text": account.last_recovery()},
            "clients": company.attached,
            "checkpoints": undo.checkpoints,
        }
        self._emptying = disk.emptying

    def to(self, question: Wonder) -> Answer:
        """The answer. The worker may ask for nonsense, or for what can't be read; it gets nothing then."""
        try:
            return Answer(question.wonder, codec.encode(self._known(question)))
        except HoldfastError:
            return Answer(question.wonder, b"[]")

    def _known(self, question: Wonder) -> object:
        if question.what in _ABOUT_THE_SESSION:
            self._undo.look_back()
        told = self._told.get(question.what)
        if told is not None:
            return told()
        if question.what == "undo":
            return self._wish(codec.decode(question.arguments, operations.Undo, question.what))
        if question.what == "redo":
            return self._wish(codec.decode(question.arguments, operations.Redo, question.what))
        if question.what == "reset":
            self._emptying.noted()
            return None
        if question.what == "connection":
            return self._entrance.described(self._stage.job.door if self._stage.job is not None else None)
        return self._past(codec.decode(question.arguments, HistoryRequest, question.what))

    def _lost(self) -> object:
        undone = lostcells.undone(self._ledger)
        cells = [
            {
                "count": cell.count,
                "code": cell.code,
                "status": "undone" if cell.id in undone else cell.status,
                "ended": cell.ended,
            }
            for cell in lostcells.lost(self._ledger)
        ]
        return {
            "cells": cells,
            "some_is_back": self._ledger.restored_after > 0,
            "variables": self._account.not_back(),
        }

    def _wish(self, asked: operations.Undo | operations.Redo) -> object:
        """What will be undone, or why nothing can be."""
        try:
            return {"text": self._undo.wish(asked).text}
        except HoldfastError as error:
            return {"error": error.what + (f". Try: {error.remedy}" if error.remedy else "")}

    def _past(self, request: HistoryRequest) -> list[object]:
        """Lines of the history; the number of the own session is 0, which IPython leaves out."""
        own = self._ledger.number
        return [
            (0, *line[1:]) if isinstance(line, tuple) and line[0] == own else line
            for line in self._ledger.past(request)
        ]
