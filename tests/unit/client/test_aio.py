"""The asynchronous client at a kernel's sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

import pytest

from holdfast.client import catchup
from holdfast.client.aio import Client, Execution
from holdfast.client.catchup import Missed
from holdfast.client.ears import Ears
from holdfast.client.exchange import Incoming
from holdfast.errors import NoAnswer
from holdfast.protocol import connection
from kit.kernel import scratch
from kit.peer import Peer

SECONDS = 20.0


def connected(test: Callable[[Client, Peer], Awaitable[None]]) -> Callable[[Peer], None]:
    """Run the test in a loop of its own, with a connected client."""

    async def run(peer: Peer) -> None:
        async with asyncio.timeout(SECONDS), Client(peer.info, username="ana") as client:
            await test(client, peer)

    @wraps(test)
    def in_a_loop(peer: Peer) -> None:
        asyncio.run(run(peer))

    del in_a_loop.__wrapped__  # type: ignore[attr-defined] # pytest would look for its parameters
    return in_a_loop


async def text(run: Execution) -> str:
    return "".join([message.content.get("text", "") async for message in run])


async def heard(client: Client, kind: str) -> Incoming:
    while (message := await client.foreign.get()).msg_type != kind:
        pass
    return message


@connected
async def test_a_cell_gives_its_output_and_its_reply(client: Client, peer: Peer) -> None:
    run = client.execute("print hello")
    assert await text(run) == "hello"
    assert (await run.reply).content["status"] == "ok"
    assert run.done


@connected
async def test_cells_sent_at_once_keep_their_output_apart(client: Client, peer: Peer) -> None:
    runs = [client.execute(f"print {number}") for number in range(20)]
    assert await asyncio.gather(*map(text, runs)) == [str(number) for number in range(20)]


@connected
async def test_the_reply_and_the_output_can_be_awaited_at_the_same_time(client: Client, peer: Peer) -> None:
    run = client.execute("print hello")
    said, reply = await asyncio.gather(text(run), run.reply)
    assert (said, reply.content["status"]) == ("hello", "ok")


@connected
async def test_a_question_is_answered_while_other_things_go_on(client: Client, peer: Peer) -> None:
    asked = asyncio.Event()
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def on_input(prompt: str, password: bool) -> str:
        assert (prompt, password) == ("name?", False)
        asked.set()
        return await answer

    run = client.execute("ask name?", on_input=on_input)
    await asked.wait()
    assert (await client.request("kernel_info_request")).content["banner"] == "peer"
    answer.set_result("ana")
    assert await text(run) == "beforeana"


@connected
async def test_the_end_of_input_is_answered_as_jupyters_frontends_do(client: Client, peer: Peer) -> None:
    async def on_input(prompt: str, password: bool) -> str:
        raise EOFError

    assert await text(client.execute("ask name?", on_input=on_input)) == "before\x04"


@connected
async def test_a_question_is_taken_back_when_its_cell_is_interrupted(client: Client, peer: Peer) -> None:
    asked, taken_back = asyncio.Event(), asyncio.Event()

    async def on_input(prompt: str, password: bool) -> str:
        asked.set()
        try:
            return await asyncio.get_running_loop().create_future()
        finally:
            taken_back.set()

    run = client.execute("ask name?", on_input=on_input)
    await asked.wait()
    await client.interrupt()
    await taken_back.wait()
    assert (await run.reply).content["ename"] == "KeyboardInterrupt"


@connected
async def test_what_others_run_is_heard(client: Client, peer: Peer) -> None:
    async with Client(peer.info, username="bob") as bob:
        await bob.execute("print hello").reply
    message = await heard(client, "stream")
    assert message.content["text"] == "hello"
    assert not message.mine


@connected
async def test_a_request_without_an_answer_is_given_up(client: Client, peer: Peer) -> None:
    with pytest.raises(NoAnswer, match=r"no answer to history_request within 0\.05 s"):
        await client.request("history_request", timeout=0.05)


@connected
async def test_a_wait_that_is_cancelled_disturbs_nothing(client: Client, peer: Peer) -> None:
    run = client.execute("wait")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run.reply
    await client.interrupt()
    assert (await run.reply).content["ename"] == "KeyboardInterrupt"


class _Heard(Ears):
    def __init__(self) -> None:
        self.told: list[Missed] = []

    def missed(self, what: Missed) -> None:
        self.told.append(what)


def test_what_nobody_tells_of_a_gap_is_said_to_be_missing(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "ANSWER_SECONDS", 0.05)

    @connected
    async def gap(client: Client, _: Peer) -> None:
        client.hears = ears = _Heard()
        assert await text(client.execute("gap after")) == "beforeafter"
        assert ears.told == [Missed(unknown=True)]

    gap(peer)


@connected
async def test_a_kernel_that_vanishes_fails_what_is_open_and_is_told_once(client: Client, peer: Peer) -> None:
    waits, vanishes = client.execute("wait"), client.execute("vanish")
    with pytest.raises(NoAnswer, match="closed the connection"):
        await vanishes.reply
    with pytest.raises(NoAnswer, match="closed the connection"):
        await text(waits)
    await client.lost.wait()
    with pytest.raises(NoAnswer, match="no connection"):
        client.execute("print hello")


@connected
async def test_who_leaves_gets_no_answers_any_more(client: Client, peer: Peer) -> None:
    run = client.execute("wait")
    client.close()
    with pytest.raises(NoAnswer, match="this client has left"):
        await run.reply


def test_a_connection_file_that_nobody_serves_is_told_at_once() -> None:
    async def connect() -> None:
        await Client(connection.new_ipc(folder / "door")).connect(timeout=0.05)

    with scratch() as folder, pytest.raises(NoAnswer, match="nothing answers at ipc://"):
        asyncio.run(connect())
