"""What is measured of kernels that live. Each function measures once; who runs it decides how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, Silence
from bench.kernels import HOLDFAST, IPYKERNEL, Kernel, Kind

Start = Callable[[], AbstractContextManager[Kernel]]
"""Starts a kernel of the kind that is being measured, for a `with` block."""

Figures = dict[str, list[float]]
"""By the title of a line: samples, in the line's unit; none if an answer never came."""

MILLISECONDS = 1000.0
MEGABYTE = 1e6


@dataclass(frozen=True)
class Row:
    """Something to measure: by name, with the lines it gives (title -> unit)."""

    name: str
    lines: dict[str, str]
    on_kernel: Callable[[Kernel], Figures] | None = None
    """Measures on one kernel that is kept for all rounds ..."""
    on_start: Callable[[Start], Figures] | None = None
    """... or starts its own ..."""
    beside_plain: Callable[[Start, Start], Figures] | None = None
    """... and a plain ipykernel, which the second one starts: figures are of what comes on top of it."""
    in_folder: Callable[[Kind, Path], Figures] | None = None
    """... or runs a program that is no kernel, which keeps all that is its own in that folder."""
    kinds: tuple[Kind, ...] = (IPYKERNEL, HOLDFAST)
    """Those that take turns. The ratio is the last one's share of the first one's."""
    usual: bool = True
    """Measured when nobody says what to measure."""


def start(begin: Start) -> Figures:
    """From the command to the first two answers. The client connects and asks at once, as frontends do."""
    with begin() as kernel:
        client = kernel.client
        info, cell = client.send("kernel_info_request", {}), client.execute("1")
        client.reply(info)
        client.reply(cell)
        assert info.replied is not None
        assert cell.replied is not None
        return {
            "cold start to first reply": [(info.replied - kernel.started) * MILLISECONDS],
            "cold start to first result": [(cell.replied - kernel.started) * MILLISECONDS],
        }


def execute(kernel: Kernel) -> Figures:
    """The smallest cell, one after the other without a breath."""
    times = [kernel.client.do("1").seconds * MILLISECONDS for _ in range(100)]
    return {'execute "1", back to back': times}


def thinking(kernel: Kernel) -> Figures:
    """The same with a user who needs 20 ms: what a kernel does in the meantime is free."""
    times = []
    for _ in range(50):
        kernel.client.pause(0.020)
        times.append(kernel.client.do("1").seconds * MILLISECONDS)
    return {'execute "1", 20 ms apart': times}


def pipelined(kernel: Kernel) -> Figures:
    """Run All: 50 cells are sent before the first is answered."""
    client = kernel.client
    cells = [client.execute("1") for _ in range(50)]
    for cell in cells:
        client.finish(cell)
    return {"50 cells sent at once": [cells[-1].seconds * MILLISECONDS]}


def kernel_info(kernel: Kernel) -> Figures:
    """The question that every frontend asks first."""
    client = kernel.client
    asked = [client.reply(client.send("kernel_info_request", {})) for _ in range(100)]
    return {"kernel_info": [request.seconds_to_reply * MILLISECONDS for request in asked]}


def completion(kernel: Kernel) -> Figures:
    """The Tab key, with jedi warm."""
    code = "import os; os.pa"
    times = []
    for _ in range(20):
        asked = kernel.client.send("complete_request", {"code": code, "cursor_pos": len(code)})
        answer = kernel.client.reply(asked).answer()
        if not any(str(match).endswith("path") for match in _list(answer["matches"])):
            raise Silence(f"completion does not find os.path: {answer}")
        times.append(asked.seconds_to_reply * MILLISECONDS)
    return {"completion": times[1:]}


def print_lines(kernel: Kernel) -> Figures:
    """Many short lines, to the last of them."""
    cell = kernel.client.do("for i in range(200_000): print(i)")
    printed = "".join(text for _, text in cell.texts()).split()
    lost = 200_000 - sum(1 for one, other in zip(printed, range(200_000), strict=False) if one == str(other))
    return {"200,000 printed lines": [cell.seconds * MILLISECONDS], "  of them lost": [float(lost)]}


def print_big(kernel: Kernel) -> Figures:
    """One huge text, whole."""
    size = 50_000_000
    cell = kernel.client.do(f"print('x' * {size}, end='')")
    received = sum(len(text) for _, text in cell.texts())
    return {
        "one print of 50 MB": [cell.seconds * MILLISECONDS],
        "  bytes of it lost": [float(size - received)],
    }


def delay(kernel: Kernel) -> Figures:
    """From print() in a cell that goes on to the client: each line is the time at which it was printed."""
    code = "import time\nfor _ in range(20):\n    print(time.monotonic_ns())\n    time.sleep(0.05)"
    texts = kernel.client.do(code).texts()
    times = [at * MILLISECONDS - int(line) / 1e6 for at, text in texts for line in text.split()]
    return {"from print to client": times}


def interrupt(kernel: Kernel) -> Figures:
    """A busy loop, from the request to the cell's reply."""
    client = kernel.client
    times = []
    for _ in range(5):
        cell = client.execute("print('go')\nwhile True: pass")
        client.until(cell, lambda cell=cell: cell.published and cell.texts())  # type: ignore[misc]
        asked = time.monotonic()
        client.send("interrupt_request", {}, "control")
        client.finish(cell)
        assert cell.replied is not None
        times.append((cell.replied - asked) * MILLISECONDS)
    return {"interrupt of `while True: pass`": times}


def memory(begin: Start) -> Figures:
    """All processes, shared pages counted once, a second after the last cell: standbys are there by then."""
    with begin() as kernel:
        client = kernel.ready().client
        client.pause(1)
        idle = kernel.memory()
        client.do("import numpy; data = numpy.ones(500_000_000 // 8)")
        client.do("1")
        client.pause(1)
        return {
            "memory, idle": [idle / MEGABYTE],
            "memory with 500 MB of arrays": [kernel.memory() / MEGABYTE],
        }


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def warm(client: Client) -> None:
    """A kernel's first cells cost more than all others: caches, imports, tables of the interpreter."""
    for _ in range(20):
        client.do("1")


ROWS = [
    Row("start", {"cold start to first reply": "ms", "cold start to first result": "ms"}, on_start=start),
    Row("execute", {'execute "1", back to back': "ms"}, execute),
    Row("thinking", {'execute "1", 20 ms apart': "ms"}, thinking),
    Row("pipelined", {"50 cells sent at once": "ms"}, pipelined),
    Row("kernel_info", {"kernel_info": "ms"}, kernel_info),
    Row("completion", {"completion": "ms"}, completion),
    Row("lines", {"200,000 printed lines": "ms", "  of them lost": ""}, print_lines),
    Row("big", {"one print of 50 MB": "ms", "  bytes of it lost": ""}, print_big),
    Row("delay", {"from print to client": "ms"}, delay),
    Row("interrupt", {"interrupt of `while True: pass`": "ms"}, interrupt),
    Row("memory", {"memory, idle": "MB", "memory with 500 MB of arrays": "MB"}, on_start=memory),
]
