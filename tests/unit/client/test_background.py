"""Work beside a loop, for which nobody waits who leaves."""

from __future__ import annotations

import asyncio
import threading

import pytest

from holdfast.client.background import done_in_background


def test_what_it_returns_is_there() -> None:
    assert asyncio.run(done_in_background(len, "four")) == 4


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(done_in_background(int, "no number"))


def test_who_leaves_does_not_wait_for_it() -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        begun.set()
        free.wait()

    async def leave() -> None:
        task = asyncio.ensure_future(done_in_background(hang, ""))
        await asyncio.get_running_loop().run_in_executor(None, begun.wait)
        task.cancel()

    asyncio.run(leave())
    assert not free.is_set()
    free.set()
