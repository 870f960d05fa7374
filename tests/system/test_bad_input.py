"""What is not a proper request is refused, or answered with an error; nobody else notices.

A rogue client sends it while a good client's cell runs. The good cell must end as if nothing had been sent,
and the good client must be served afterwards. What can't be trusted (no signature, wrong signature, replayed)
is refused without an answer; what is signed and makes no sense is answered with `status: error`.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import COMMAND, END_SECONDS, HOLDFAST, Kernel, environment, only_holdfast, running, scratch
from kit.processes import kill, left_over
from kit.wire import Client, beat, url

Frames = list[bytes]

DELIMITER = b"<IDS|MSG>"

MEBIBYTE = 1024 * 1024


class Forge:
    """Makes messages by hand, good in every part that is not asked to be bad."""

    def __init__(self, client: Client) -> None:
        self._key = client.info["key"].encode()
        self._session = client.session
        self._numbers = iter(range(10**6))

    def header(self, msg_type: str = "kernel_info_request", **fields: Any) -> dict[str, Any]:
        header = {
            "msg_id": f"{self._session.session}-forged-{next(self._numbers)}",
            "msg_type": msg_type,
            "session": self._session.session,
            "username": "rogue",
            "date": "2026-01-01T00:00:00.000000Z",
            "version": "5.5",
        }
        return {name: value for name, value in (header | fields).items() if value is not ...}

    def signed(self, *parts: bytes, buffers: Frames | None = None, key: bytes | None = None) -> Frames:
        """A message of these parts, whatever they are, with the signature that belongs to them."""
        digest = hmac.new(self._key if key is None else key, b"".join(parts), hashlib.sha256)
        return [DELIMITER, digest.hexdigest().encode(), *parts, *(buffers or [])]

    def message(
        self, header: Any = None, content: Any = None, metadata: Any = None, parent: Any = None
    ) -> Frames:
        given = (self.header() if header is None else header, parent, metadata, content)
        return self.signed(*(part if isinstance(part, bytes) else _json(part) for part in given))


def _json(value: Any) -> bytes:
    return json.dumps({} if value is None else value).encode()


@pytest.fixture
def rogue(shared: Kernel) -> Iterator[Client]:
    """The client that misbehaves."""
    client = shared.client("rogue")
    yield client
    client.close()


@pytest.fixture
def forge(rogue: Client) -> Forge:
    return Forge(rogue)


@pytest.fixture
def undisturbed(shared: Kernel, guest: Client, folder: Path) -> Iterator[Callable[[], None]]:
    """A good client's cell runs while the test does its worst; in the end everything is as it should be."""
    gate = Gate(folder / "gate")
    guest.do("total = 0")
    running_cell = guest.start(f"print('before', flush=True); {gate.wait}; total += 1; print('after')")
    guest.text(running_cell, "before")
    opened = False

    def finish() -> None:
        nonlocal opened
        opened = True
        gate.open()
        cell = guest.finish(running_cell)
        assert (cell.status, cell.text()) == ("ok", "before\nafter\n")
        assert guest.value("total") == 1
        assert beat(shared.info) == b"ping"
        assert guest.ask("kernel_info_request", {}, "control")["status"] == "ok"

    yield finish
    if not opened:  # the test failed before its end: its kernel can end in order
        gate.open()


# --- refused without an answer


def _flip(signature: bytes) -> bytes:
    return (b"0" if signature[:1] != b"0" else b"1") + signature[1:]


UNTRUSTED: dict[str, Callable[[Forge], Frames]] = {
    "nothing": lambda _: [b""],
    "no delimiter": lambda f: f.message()[1:],
    "delimiter alone": lambda _: [DELIMITER],
    "delimiter and signature": lambda f: f.message()[:2],
    "one part missing": lambda f: f.message()[:5],
    "noise": lambda _: [bytes(range(256))] * 6,
    "noise after the delimiter": lambda _: [DELIMITER, *[bytes(range(256))] * 5],
    "two delimiters": lambda f: [DELIMITER, *f.message()],
    "empty signature": lambda f: [DELIMITER, b"", *f.message()[2:]],
    "half a signature": lambda f: [DELIMITER, f.message()[1][:32], *f.message()[2:]],
    "another key's signature": lambda f: f.signed(_json(f.header()), b"{}", b"{}", b"{}", key=b"guessed"),
    "no key's signature": lambda f: f.signed(_json(f.header()), b"{}", b"{}", b"{}", key=b""),
    "a signature of other parts": lambda f: [DELIMITER, f.message()[1], *f.message()[2:]],
    "one digit flipped": lambda f: [DELIMITER, _flip((m := f.message())[1]), *m[2:]],
    "a signature that is no text": lambda f: [DELIMITER, b"\xff" * 64, *f.message()[2:]],
    "a content changed after signing": lambda f: [*f.message()[:5], b'{"code": "stolen = 1"}'],
    "a header that is no JSON": lambda f: f.message(header=b"{not json"),
    "a header that is no object": lambda f: f.message(header=["msg_id"]),
    "a header in bytes that are no UTF-8": lambda f: f.message(header=b'{"msg_id": "\xff\xfe"}'),
    "a header without an id": lambda f: f.message(header=f.header(msg_id=...)),
    "a header without a type": lambda f: f.message(header=f.header(msg_type=...)),
    "an id that is a number": lambda f: f.message(header=f.header(msg_id=7)),
    "a type that is null": lambda f: f.message(header=f.header(msg_type=None)),
    "a header nested without end": lambda f: f.message(header=b"[" * 100_000 + b"]" * 100_000),
}


