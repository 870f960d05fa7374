"""Whatever goes wrong on the way back, who waits for it is told."""

from __future__ import annotations

import asyncio
import errno

import pytest

from holdfast.client.comeback import Comeback
from holdfast.client.ears import Ears
from holdfast.client.succession import Find, Successor
from holdfast.errors import NoAnswer

SECONDS = 5.0


def _no_room(_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _no_answer(_: object) -> None:
    raise NoAnswer("nobody answers")


class Listening(Ears):
    """Hears why it takes long."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def sought(self, what: str) -> None:
        self.heard.append(what)


@pytest.mark.parametrize(("find", "word"), [(_no_room, "No space left"), (_no_answer, None)])
def test_a_search_that_fails_ends_the_wait(find: Find, word: str | None) -> None:
    async def go(_: Successor) -> None:
        raise AssertionError("there is no way")

    async def lose() -> list[str]:
        lost, ears = asyncio.Event(), Listening()
        Comeback(find, go, lost.set, lambda: ears).begin()
        async with asyncio.timeout(SECONDS):
            await lost.wait()
        return ears.heard

    heard = asyncio.run(lose())
    assert any(word in each for each in heard) if word else not heard
