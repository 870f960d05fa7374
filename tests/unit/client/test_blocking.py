"""The blocking client at a kernel's sockets."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from holdfast.client.blocking import Client, Execution
from holdfast.errors import HoldfastError, NoAnswer
from holdfast.protocol import connection
from kit.kernel import scratch
from kit.peer import Peer


@pytest.fixture
def client(peer: Peer) -> Iterator[Client]:
    with Client(peer.info, username="ana") as client:
        yield client


def text(run: Execution) -> str:
    return "".join(message.content.get("text", "") for message in run)


def test_a_cell_gives_its_output_and_its_reply(client: Client) -> None:
    run = client.execute("print hello")
    assert text(run) == "hello"
    assert run.reply().content["status"] == "ok"


def test_cells_sent_at_once_keep_their_output_apart(client: Client) -> None:
    runs = [client.execute(f"print {number}") for number in range(5)]
    assert [text(run) for run in reversed(runs)] == ["4", "3", "2", "1", "0"]


def test_a_failed_cell_ends_like_any_other(client: Client) -> None:
    run = client.execute("fail ValueError")
    assert [message.content["ename"] for message in run if message.msg_type == "error"] == ["ValueError"]
    assert run.reply().content["status"] == "error"


def test_a_question_is_asked_after_the_output_before_it(client: Client) -> None:
    seen: list[str] = []

    def answer(prompt: str, password: bool) -> str:
        seen.append(f"asked {prompt} {password}")
        return "ana"

    for message in client.execute("ask name?", on_input=answer):
        seen += [message.content["text"]] if message.msg_type == "stream" else []
    assert seen == ["before", "asked name? False", "ana"]


def test_the_end_of_input_is_answered_as_jupyters_frontends_do(client: Client) -> None:
    def answer(prompt: str, password: bool) -> str:
        raise EOFError

    assert text(client.execute("ask name?", on_input=answer)) == "before\x04"


def test_without_somebody_to_answer_a_question_is_an_error(client: Client) -> None:
    assert client.execute("ask name?").reply().content["ename"] == "StdinNotImplementedError"


def test_what_others_run_is_heard(client: Client, peer: Peer) -> None:
    with Client(peer.info, username="bob") as bob:
        bob.execute("print hello").reply()
    while not any(message.msg_type == "stream" for message in client.foreign):
        client.listen(None)
    (message,) = [message for message in client.foreign if message.msg_type == "stream"]
    assert not message.mine


def test_an_interrupt_ends_what_runs(client: Client) -> None:
    run = client.execute("wait")
    client.interrupt()
    assert run.reply().content["ename"] == "KeyboardInterrupt"


def test_ctrl_c_breaks_the_waiting_and_one_may_wait_again(client: Client) -> None:
    run = client.execute("wait")
    waiting = iter(run)
    assert next(waiting).msg_type == "status"
    # Delivered as soon as the wait is a system call, or before: it must not get lost either way.
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        next(waiting)
    client.interrupt()
    assert run.reply().content["ename"] == "KeyboardInterrupt"


def test_a_request_without_an_answer_is_given_up(client: Client) -> None:
    with pytest.raises(NoAnswer, match=r"no answer to history_request within 0\.05 s"):
        client.request("history_request", timeout=0.05)


def test_a_kernel_that_vanishes_is_noticed_and_what_it_said_is_kept(client: Client) -> None:
    waits, vanishes = client.execute("wait"), client.execute("vanish")
    with pytest.raises(NoAnswer, match="closed the connection"):
        vanishes.reply()
    with pytest.raises(NoAnswer, match="closed the connection"):
        list(waits)
    assert client.lost
    with pytest.raises(NoAnswer, match="no connection"):
        client.execute("print hello")


def test_operations_the_kernel_does_not_know_are_given_up(client: Client) -> None:
    assert client.request("kernel_info_request", channel="control").content["banner"] == "peer"
    with pytest.raises(HoldfastError):
        client.request("holdfast_info_request", channel="control", timeout=0.05)


def test_a_connection_file_that_nobody_serves_is_told_at_once() -> None:
    with scratch() as folder, pytest.raises(NoAnswer, match="nothing answers at ipc://"):
        Client(connection.new_ipc(folder / "door")).connect(timeout=0.05)
