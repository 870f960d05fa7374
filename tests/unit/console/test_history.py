"""What up-arrow finds."""

from __future__ import annotations

import asyncio

from holdfast.console.history import SessionHistory


async def loaded(history: SessionHistory) -> list[str]:
    return [entry async for entry in history.load()]


def test_entries_come_newest_first_and_repetitions_once() -> None:
    async def scene() -> list[str]:
        history = SessionHistory()
        history.supply(["a", "b", "b", "a"])
        return await loaded(history)

    assert asyncio.run(scene()) == ["a", "b", "a"]


def test_what_was_typed_before_the_entries_came_is_newer_than_they() -> None:
    async def scene() -> list[str]:
        history = SessionHistory()
        loading = asyncio.ensure_future(loaded(history))
        history.append_string("typed")
        history.supply(["old"])
        return await loading

    assert asyncio.run(scene()) == ["typed", "old"]


def test_typing_the_same_again_keeps_it_once() -> None:
    async def scene() -> list[str]:
        history = SessionHistory()
        history.supply([])
        for entry in ("x", "x", "y", "x"):
            history.append_string(entry)
        return await loaded(history)

    assert asyncio.run(scene()) == ["x", "y", "x"]
