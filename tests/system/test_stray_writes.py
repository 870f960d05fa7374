"""A cell writes over what the worker shares with the supervisor: at most that cell's effects are lost."""

from __future__ import annotations

import pytest

from kit.kernel import Kernel, only_holdfast
from kit.wire import Cell, Client

pytestmark = only_holdfast

RING = """
import ctypes
line = next(line for line in open("/proc/self/maps") if "holdfast-text" in line)
begin, end = (int(number, 16) for number in line.split()[0].split("-"))
with open("ran.txt", "a") as file:
    file.write("x")
ctypes.memset(begin + {offset}, {byte}, {length})
print("written over")
"""
DYING = "\nctypes.string_at(0)"

LINK = """
import os
for name in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
            os.write(int(name), GARBAGE)
    except OSError:
        pass
"""

PLACES = {
    "what was written": (0, 0xFF, 8),
    "what was read": (8, 0xFF, 8),
    "the counters": (32, 0xFF, 96),
    "all with ones": (0, 0xFF, "end - begin"),
    "all with zeros": (0, 0, "end - begin"),
}


@pytest.fixture
def client(shared: Kernel) -> Client:
    client = shared.client()
    client.do("kept = 41")
    return client


def goes_on(client: Client) -> None:
    """Everything comes: Python's text, and that of programs."""
    cell = client.run("import os; os.system('echo program'); print(kept + 1)")
    assert "42" in cell.text()
    assert "program\n" in cell.text()
    assert client.run("print('x' * 6_000_000)").text() == "x" * 6_000_000 + "\n"  # more than the ring takes


def runs(client: Client) -> int:
    """How often the cell ran."""
    return int(client.value("os.path.getsize('ran.txt')"))


def over_the_ring(place: str) -> str:
    offset, byte, length = PLACES[place]
    return RING.format(offset=offset, byte=byte, length=length)


@pytest.mark.parametrize("place", PLACES)
def test_text_is_heard_again_after_the_memory_it_travels_in_was_written_over(
    client: Client, place: str
) -> None:
    assert client.run(over_the_ring(place)).status == "ok"
    goes_on(client)


@pytest.mark.parametrize("place", PLACES)
def test_a_cell_that_does_so_and_dies_has_run_once_and_all_is_as_before_it(
    client: Client, place: str
) -> None:
    client.do("import os; _ = os.path.exists('ran.txt') and os.remove('ran.txt')")
    cell: Cell = client.run(over_the_ring(place) + DYING)
    assert cell.error["ename"] == "InterpreterDied"
    goes_on(client)
    assert runs(client) == 1


@pytest.mark.parametrize(
    "garbage",
    [b"garbage" * 1000, bytes.fromhex("0000000600000000000000ff") + b"\x94\x15\x00\x00\xa1\xff"],
    ids=["no message", "a message with text that is none"],
)
def test_nonsense_on_the_link_costs_the_worker_and_no_variable(client: Client, garbage: bytes) -> None:
    cell = client.run(LINK.replace("GARBAGE", repr(garbage)))
    assert cell.error["ename"] == "InterpreterDied"
    goes_on(client)
