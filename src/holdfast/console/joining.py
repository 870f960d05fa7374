"""Becoming a client of a session that is on the screen already: what came since is told, or that it went."""

from __future__ import annotations

import asyncio

from holdfast.client.aio import Client
from holdfast.console.opening import Opening
from holdfast.errors import NoAnswer


async def join(client: Client, opening: Opening) -> None:
    """Wait until output reaches us, then hear what was published since `opening` was drawn."""
    loop, bell = asyncio.get_running_loop(), opening.bell

    def hung_up() -> None:
        if bell is not None:
            loop.remove_reader(bell.fileno())
        client.forsaken()

    if bell is not None:
        loop.add_reader(bell.fileno(), hung_up)
    try:
        await client.connect()
    except NoAnswer:
        client.lost.set()
        return
    finally:
        if bell is not None:
            loop.remove_reader(bell.fileno())
            bell.close()
    await client.catch_up()
