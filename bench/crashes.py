"""What is measured of kernels that die: a null pointer is read with so much in the namespace."""

from __future__ import annotations

from functools import partial

from bench.client import Request, Silence
from bench.rows import MILLISECONDS, Figures, Row, Start

CRASH = "import ctypes; ctypes.string_at(0)"

NEVER = 5.0
"""Seconds after which an answer counts as never: a kernel that is gone is not waited for."""

CRASHES = 3
"""In one session, one after the other."""

FILLED = {
    "nothing": "data = [0]",
    "100 MB of arrays": "import numpy; data = [numpy.ones(1_250_000) for _ in range(10)]",
    "1 GB of arrays": "import numpy; data = [numpy.ones(12_500_000) for _ in range(10)]",
    "1 GB of objects": "data = [(n, str(n)) for n in range(6_500_000)]",
}
"""What stands in the namespace, and the cell that puts it there."""


def crash(filled: str, begin: Start) -> Figures:
    """From the cell that kills the interpreter to its error, and to the result of a cell sent right then."""
    to_error: list[float] = []
    to_result: list[float] = []
    with begin() as kernel:
        client = kernel.ready().client
        client.do(FILLED[filled])
        size = _value(client.do("len(data)"))
        for _ in range(CRASHES):
            client.pause(0.5)
            dying = client.execute(CRASH)
            try:
                client.reply(dying, NEVER)
            except Silence:
                break
            after = client.do("len(data)")
            if _value(after) != size:
                raise Silence(f"the namespace is not what it was: {after.published}")
            to_error.append(dying.seconds_to_reply * MILLISECONDS)
            to_result.append((after.sent - dying.sent + after.seconds_to_reply) * MILLISECONDS)
    error, result = _titles(filled)
    return {error: to_error, result: to_result}


def _value(cell: Request) -> bytes:
    """The content of a cell's result, less its number."""
    results = [content for _, kind, content in cell.published if kind == "execute_result"]
    return results[0].rpartition(b'"data"')[2].partition(b"}")[0] if results else b""


def _titles(filled: str) -> tuple[str, str]:
    return f"crash to error, {filled}", f"crash to next result, {filled}"


NAMES = ["crash", "crash-100mb", "crash-1gb", "crash-objects"]

ROWS = [
    Row(name, dict.fromkeys(_titles(filled), "ms"), on_start=partial(crash, filled))
    for name, filled in zip(NAMES, FILLED, strict=True)
]
