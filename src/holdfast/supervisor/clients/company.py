"""What clients ask about each other: who is there, whose cell runs, and what they may do about it."""

from __future__ import annotations

from holdfast.protocol import operations
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.cells.turns import Turns
from holdfast.supervisor.clients.presence import Presence


class Company:
    """Of one session."""

    def __init__(self, presence: Presence, stage: Stage, turns: Turns) -> None:
        self._presence = presence
        self._stage = stage
        self._turns = turns

    def names(self) -> list[str]:
        """Of who is there."""
        return self._presence.names()

    def attached(self) -> operations.Clients:
        """Who is there, and what runs and waits for them."""
        return operations.Clients(self._presence.attached(self._stage.job, self._turns.waiting))

    def withdraw(self, asked: operations.Withdraw) -> operations.Withdrawn:
        """A cell that waits is not to run."""
        return operations.Withdrawn(self._turns.withdraw(asked.msg_id))

    def answer(self, asked: operations.AnswerRequest) -> operations.Done:
        """Somebody answers what another one was asked. HoldfastError if it is not asked any more."""
        self._stage.questions.answer_instead(asked)
        return operations.Done()
