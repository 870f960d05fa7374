"""What a launcher has a worker run as a program: `holdfast FILE`, `-c`, `-m`. Pure.

The worker fetches it, with the launcher's descriptors 0, 1 and 2, at a socket of which the cell tells the
path (`%as_python PATH`); the exit status comes with the cell's reply, as a payload of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

MAGIC = "as_python"
"""The magic that fetches and runs it."""

DESCRIPTORS = 3
"""Standard input, output and error, in this order; they come with the first byte."""

_SOURCE = "holdfast_exit"


class Program(NamedTuple):
    """What to run. Strings may hold lone surrogates, as file names and environments do."""

    way: Literal["file", "code", "module"]
    what: str
    """A path, the code itself, or a module's name."""
    arguments: list[str]
    """`sys.argv`."""
    environment: dict[str, str]
    name: str = "<string>"
    """Under which tracebacks know the code."""
    interactive: bool = False
    """A console follows: exit handlers wait, and `exit` does not end it."""

    def encoded(self) -> bytes:
        """As it goes through the socket."""
        return json.dumps(self._asdict()).encode()

    @classmethod
    def decoded(cls, data: bytes) -> Program:
        """As it came."""
        return cls(**json.loads(data))


def exit_payload(status: int) -> dict[str, Any]:
    """What the reply of a cell that ran a program says of its end; below 0: by that signal."""
    return {"source": _SOURCE, "status": status}


def exit_status(payloads: object) -> int | None:
    """The exit status among the payloads of a reply; None if no program has ended."""
    for payload in payloads if isinstance(payloads, Iterable) else ():
        if isinstance(payload, Mapping) and payload.get("source") == _SOURCE:
            status = payload.get("status")
            return status if isinstance(status, int) else None
    return None
