"""What a Jupyter server does with a kernel, without the server: jupyter_client's manager in a process that
tests may kill. Run as a script: answers each line on stdin with a line on stdout.

    start [NOTEBOOK]   a kernel, for a notebook or for nobody in particular; the answer is its connection file
    stop               as a server that goes down: shutdown_kernel, while the application says that it stops
    anything else      a method of the manager with its arguments in JSON: shutdown_kernel {"now": true}
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from traitlets.config import LoggingConfigurable


class Application(LoggingConfigurable):
    """Stands above the manager as jupyter_server's does; only the one attribute that tells its end."""

    _stopping = False


class Server:
    def __init__(self, kernel: str, options: dict[str, Any]) -> None:
        self.application = Application()
        self.manager = AsyncKernelManager(kernel_name=kernel, parent=self.application, **options)

    async def do(self, command: str, argument: str) -> object:
        if command == "start":
            name = {"JPY_SESSION_NAME": argument} if argument else {}
            await self.manager.start_kernel(env=os.environ | name)
            return self.manager.connection_file
        if command == "stop":
            self.application._stopping = True
            return await self.manager.shutdown_kernel()
        result = getattr(self.manager, command)(**json.loads(argument or "{}"))
        return await result if asyncio.iscoroutine(result) else result


async def main() -> None:
    server = Server(sys.argv[1], json.loads(sys.argv[2]))
    for line in sys.stdin:  # nothing else is to be done meanwhile
        command, _, argument = line.strip().partition(" ")
        try:
            answer: object = await server.do(command, argument)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shall see it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
