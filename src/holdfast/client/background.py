"""Work that blocks, beside an asyncio loop. Who leaves does not wait for it, as with the loop's executor."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


async def done_in_background(function: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
    """What `function(argument)` returns or raises, in a thread of its own that ends with the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, error = None, None
        try:
            result = function(argument)
        except BaseException as raised:  # noqa: BLE001 - it is raised where it is waited for
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: whoever waited has left
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="background", daemon=True).start()
    return await future
