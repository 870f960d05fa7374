"""A client that sends far more than a session can do: it costs a stated amount, and others are served."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from kit.gate import Gate
from kit.processes import from_now_on, resident
from kit.session import Session, session
from kit.wire import Client, Message

MEBIBYTE = 1024 * 1024
QUEUE = 8 * MEBIBYTE
"""`wire.queue_bytes` here."""
ARRIVING = 8
"""`wire.arriving_messages`."""
SIZE = 512 * 1024
COUNT = 250
"""Requests, of which 16 fit into the queue."""

BEHIND_SECONDS = 60.0
"""For what waits behind as many of them as fit: jedi and IPython read each of half a megabyte."""

LARGE = "#" + "x" * SIZE
FLOODS: list[tuple[str, Message]] = [
    ("execute_request", {"code": LARGE}),
    ("complete_request", {"code": LARGE, "cursor_pos": 1}),
    ("history_request", {"hist_access_type": "tail", "n": 1, "pattern": LARGE}),
    ("comm_msg", {"comm_id": "none", "data": {"large": LARGE}}),
    ("debug_request", {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {"large": LARGE}}),
    ("holdfast_variables_request", {"large": LARGE}),
    ("input_reply", {"value": LARGE}),
]


BOUNDS = f"[wire]\nqueue_bytes = {QUEUE}\narriving_messages = {ARRIVING}\nqueue_cells = 50\n"


@pytest.fixture(scope="module")
def flooded() -> Iterator[Session]:
    with session(settings=BOUNDS) as made:
        yield made


@pytest.fixture(scope="module")
def patient() -> Iterator[Session]:
    """One in which questions wait, too: no copy of the interpreter answers them meanwhile."""
    with session(settings=BOUNDS + "[meanwhile]\nwait_ms = 60_000\n") as made:
        yield made


def flood(client: Client, kind: str, content: Message, count: int = COUNT) -> None:
    """Send, and read what comes back."""
    channel = {"input_reply": "stdin", "debug_request": "control"}.get(kind, "shell")
    if kind == "debug_request":  # waits for the worker, and all others behind it
        client.send(kind, {"type": "request", "seq": 1, "command": "initialize", "arguments": {}}, channel)
    for _ in range(count):
        client.send(kind, content, channel)
        client.listen(0)


@pytest.mark.parametrize(("kind", "content"), FLOODS, ids=[kind for kind, _ in FLOODS])
def test_what_a_client_sends_without_end_costs_a_stated_amount(
    flooded: Session, kind: str, content: Message
) -> None:
    client, other = flooded.client("ana"), flooded.client("bo")
    gate = Gate(flooded.folder / f"gate-{kind}")
    running = client.start(gate.wait)
    client.settle()
    pid = flooded.info()["pid"]
    before = from_now_on(pid)
    flood(client, kind, content)
    assert other.ask("kernel_info_request")["status"] == "ok"
    assert resident(pid, "VmHWM") - before < 4 * QUEUE
    client.close()
    gate.open()
    other.idle(running)
    assert other.value("6 * 7", within=BEHIND_SECONDS) == 42
    other.close()


@pytest.mark.parametrize(("size", "words"), [(SIZE, "MiB wait already"), (1, "50 requests wait already")])
@pytest.mark.parametrize("kind", ["execute_request", "complete_request"])
def test_who_sends_too_much_is_told_so_and_the_rest_runs(
    patient: Session, kind: str, size: int, words: str
) -> None:
    client = patient.client("ana")
    gate = Gate(patient.folder / f"gate-{kind}-{size}")
    running = client.start(gate.wait)
    sent = [client.send(kind, {"code": "#" * size, "cursor_pos": 1}) for _ in range(60)]
    client.until(lambda: client.replies, "a refusal")
    gate.open()
    client.finish(running)
    replies = [client.reply(each, BEHIND_SECONDS)["content"] for each in sent]
    refused = [reply["evalue"] for reply in replies if reply["status"] == "error"]
    assert refused
    assert all(words in each and "try: wait, or interrupt" in each for each in refused)
    assert sum(reply["status"] == "ok" for reply in replies) == len(sent) - len(refused) > 10
    client.close()


def test_cells_that_were_sent_before_an_error_was_known_do_not_run_however_many(flooded: Session) -> None:
    """More of them than ZeroMQ takes in at once: the rest is with the system, or still with their sender."""
    client = flooded.client("ana")
    client.do("ran = []")
    gate = Gate(flooded.folder / "gate-error")
    failing = client.start(f"{gate.wait}; 1 / 0")
    client.settle()
    pid = flooded.info()["pid"]
    os.kill(pid, signal.SIGSTOP)
    gate.open()
    cells = [client.start(f"ran.append({number})") for number in range(5 * ARRIVING)]
    client.wait_until_sent()
    os.kill(pid, signal.SIGCONT)
    assert client.finish(failing).status == "error"
    assert {client.finish(each).status for each in cells} == {"aborted"}
    assert client.value("ran") == []
    client.close()
