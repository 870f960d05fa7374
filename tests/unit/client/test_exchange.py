"""Who gets which message, without a socket: the kernel's side is a Sender with the same key."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from holdfast.client.catchup import Ask, CatchUp
from holdfast.client.exchange import Channel, Exchange, Incoming, checked, execute_content
from holdfast.errors import HoldfastError, NoAnswer
from holdfast.protocol.codec import Receiver, Sender
from holdfast.protocol.connection import ConnectionInfo
from holdfast.protocol.messages import DELIMITER, Message
from holdfast.protocol.signing import Signer
from holdfast.settings import Wire

INFO = ConnectionInfo(key="secret")


class Kernel:
    """Reads what an exchange sends, and answers."""

    def __init__(self, key: bytes = b"secret") -> None:
        self._sender = Sender(Signer(key), "kernel", "kernel")
        self._receiver = Receiver(Signer(b"secret"), Wire())

    def read(self, frames: list[bytes]) -> Message:
        return self._receiver.receive(frames)

    def say(
        self, msg_type: str, content: object, *, to: Message | None, seq: int | None = None
    ) -> list[bytes]:
        metadata: dict[str, Any] = {} if seq is None else {"holdfast": {"epoch": 1, "seq": seq}}
        parent = b"{}" if to is None else to.header_raw
        return self._sender.frames(msg_type, content, parent=parent, metadata=metadata)

    def tell(self, msg_type: str, content: object, metadata: object) -> list[bytes]:
        return self._sender.frames(msg_type, content, metadata=metadata)

    def status(self, state: str, to: Message) -> list[bytes]:
        return self.say("status", {"execution_state": state}, to=to)


def published(text: str, *, seq: str) -> dict[str, Any]:
    """A message as `resume` tells it."""
    header = {"msg_id": f"r{seq}", "msg_type": "stream"}
    mark = {"holdfast": {"epoch": 1, "seq": int(seq)}}
    return {"header": header, "parent_header": {}, "metadata": mark, "content": {"text": text}}


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(INFO, "ana")


def feed(exchange: Exchange, channel: Channel, frames: list[bytes]) -> tuple[Incoming, object]:
    routed = exchange.feed(channel, frames)
    assert routed is not None
    return routed


def test_a_request_names_its_sender_and_says_what_was_asked(exchange: Exchange, kernel: Kernel) -> None:
    _, frames = exchange.begin("execute_request", execute_content("1"), until_idle=True)
    request = kernel.read(frames)
    assert (request.header.username, request.header.session) == ("ana", exchange.session)
    assert msgspec.json.decode(request.content_raw)["code"] == "1"


def test_a_cell_is_over_when_both_its_reply_and_its_idle_are_there(
    exchange: Exchange, kernel: Kernel
) -> None:
    for last in ("reply", "idle"):
        run, frames = exchange.begin("execute_request", {}, until_idle=True)
        request = kernel.read(frames)
        reply = kernel.say("execute_reply", {"status": "ok"}, to=request)
        idle = kernel.status("idle", request)
        first, second = [("shell", reply), ("iopub", idle)][:: 1 if last == "idle" else -1]
        feed(exchange, *first)  # type: ignore[arg-type]
        assert not run.done
        feed(exchange, *second)  # type: ignore[arg-type]
        assert run.done


def test_output_comes_in_order_and_to_its_own_cell(exchange: Exchange, kernel: Kernel) -> None:
    begun = [exchange.begin("execute_request", {}, until_idle=True) for _ in range(2)]
    requests = [kernel.read(frames) for _, frames in begun]
    for text in ("a", "b"):
        for request in requests:
            feed(exchange, "iopub", kernel.say("stream", {"text": text + request.header.msg_id}, to=request))
    for (run, _), request in zip(begun, requests, strict=True):
        texts = [message.content["text"] for message in run.inbox]
        assert texts == ["a" + request.header.msg_id, "b" + request.header.msg_id]


def test_what_others_run_is_foreign_and_not_mine(exchange: Exchange, kernel: Kernel) -> None:
    other = Exchange(INFO, "bob")
    _, frames = other.begin("execute_request", {}, until_idle=True)
    message, owner = feed(exchange, "iopub", kernel.say("stream", {"text": "x"}, to=kernel.read(frames)))
    assert owner is None
    assert not message.mine
    assert message.parent.username == "bob"


def test_late_output_of_a_cell_of_mine_is_foreign_but_mine(exchange: Exchange, kernel: Kernel) -> None:
    _, frames = exchange.begin("execute_request", {}, until_idle=True)
    request = kernel.read(frames)
    feed(exchange, "shell", kernel.say("execute_reply", {}, to=request))
    feed(exchange, "iopub", kernel.status("idle", request))
    message, owner = feed(exchange, "iopub", kernel.say("stream", {"text": "late"}, to=request))
    assert owner is None
    assert message.mine


def test_a_message_published_twice_is_seen_once(exchange: Exchange, kernel: Kernel) -> None:
    assert exchange.feed("iopub", kernel.say("stream", {"text": "x"}, to=None, seq=7))
    assert exchange.feed("iopub", kernel.say("stream", {"text": "x"}, to=None, seq=7)) is None
    assert exchange.feed("iopub", kernel.say("stream", {"text": "y"}, to=None, seq=8))
    assert exchange.position == (1, 8)


def test_what_comes_after_a_gap_waits_until_the_gap_is_filled(exchange: Exchange, kernel: Kernel) -> None:
    exchange.watchful = True
    assert exchange.feed("iopub", kernel.say("stream", {"text": "1"}, to=None, seq=1))
    assert exchange.feed("iopub", kernel.say("stream", {"text": "4"}, to=None, seq=4)) is None
    assert exchange.feed("iopub", kernel.say("stream", {"text": "5"}, to=None, seq=5)) is None
    assert exchange.torn
    assert exchange.missed()["after"] == 1
    told = {"epoch": 1, "seq": 4, "ended": [], "messages": [published(each, seq=each) for each in "234"]}
    texts = [message.content["text"] for message, _ in (*exchange.take_missed(told), *exchange.go_on())]
    assert texts == ["2", "3", "4", "5"]
    assert not exchange.torn


def test_nothing_waits_for_somebody_who_does_not_care_for_gaps(exchange: Exchange, kernel: Kernel) -> None:
    exchange.feed("iopub", kernel.say("stream", {"text": "1"}, to=None, seq=1))
    assert exchange.feed("iopub", kernel.say("stream", {"text": "4"}, to=None, seq=4))


def test_what_never_arrived_is_sent_again_with_the_key_that_counts_now(exchange: Exchange) -> None:
    run, frames = exchange.begin("execute_request", {"code": "1"}, until_idle=True)
    exchange.renew(ConnectionInfo(key="another"))
    (again,) = exchange.unsent([run.msg_id])
    assert again[2:] == frames[2:]
    assert Receiver(Signer(b"another"), Wire()).receive(again).header.msg_id == run.msg_id


def test_a_cell_that_was_taken_back_is_neither_asked_for_nor_sent(exchange: Exchange) -> None:
    kept, _ = exchange.begin("execute_request", execute_content("1"), until_idle=True)
    taken, _ = exchange.begin("execute_request", execute_content("2"), until_idle=True)
    taken.fail(NoAnswer("taken back"))
    assert exchange.missed()["waiting"] == [kept.msg_id]
    assert len(exchange.unsent([kept.msg_id, taken.msg_id])) == 1


def test_over_tcp_a_client_has_an_identity_that_is_not_published_and_stays_the_same() -> None:
    there = ConnectionInfo(ip="10.0.0.3", key="secret", curve_serverkey="k" * 40)
    exchange = Exchange(there, "ana")
    seat = exchange.seat
    exchange.renew(there)
    assert exchange.seat == seat != exchange.session.encode()


@pytest.mark.parametrize(("restart", "ended"), [(False, True), (True, False)])
def test_a_session_that_ends_has_said_so(
    exchange: Exchange, kernel: Kernel, restart: bool, ended: bool
) -> None:
    feed(exchange, "iopub", kernel.say("shutdown_reply", {"restart": restart}, to=None))
    assert exchange.ended == ended


def test_a_welcome_only_says_that_output_will_come(exchange: Exchange, kernel: Kernel) -> None:
    assert not exchange.joined
    assert exchange.feed("iopub", kernel.say("iopub_welcome", {"subscription": ""}, to=None)) is None
    assert exchange.joined


def test_a_kernel_with_another_key_is_not_believed(exchange: Exchange) -> None:
    assert exchange.feed("iopub", Kernel(b"other").say("stream", {"text": "x"}, to=None)) is None
    assert not exchange.joined
    assert "signature" in exchange.refused[-1].what


@pytest.mark.parametrize("frames", [[], [b""], [b"<IDS|MSG>", b"", b"{", b"{}", b"{}", b"{}"]])
def test_nonsense_disturbs_nobody(exchange: Exchange, frames: list[bytes]) -> None:
    assert exchange.feed("shell", frames) is None


def test_a_parent_that_is_no_header_is_nobodys(exchange: Exchange) -> None:
    parts = [b'{"msg_id":"1","msg_type":"stream"}', b'{"strange":1}', b"{}", b'{"text":"x"}']
    frames = [DELIMITER, Signer(b"secret").sign(*parts), *parts]
    message, owner = feed(exchange, "iopub", frames)
    assert owner is None
    assert message.parent.msg_id == ""


def test_what_does_not_fit_its_type_is_left_out_counted_and_told_once(
    exchange: Exchange, kernel: Kernel
) -> None:
    told: list[str] = []
    run, frames = exchange.begin("execute_request", {}, until_idle=True)
    request = kernel.read(frames)
    for content in ({"text": None}, {"text": 7}, {"name": "stdout"}, {"text": "x", "name": []}):
        assert exchange.feed("iopub", kernel.say("stream", content, to=request)) is None
        exchange.left_out.tell(told.append)
    feed(exchange, "iopub", kernel.say("stream", {"text": "fits"}, to=request))
    assert [message.content["text"] for message in run.inbox] == ["fits"]
    assert exchange.left_out.count == 4
    assert len(told) == 1
    assert "the session sent something that can't be shown: stream: " in told[0]


def test_what_is_left_out_was_still_heard(exchange: Exchange, kernel: Kernel) -> None:
    exchange.watchful = True
    assert exchange.feed("iopub", kernel.say("stream", {"text": "1"}, to=None, seq=1))
    assert exchange.feed("iopub", kernel.say("stream", {"text": 2}, to=None, seq=2)) is None
    assert exchange.feed("iopub", kernel.say("stream", {"text": "3"}, to=None, seq=3))
    assert not exchange.torn


@pytest.mark.parametrize(
    "mark", [[], 7, {"epoch": "x", "seq": 1}, {"epoch": 1, "seq": 10**40}, {"epoch": -1}]
)
def test_a_number_that_is_none_moves_nobody(exchange: Exchange, kernel: Kernel, mark: object) -> None:
    frames = kernel.tell("stream", {"text": "x"}, {"holdfast": mark})
    assert exchange.feed("iopub", frames)
    assert exchange.position == (0, 0)


@pytest.mark.parametrize("msg_type", ["execute_reply", "holdfast_info_reply", "strange", "stream"])
def test_instead_of_an_answer_that_fits_nothing_there_is_one_that_says_so(
    exchange: Exchange, kernel: Kernel, msg_type: str
) -> None:
    for asked in ("execute_request", "holdfast_info_request", "complete_request"):
        run, frames = exchange.begin(asked, {}, until_idle=False)
        content = {"status": "ok", "execution_count": "x", "matches": 7}
        feed(exchange, "shell", kernel.say(msg_type, content, to=kernel.read(frames)))
        assert run.reply is not None
        with pytest.raises(HoldfastError, match="the session's answer can't be understood: "):
            checked(run.reply)


def test_an_answer_of_an_older_session_is_made_whole(exchange: Exchange, kernel: Kernel) -> None:
    run, frames = exchange.begin("holdfast_clients_request", {}, until_idle=False)
    content = {"status": "ok", "clients": [{"name": "ana", "kind": "console", "newer": 1}]}
    feed(exchange, "control", kernel.say("holdfast_clients_reply", content, to=kernel.read(frames)))
    assert run.reply is not None
    (client,) = checked(run.reply)["clients"]
    assert (client["name"], client["session"], client["waiting"]) == ("ana", "", 0)


def test_of_the_past_what_fits_nothing_is_left_out(exchange: Exchange) -> None:
    good = published("good", seq="5")
    bad = [
        published("x", seq="1") | {"header": []},
        published("x", seq="2") | {"content": 7},
        published("x", seq="3") | {"metadata": "x"},
        published("x", seq="4") | {"content": {"text": []}},
    ]
    told = {"epoch": 1, "seq": 5, "ended": [], "messages": [*bad, good]}
    texts = [message.content["text"] for message, _ in exchange.take_missed(told)]
    assert texts == ["good"]
    assert exchange.left_out.count == 4


def test_a_question_waits_for_its_cells_owner_until_the_cell_is_over(
    exchange: Exchange, kernel: Kernel
) -> None:
    run, frames = exchange.begin("execute_request", {}, until_idle=True)
    request = kernel.read(frames)
    feed(exchange, "stdin", kernel.say("input_request", {"prompt": "name?"}, to=request))
    assert run.question is not None
    answer = kernel.read(exchange.say("input_reply", {"value": "ana"}, parent=run.question.header))
    assert msgspec.json.decode(answer.parent_raw)["msg_type"] == "input_request"
    feed(exchange, "shell", kernel.say("execute_reply", {"status": "error"}, to=request))
    assert run.question is None


def test_when_the_kernel_goes_every_open_request_fails_and_keeps_what_came(
    exchange: Exchange, kernel: Kernel
) -> None:
    run, frames = exchange.begin("execute_request", {}, until_idle=True)
    feed(exchange, "iopub", kernel.say("stream", {"text": "last words"}, to=kernel.read(frames)))
    exchange.fail(NoAnswer("gone"))
    assert run.done
    assert run.failure is not None
    assert [message.content["text"] for message in run.inbox] == ["last words"]


def test_what_comes_after_one_stopped_waiting_is_foreign(exchange: Exchange, kernel: Kernel) -> None:
    run, frames = exchange.begin("kernel_info_request", {}, until_idle=False)
    exchange.forget(run)
    _, owner = feed(exchange, "shell", kernel.say("kernel_info_reply", {}, to=kernel.read(frames)))
    assert owner is None
    assert run.reply is None


def test_a_refusal_is_an_error_in_the_kernels_words(exchange: Exchange, kernel: Kernel) -> None:
    content = {"status": "error", "ename": "X", "evalue": "can't"}
    message, _ = feed(exchange, "control", kernel.say("holdfast_stop_reply", content, to=None))
    with pytest.raises(HoldfastError, match="can't"):
        checked(message)


def test_a_silent_cell_is_kept_out_of_the_history_unless_one_says_otherwise() -> None:
    assert execute_content("1", silent=True)["store_history"] is False
    assert execute_content("1", silent=True, store_history=True)["store_history"] is True
    assert execute_content("1")["store_history"] is True


def test_what_waits_behind_a_gap_waits_on_when_the_supervisor_dies(
    exchange: Exchange, kernel: Kernel
) -> None:
    exchange.watchful = True
    texts: list[str] = []

    async def killed(_operation: str, **_asked: object) -> dict[str, Any]:
        exchange.pause(NoAnswer("the supervisor was killed"))
        raise NoAnswer("the supervisor was killed")

    async def answered(_operation: str, **asked: object) -> dict[str, Any]:
        assert asked["after"] == 1
        told = [published(each, seq=each) for each in "23"]
        return {"epoch": 1, "seq": 3, "ended": [], "messages": told, "more": False, "gap": 0, "unknown": []}

    def catch_up(ask: Ask) -> CatchUp:
        return CatchUp(
            exchange,
            ask,
            lambda *_: None,
            lambda message, _: texts.append(message.content.get("text", "")),
        )

    exchange.feed("iopub", kernel.say("stream", {"text": "1"}, to=None, seq=1))
    exchange.feed("iopub", kernel.say("stream", {"text": "4"}, to=None, seq=4))
    with pytest.raises(NoAnswer):
        asyncio.run(catch_up(killed).run())
    assert texts == []
    exchange.joined = True
    asyncio.run(catch_up(answered).run())
    assert texts == ["2", "3", "4"]


def test_what_waits_behind_a_gap_is_delivered_when_nobody_will_fill_it(
    exchange: Exchange, kernel: Kernel
) -> None:
    exchange.watchful = True
    texts: list[str] = []

    async def never(_operation: str, **_asked: object) -> dict[str, Any]:
        raise NoAnswer("it is gone")

    exchange.feed("iopub", kernel.say("stream", {"text": "1"}, to=None, seq=1))
    exchange.feed("iopub", kernel.say("stream", {"text": "4"}, to=None, seq=4))
    exchange.pause(NoAnswer("it is gone"))
    catch_up = CatchUp(
        exchange, never, lambda *_: None, lambda message, _: texts.append(message.content.get("text", ""))
    )
    catch_up.give_up(NoAnswer("it is gone"))
    assert texts == ["4"]
