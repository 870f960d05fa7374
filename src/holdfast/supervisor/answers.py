"""Answers what the worker wonders about: what the supervisor owns and user code asks for in a cell."""

from __future__ import annotations

from holdfast.errors import HoldfastError
from holdfast.link.messages import Answer, Wonder
from holdfast.protocol import codec
from holdfast.protocol.content import HistoryRequest
from holdfast.supervisor.ledger import Ledger


class Answers:
    """One for each question that a worker may have."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def to(self, question: Wonder) -> Answer:
        """The answer. The worker may ask for nonsense, or for what can't be read; it gets nothing then."""
        try:
            return Answer(question.wonder, codec.encode(self._known(question)))
        except HoldfastError:
            return Answer(question.wonder, b"[]")

    def _known(self, question: Wonder) -> object:
        if question.what == "recover":
            return self._ledger.lost()
        return self._ledger.past(codec.decode(question.arguments, HistoryRequest, question.what))