@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
@pytest.mark.parametrize("bad", UNTRUSTED.values(), ids=UNTRUSTED.keys())
def test_what_cannot_be_trusted_is_refused(
    rogue: Client, forge: Forge, undisturbed: Callable[[], None], bad: Callable[[Forge], Frames], channel: str
) -> None:
    if bad is UNTRUSTED["an id that is a number"] and not HOLDFAST:
        pytest.skip("ipykernel takes any id")
    rogue.send_frames(bad(forge), channel)
    rogue.ask("kernel_info_request", {}, "control")
    undisturbed()
    rogue.settle()  # answers come in the order of the requests: none came for what was sent before
    assert set(rogue.replies) <= rogue.sent, "only what was asked properly is answered"


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_a_replayed_cell_does_not_run_again(rogue: Client, forge: Forge, guest: Client, channel: str) -> None:
    guest.do("runs = 0")
    content = {"code": "runs += 1", "silent": True}
    header = forge.header("execute_request")
    frames = forge.message(header=header, content=content)
    for _ in range(3):
        rogue.send_frames(frames, channel)
    rogue.reply(header["msg_id"])
    rogue.ask("kernel_info_request", {}, channel)  # behind all three
    assert guest.value("runs") == 1


def test_a_message_as_large_as_memory_is_refused(
    rogue: Client, forge: Forge, undisturbed: Callable[[], None]
) -> None:
    limit = 64 * MEBIBYTE
    code = "#" * (limit if HOLDFAST else MEBIBYTE)
    rogue.send_frames(forge.message(forge.header("execute_request"), {"code": code, "silent": True}))
    undisturbed()


def test_many_frames_are_refused_or_ignored(
    rogue: Client, forge: Forge, undisturbed: Callable[[], None]
) -> None:
    rogue.send_frames([*forge.message(), *[b""] * 10_000])
    rogue.send_frames([*[b"id"] * 10_000, *forge.message()])
    undisturbed()


# --- answered with an error


def _nested(depth: int) -> bytes:
    return b'{"code": ' + b"[" * depth + b"]" * depth + b"}"


SENSELESS: dict[str, tuple[str, Any]] = {
    "execute without code": ("execute_request", {"silent": False}),
    "code that is a number": ("execute_request", {"code": 5}),
    "code that is null": ("execute_request", {"code": None}),
    "silent that is text": ("execute_request", {"code": "1", "silent": "yes"}),
    "user expressions that are a list": ("execute_request", {"code": "1", "user_expressions": ["1"]}),
    "a user expression that is a number": ("execute_request", {"code": "1", "user_expressions": {"a": 1}}),
    "completion without a position": ("complete_request", {"code": "x"}),
    "a position that is text": ("complete_request", {"code": "x", "cursor_pos": "1"}),
    "a position below zero": ("complete_request", {"code": "x", "cursor_pos": -1}),
    "a position that is too large for C": ("complete_request", {"code": "x", "cursor_pos": 10**30}),
    "inspection without code": ("inspect_request", {"cursor_pos": 0}),
    "a detail level that is a list": ("inspect_request", {"code": "x", "cursor_pos": 1, "detail_level": []}),
    "completeness of nothing": ("is_complete_request", {}),
    "history of an unknown kind": ("history_request", {"hist_access_type": "sideways"}),
    "history with text for a number": ("history_request", {"hist_access_type": "tail", "n": "many"}),
    "a pattern that is a number": ("history_request", {"hist_access_type": "search", "pattern": 1}),
    "a target that is a number": ("comm_info_request", {"target_name": 5}),
    "an unknown request": ("unheard_of_request", {}),
    "a reply": ("execute_reply", {"status": "ok"}),
    "an operation that there is not": ("holdfast_unheard_of_request", {}),
    "a type that is a path": ("../../execute_request", {"code": "1"}),
    "a shutdown that does not say what for": ("shutdown_request", {"restart": "perhaps"}),
}


UNREADABLE: dict[str, tuple[str, bytes]] = {
    "a content that is a list": ("kernel_info_request", b"[]"),
    "a content that is no JSON": ("kernel_info_request", b"{no json"),
    "a content that ends early": ("execute_request", b'{"code": "1'),
    "a content in bytes that are no UTF-8": ("execute_request", b'{"code": "\xff\xfe"}'),
    "a content with half a character": ("execute_request", b'{"code": "\xe2\x82"}'),
    "a content that is not a number": ("execute_request", b'{"code": NaN}'),
    "a content nested without end": ("execute_request", _nested(100_000)),
    "a content nested without end where nobody looks": (
        "kernel_info_request",
        b'{"unused": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ),
    "an empty content": ("execute_request", b""),
}


def is_request(msg_type: str) -> bool:
    return msg_type.endswith("_request") and "unheard" not in msg_type and "/" not in msg_type


@only_holdfast
@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize(("msg_type", "content"), SENSELESS.values(), ids=SENSELESS.keys())
def test_what_makes_no_sense_is_answered_with_an_error(
    rogue: Client,
    forge: Forge,
    undisturbed: Callable[[], None],
    msg_type: str,
    content: Any,
    channel: str,
) -> None:
    header = forge.header(msg_type)
    rogue.send_frames(forge.message(header, content), channel)
    if is_request(msg_type):
        reply = rogue.reply(header["msg_id"])
        assert reply["msg_type"] == msg_type.replace("_request", "_reply")
        assert reply["content"]["status"] == "error"
        assert {"ename", "evalue", "traceback"} <= set(reply["content"])
    states = [m["content"] for m in rogue.idle(header["msg_id"]) if m["msg_type"] == "status"]
    assert [state["execution_state"] for state in states] == ["busy", "idle"]
    undisturbed()


@only_holdfast
@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize(("msg_type", "content"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_refused_or_answered_with_an_error(
    rogue: Client,
    forge: Forge,
    undisturbed: Callable[[], None],
    msg_type: str,
    content: bytes,
    channel: str,
) -> None:
    header = forge.header(msg_type)
    rogue.send_frames(forge.message(header, content), channel)
    rogue.ask("kernel_info_request", {}, channel)
    undisturbed()
    if header["msg_id"] in rogue.replies:
        assert rogue.replies[header["msg_id"]]["content"]["status"] == "error"


ODD_PARTS: dict[str, tuple[Any, Any]] = {
    "metadata that is a list": ([], {}),
    "metadata that is no JSON": (b"{", {}),
    "a parent that is a list": ({}, []),
    "a parent that is no JSON": ({}, b"{"),
    "metadata nested without end": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, {}),
}


@only_holdfast
@pytest.mark.parametrize(("metadata", "parent"), ODD_PARTS.values(), ids=ODD_PARTS.keys())
def test_odd_metadata_and_parents_do_no_harm(
    rogue: Client, forge: Forge, undisturbed: Callable[[], None], metadata: Any, parent: Any
) -> None:
    header = forge.header()
    rogue.send_frames(forge.message(header, {}, metadata, parent))
    undisturbed()
    rogue.settle()
    assert rogue.replies.get(header["msg_id"], {"content": {"status": "error"}})["content"]["status"] in {
        *("ok", "error"),
    }


@only_holdfast
@pytest.mark.parametrize("number", [b"-1e999", b"1" * 5000], ids=["no float", "no int"])
def test_a_cell_is_not_at_fault_for_numbers_beyond_all_bounds_beside_it(
    rogue: Client, forge: Forge, number: bytes
) -> None:
    header = forge.header("execute_request")
    content = {"code": "print(get_ipython().kernel.get_parent()['metadata']['far'])", "silent": False}
    rogue.send_frames(forge.message(header, content, b'{"far":%b}' % number))
    assert rogue.reply(header["msg_id"])["content"]["status"] == "ok"
    rogue.text(header["msg_id"], "inf")


def test_unknown_fields_are_nobodys_business(rogue: Client, forge: Forge) -> None:
    header = forge.header("execute_request", subshell_id=None, future={"deep": [1]})
    content = {"code": "6 * 7", "silent": False, "from_the_future": {"x": [1, 2]}}
    rogue.send_frames(forge.message(header, content, {"cellId": "abc", "tags": []}))
    assert rogue.reply(header["msg_id"])["content"]["status"] == "ok"


@only_holdfast
def test_an_unknown_subshell_is_an_error(
    rogue: Client, forge: Forge, undisturbed: Callable[[], None]
) -> None:
    header = forge.header("execute_request", subshell_id="no-such-subshell")
    rogue.send_frames(forge.message(header, {"code": "1"}))
    assert rogue.reply(header["msg_id"])["content"]["status"] == "error"
    undisturbed()


# --- other roads


NOISE = [b"", b"\x07", b"\x00never subscribed", b"\x00", b"\x01" * 1000, b"\x01\xff\xfe"]


@pytest.mark.parametrize("noise", NOISE)
def test_noise_on_iopub_disturbs_nobody(
    shared: Kernel, undisturbed: Callable[[], None], noise: bytes
) -> None:
    """Whoever reaches the socket can send to it, without a key. Old and new clients hear all the same."""
    with zmq.Context() as context, context.socket(zmq.XSUB) as socket:
        socket.linger = 5000
        socket.connect(url(shared.info, "iopub"))
        for _ in range(20):
            socket.send(noise)
    undisturbed()
    late = shared.client("late")
    assert late.do("print('heard')").text() == "heard\n"
    late.close()


def test_a_thousand_subscriptions_disturb_nobody(shared: Kernel, undisturbed: Callable[[], None]) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.connect(url(shared.info, "iopub"))
        for number in range(1000):
            socket.subscribe(f"topic {number}".encode())
        undisturbed()


def test_an_answer_that_nobody_asked_for_is_dropped(
    rogue: Client, forge: Forge, undisturbed: Callable[[], None]
) -> None:
    for content in ({"value": "unasked"}, {"value": 5}, {}, b"[1", b"\xff"):
        rogue.send_frames(forge.message(forge.header("input_reply"), content), "stdin")
    rogue.settle() if HOLDFAST else None
    undisturbed()
    assert rogue.run("input()", ["asked for"]).result == "'asked for'"


@only_holdfast
def test_nobody_else_can_answer_a_prompt(shared: Kernel, rogue: Client, forge: Forge, guest: Client) -> None:
    msg_id = guest.start("input('mine ')", allow_stdin=True)
    guest.prompt()
    rogue.send_frames(forge.message(forge.header("input_reply"), {"value": "stolen"}), "stdin")
    rogue.settle()
    guest.answer("given")
    assert guest.finish(msg_id).result == "'given'"


@only_holdfast
def test_a_malformed_answer_leaves_the_prompt_to_a_better_one(guest: Client) -> None:
    msg_id = guest.start("input('again ')", allow_stdin=True)
    guest.prompt()
    forge = Forge(guest)
    for content in ({"value": 5}, {}, b"{"):
        guest.send_frames(forge.message(forge.header("input_reply"), content), "stdin")
    guest.settle()
    guest.answer("good")
    assert guest.finish(msg_id).result == "'good'"


def test_bytes_that_are_no_zmq_disturb_nobody() -> None:
    with running(transport="tcp") as kernel:
        client = kernel.client()
        client.do("kept = 5")
        for channel in ("shell", "control", "iopub", "stdin", "hb"):
            for noise in (
                b"",
                b"GET / HTTP/1.1\r\n\r\n",
                b"\xff" + bytes(63),
                b"\xff\x00" * 5000,
                b"\x01\xff",
            ):
                address = (kernel.info["ip"], kernel.info[f"{channel}_port"])
                with socket.create_connection(address, timeout=5) as raw, contextlib.suppress(OSError):
                    raw.sendall(noise)
        assert client.value("kept") == 5
        assert beat(kernel.info) == b"ping"


@only_holdfast
def test_a_flood_of_bad_messages_leaves_room_for_good_ones(
    shared: Kernel, forge: Forge, undisturbed: Callable[[], None]
) -> None:
    with contextlib.closing(Client(shared.info, "flood")) as flood:
        for _ in range(3000):
            flood.send_frames([DELIMITER, b"0" * 64, b"{}", b"{}", b"{}", b"{}"])
            flood.send_frames(forge.message(forge.header("execute_request"), {"code": 1}))
        undisturbed()


BAD_FILES = ["", "[]", "{", '{"key": 5}', '{"transport": "carrier pigeon"}', "{}"]


@only_holdfast
@pytest.mark.parametrize("content", BAD_FILES)
def test_a_launcher_refuses_a_bad_connection_file_in_words(folder: Path, content: str) -> None:
    file = folder / "kernel.json"
    file.write_text(content)
    file.chmod(0o600)
    mark = secrets.token_hex(8)
    with scratch() as home:
        done = subprocess.run(
            [*COMMAND, str(file)],
            env=environment(home, mark),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        left = left_over(mark, Deadline(END_SECONDS))
        kill(mark)
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    assert str(file) in done.stderr
    assert left == {}, "a session without a door is nobody's"
