"""What strangers and guests with bad intentions try at the door over TCP. Accepted: nothing."""

from __future__ import annotations

import json
import os
import select
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import zmq

from holdfast import settings
from holdfast.access.doorman import Doorman
from holdfast.access.sockets import Sockets
from holdfast.protocol.connection import ConnectionInfo
from kit.abroad import NAME, Host, Keys, host, knock, new_keys
from kit.deadline import Deadline
from kit.kernel import CHANNELS
from kit.processes import from_now_on, resident
from kit.strangers import Strangers
from kit.wire import WITHIN, Client, Silence

QUIET_MS = 300
QUIET_SECONDS = QUIET_MS / 1000
SECRET = "a text that nobody else may read"

FRAME = 1024 * 1024
"""`listen.max_bytes`: so much may each connection cost before it is known whose it is."""

ALLOWANCE = 32 * 1024 * 1024
"""Beyond that, for all of them."""

ENDLESS = 8_000
"""Frames of half that size: four gigabytes, of which a process without bounds keeps all."""

ENDLESS_COSTS = 2_048 * FRAME
"""`wire.max_bytes` (64 MiB), and what comes until somebody looks (`listen.look_seconds`): on this host's own
interface a gigabyte a second, and on a busy machine somebody looks later."""

UNKNOWN = 200
"""Connections of people without a key, at the same time."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    with host() as made:
        yield made


@pytest.fixture
def there() -> Iterator[Host]:
    with host() as made:
        yield made


def is_untouched(there: Host) -> bool:
    """Whether no cell of an intruder has run, and all is as it should be."""
    return there.guest("ana").do("'intruder' in globals()").result == "False"


# --- without a key


@pytest.mark.parametrize("how", ["no keys", "wrong server", "unlisted"])
def test_who_has_no_key_reads_nothing_and_is_not_heard(shared: Host, how: str) -> None:
    ana, info = shared.guest("ana"), shared.info(new_keys())
    if how == "wrong server":
        info["curve_serverkey"] = new_keys().public
    with zmq.Context() as context, ExitStack() as opened:
        poller = zmq.Poller()
        for channel in CHANNELS:
            sock = opened.enter_context(context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER))
            sock.linger = 0
            if how != "no keys":
                for name in ("serverkey", "publickey", "secretkey"):
                    setattr(sock, f"curve_{name}", info[f"curve_{name}"].encode())
            if channel == "iopub":
                sock.subscribe(b"")
            sock.connect(f"tcp://127.0.0.1:{info[f'{channel}_port']}")
            if channel != "iopub":
                message = ana.session.msg("execute_request", {"code": "intruder = True"})
                with suppress(zmq.Again):  # it is turned away already
                    sock.send_multipart(ana.session.serialize(message), zmq.NOBLOCK)
            poller.register(sock, zmq.POLLIN)
        ana.do(f"print({SECRET!r})")
        assert poller.poll(QUIET_MS) == []
    assert is_untouched(shared)


def spoken(base: int, *pieces: bytes) -> bytes:
    """What the door says to somebody who says these, one after the other, until it hangs up or is silent."""
    heard = b""
    with socket.create_connection(("127.0.0.1", base)) as sock:
        with suppress(OSError):  # it has hung up already
            for piece in pieces:
                sock.sendall(piece)
        deadline = Deadline(2)
        while not deadline.passed and select.select([sock], [], [], QUIET_SECONDS)[0]:
            try:
                got = sock.recv(65536)
            except ConnectionResetError:
                break
            heard += got
            if not got:
                break
    return heard


GREETING = b"\xff" + b"\0" * 8 + b"\x7f"
NULL = GREETING + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" * 32
HUNG_UP = "Broken pipe|reset by peer"
CURVE = GREETING + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + b"\0" * 32
PLAIN = GREETING + b"\x03\x00" + b"PLAIN".ljust(20, b"\0") + b"\0" * 32


# Of ZMTP 1.0, 2.0 and 3.0: who one is, and a subscription to all; with the bytes to be heard before going on.
READERS = {
    "v1": ((b"\x01\x00", 1), (b"\x02\x00\x01", 1)),
    "v2": ((GREETING[:10] + b"\x01\x02", 12), (b"\x00\x00", 14), (b"\x00\x01\x01", 14)),
    "null": ((NULL, 64), (b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB", 65), (b"\x00\x01\x01", 65)),
}


def read_politely(port: int, steps: Sequence[tuple[bytes, int]], until: bytes) -> bytes:
    """What a subscriber hears, who waits for what he is told."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.settimeout(WITHIN)
        for piece, awaited in steps:
            sock.sendall(piece)
            while len(heard) < awaited:
                heard += sock.recv(65536)
        while until not in heard:
            heard += sock.recv(65536)
    return heard


@pytest.mark.parametrize("steps", READERS.values(), ids=READERS)
def test_these_read_what_a_socket_without_encryption_publishes(steps: Sequence[tuple[bytes, int]]) -> None:
    """So where they hear nothing, it is because of the door."""
    with zmq.Context() as context, context.socket(zmq.XPUB) as open_to_all:
        open_to_all.linger = 0
        port = open_to_all.bind_to_random_port("tcp://127.0.0.1")
        heard: list[bytes] = []
        secret = SECRET.encode()
        listening = threading.Thread(target=lambda: heard.append(read_politely(port, steps, secret)))
        listening.start()
        assert open_to_all.poll(WITHIN * 1000)
        assert open_to_all.recv() == b"\x01"
        open_to_all.send(secret)
        listening.join()
        assert secret in heard[0]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(
    "pieces",
    [
        *(tuple(piece for piece, _ in steps) for steps in READERS.values()),
        (PLAIN, b"\x04\x10\x05HELLO\x04root\x04root"),
        (b"GET / HTTP/1.1\r\n\r\n",),
        (b"SSH-2.0-x\r\n",),
    ],
    ids=[*READERS, "plain", "http", "ssh"],
)
def test_an_older_protocol_or_a_weaker_mechanism_opens_nothing(
    shared: Host, pieces: tuple[bytes, ...], number: int
) -> None:
    ana = shared.guest("ana")
    heard: list[bytes] = []
    listening = threading.Thread(target=lambda: heard.append(spoken(shared.base + number, *pieces)))
    listening.start()
    while listening.is_alive():
        ana.do(f"print({SECRET!r})")
    listening.join()
    # What it may say is who it is not: its own greeting, which names its mechanism.
    assert SECRET.encode() not in heard[0]
    assert len(heard[0]) <= 64 + 2
    assert b"READY" not in heard[0]


def push(sock: socket.socket, greeting: bytes, frame: bytes) -> None:
    """Send such frames for ever."""
    sock.settimeout(WITHIN)
    sock.sendall(greeting)
    while True:
        sock.sendall(frame)


def test_frames_without_end_of_somebody_without_a_key_are_not_kept(there: Host) -> None:
    """With a key, too, a message is not heard before its last frame: none may begin one unknown."""
    pid = there.supervisor()
    before = from_now_on(pid)
    frame = b"\x03" + (65_536).to_bytes(8) + b"x" * 65_536  # more will come
    for greeting in (CURVE, NULL):
        with (
            socket.create_connection(("127.0.0.1", there.base)) as sock,
            pytest.raises(OSError, match=HUNG_UP),
        ):
            push(sock, greeting, frame)
    assert resident(pid, "VmHWM") - before < 2 * FRAME


def test_while_nobody_answers_who_comes_in_no_key_is_good_enough() -> None:
    server, client = new_keys(), new_keys()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        asked = ConnectionInfo(
            ip="127.0.0.1", key="k", curve_publickey=server.public, curve_secretkey=server.secret
        )
        door = Sockets(Path("tcp.json"), asked, context, settings.Wire(), settings.Listen())
        info = {"ip": "127.0.0.1", "control_port": door.info.control_port, "curve_serverkey": server.public}
        info |= {"curve_publickey": client.public, "curve_secretkey": client.secret}
        assert knock(info, within=QUIET_SECONDS) != "SUCCEEDED"
        doorman = Doorman(context)  # now there is one, who does not answer
        assert knock(info, within=QUIET_SECONDS) != "SUCCEEDED"
        over = threading.Event()  # now he does, and nobody has told him of that domain
        answering = threading.Thread(target=lambda: _answer_until(doorman, over))
        answering.start()
        became = knock(info)
        over.set()
        answering.join()
        assert became == "refused"
        door.close()
    finally:
        context.destroy(linger=0)


def _answer_until(doorman: Doorman, over: threading.Event) -> None:
    while not over.is_set():
        if doorman.socket.poll(50):
            doorman.answer()


def test_two_hundred_strangers_who_push_data_cost_little_and_disturb_nobody(there: Host) -> None:
    pid, ana = there.supervisor(), there.guest("ana")
    ana.do("1")
    before = from_now_on(pid)
    with Strangers(there.base, UNKNOWN, FRAME) as strangers:
        assert are_undisturbed(ana, strangers)
    assert resident(pid, "VmHWM") - before < settings.Listen().strangers * FRAME + ALLOWANCE
    assert there.guest("zoe").do("1").result == "1"


def test_an_address_from_which_nothing_good_comes_is_shut_out_and_others_are_not(there: Host) -> None:
    """Those of it who are closed come again at once, some thousands of times a second."""
    ana = there.guest("ana")
    with Strangers(there.base, UNKNOWN, FRAME, elsewhere(), again=True) as strangers:
        strangers.turn()
        deadline = Deadline(WITHIN)
        while f"{elsewhere()} is shut out" not in there.said() and not deadline.passed:
            ana.do("1")
        made = strangers.turn()
        assert are_undisturbed(ana, strangers)
        assert strangers.turn() - made <= 10 * UNKNOWN  # who waits for an answer, and hears none
    assert there.guest("zoe").do("1").result == "1"


def test_of_one_address_only_some_may_stand_there_and_the_rest_are_hung_up_on(shared: Host) -> None:
    most = settings.Listen().strangers_each
    assert shared.key  # asked for now: from the first connection on there is little time
    with ExitStack() as opened:
        come = [
            opened.enter_context(socket.create_connection(("127.0.0.1", shared.base + number % 5)))
            for number in range(3 * most)
        ]
        deadline = Deadline(settings.Listen().handshake_seconds - 1)  # then libzmq hangs up on all
        while sum(map(_is_over, come)) < 2 * most:
            assert not deadline.passed
            select.select([each for each in come if not _is_over(each)], [], [], deadline.left())
        assert shared.guest("ana").do("1").result == "1"
        assert sum(map(_is_over, come)) <= 2 * most + 5, "as many as she needs"


def _is_over(sock: socket.socket) -> bool:
    try:
        while sock.recv(4096, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return False
    except ConnectionResetError:
        pass
    return True


def elsewhere() -> str:
    """An address of this host that is not of the loopback interface: asked of the system, nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this host has no network")
        return str(asking.getsockname()[0])


def are_undisturbed(client: Client, strangers: Strangers) -> bool:
    """Whether the median of round trips while they push is less than twice that while they pause.

    Taken by turns. What a busy machine adds, it adds to some tries; what is true, all of them show.
    """
    return any(_factor(client, strangers) < 2 for _ in range(4))


def _factor(client: Client, strangers: Strangers) -> float:
    alone, beside = [], []
    for _ in range(2):
        alone += _round_trips(client)
        strangers.turn()
        beside += _round_trips(client)
        strangers.turn()
    return statistics.median(beside) / statistics.median(alone)


def _round_trips(client: Client, count: int = 100) -> list[float]:
    times = []
    for _ in range(count):
        begun = time.monotonic()
        client.ask("kernel_info_request")
        times.append(time.monotonic() - begun)
    return times


def test_a_stranger_who_says_nothing_is_let_go(shared: Host) -> None:
    with socket.create_connection(("127.0.0.1", shared.base)) as sock:
        sock.settimeout(20)
        while sock.recv(65536):  # its greeting; then, after `listen.handshake_seconds`, the end
            pass


# --- with a key, and bad intentions


def is_heard(client: Client, **header: str) -> bool:
    """Whether somebody is answered: one who is not heard can't be told so."""
    try:
        client.reply(client.send("kernel_info_request", header=header), QUIET_SECONDS)
    except Silence:
        return False
    return True


def test_nobody_takes_anothers_answers_by_his_identity(there: Host) -> None:
    """Of ZeroMQ's sockets the last one with an identity has it; with `header.session` everybody could."""
    ana = there.guest("ana")
    ana.do("x = 1")
    seen = ana.session.session  # it stands in all that is published
    thief = there.guest("bo", identity=seen.encode())
    for _ in range(20):
        assert ana.do("x").result == "1"  # each with its reply
    assert not thief.sockets["shell"].poll(0), "nothing has come to who has taken that name"
    thief.session.session = seen
    assert not is_heard(thief)
    assert ana.do("x").result == "1"


def test_who_has_an_identity_that_all_can_read_is_not_heard(shared: Host) -> None:
    """His answers could be another's: who comes later with the same has them."""
    mine = "a name that stands in each message"
    careless = shared.guest("zoe", identity=mine.encode())
    careless.settle()  # he is heard
    careless.session.session = mine
    assert not is_heard(careless)


def test_nobody_speaks_under_an_identity_that_is_anothers(there: Host) -> None:
    ana = there.guest("ana")
    ana.do("x = 1")
    assert not is_heard(there.guest("zoe", identity=ana.info["identity"]))


def test_nobody_speaks_as_another_client(shared: Host) -> None:
    ana, zoe = shared.guest("ana"), shared.guest("zoe")
    ana.do("x = 1")
    zoe.session.session = ana.session.session
    assert not is_heard(zoe)
    assert not is_heard(zoe, msg_id="one that nobody has used")
    zoe.send("execute_request", {"code": "intruder = True"}, header={"msg_id": "another one"})
    assert is_untouched(shared)


def test_nobody_speaks_as_a_client_of_the_hosts_own(shared: Host) -> None:
    with shared.shell.client(NAME) as local:
        list(local.execute("x = 1"))
        zoe = shared.guest("zoe")
        zoe.session.session = local.session
        asked = zoe.send("execute_request", {"code": "intruder = True"})
        with pytest.raises(Silence):
            zoe.reply(asked, QUIET_SECONDS)
    assert is_untouched(shared)


def test_whose_card_is_anothers_is_not_shown_under_that_name(there: Host) -> None:
    ana = there.guest("ana")
    ana.do("1")
    bo = there.guest("bo")
    card = f"holdfast.client/console/{int(time.time())}/{ana.session.session}/zoe"
    for subscription in (card, "behind it"):  # only the second one is welcomed
        bo.sockets["iopub"].subscribe(subscription.encode())
    behind_it = {"subscription": "behind it"}
    bo.until(lambda: behind_it in [each["content"] for each in bo.published], "welcome")
    company = ana.reply(ana.send("holdfast_clients_request", {}, "control"))["content"]["clients"]
    assert "zoe" not in [each["name"] for each in company]
    assert "bo" not in [each["name"] for each in company if each["session"] == ana.session.session]


def test_what_was_said_once_is_not_done_again(there: Host) -> None:
    ana = there.guest("ana")
    ana.do("n = 0")
    message = ana.session.msg("execute_request", {"code": "n += 1; intruder = True"})
    frames = ana.session.serialize(message)
    ana.send_frames(frames)
    ana.reply(message["header"]["msg_id"])
    for channel in ("shell", "control"):  # the same run, also on another channel
        ana.send_frames(frames, channel)
    ana.settle()
    zoe = there.guest("zoe")
    for channel in ("shell", "control"):  # by somebody else
        zoe.send_frames(frames, channel)
    zoe.settle()
    reflected = ana.session.serialize(ana.published[-1])  # what the session itself has said
    for channel in ("shell", "control", "stdin"):
        ana.send_frames(reflected, channel)
    assert ana.do("n").result == "1"
    ana.close()  # else its sockets connect anew, and the last of one identity has its answers
    os.kill(there.supervisor(), 9)
    there.supervisor()  # another one, whose memory is empty
    again = there.guest("ana", identity=ana.info["identity"])
    again.session.session, again.session.message_count = ana.session.session, 1_000
    for channel in ("shell", "control"):
        again.send_frames(frames, channel)
    assert again.do("n").result == "1"


@pytest.mark.parametrize(
    "signature", ["", "00", "f" * 64, "f" * 63, "f" * 65, "upper", "z" * 64, "0" * 1_000_000, "\0" * 64]
)
@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
def test_a_signature_that_is_none_is_refused(shared: Host, signature: str, channel: str) -> None:
    ana = shared.guest("ana")
    message = ana.session.msg("execute_request", {"code": "intruder = True"})
    frames = ana.session.serialize(message)
    right = frames[1].decode()
    frames[1] = right.upper().encode() if signature == "upper" else signature.encode()
    ana.send_frames(frames, channel)
    assert is_untouched(shared)


def test_messages_of_many_frames_are_refused_and_not_kept(there: Host) -> None:
    """Each frame of one is small, and it is only given to the supervisor when it is whole."""
    ana = there.guest("ana")
    frames = [b"<IDS|MSG>", *[b"x" * 1024] * 20_000]
    ana.send_frames(frames)
    ana.settle()
    before = resident(there.supervisor())
    for _ in range(5):
        ana.send_frames(frames)
        ana.settle()
    assert resident(there.supervisor()) - before < 2 * len(frames) * 1024
    assert is_untouched(there)


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_who_sends_a_message_that_does_not_end_is_hung_up_on(there: Host, channel: str) -> None:
    """ZeroMQ keeps what it has of one until its last frame is there; who may only watch can send it, too."""
    ana, bo = there.guest("ana"), there.guest("bo")
    ana.do("1")
    pid = there.supervisor()
    before = from_now_on(pid)
    end = bo.sockets[channel].get_monitor_socket(zmq.EVENT_DISCONNECTED)
    frame = zmq.Frame(b"x" * (FRAME // 2))
    bo.sockets[channel].send_multipart([frame] * ENDLESS, copy=False)
    assert end.poll(WITHIN * 1000)
    end.close(linger=0)
    bo.close()
    assert ana.do("6 * 7").result == "42"
    assert resident(pid, "VmHWM") - before < ENDLESS_COSTS
    assert there.supervisor() == pid
    deadline = Deadline(WITHIN)
    while "a message does not end" not in there.said():
        assert not deadline.passed


def test_many_messages_together_may_be_more_than_one_may_be(there: Host) -> None:
    ana = there.guest("ana")
    end = ana.sockets["shell"].get_monitor_socket(zmq.EVENT_DISCONNECTED)
    for _ in range(8):
        cells = [ana.send("execute_request", {"code": f"len({'x' * (FRAME // 2)!r})"}) for _ in range(32)]
        for cell in cells:
            ana.reply(cell)
    assert not end.poll(0)
    end.close(linger=0)


def test_nobody_ends_anothers_cell_by_asking_under_its_id(there: Host) -> None:
    """Who waits for its output waits for an `idle` that answers it."""
    ana, zoe = there.guest("ana"), there.guest("zoe")
    cell = ana.start("print('before'); import time; time.sleep(1); print('after')")
    ana.text(cell, "before")
    zoe.send("kernel_info_request", header={"msg_id": cell})
    ended = ana.finish(cell)
    assert ended.text() == "before\nafter\n"
    assert ended.of("status") == [{"execution_state": state} for state in ("busy", "idle")]


def test_nobody_takes_anothers_place_by_filling_all(there: Host) -> None:
    ana, zoe = there.guest("ana"), there.guest("zoe")
    ana.do("1")
    own = zoe.session.session
    for number in range(4_200):
        zoe.session.session = f"of zoe {number}"
        zoe.send("kernel_info_request")
    zoe.session.session = ana.session.session
    zoe.send("kernel_info_request")
    zoe.session.session = own
    assert ana.value("6 * 7") == 42


def test_a_frame_that_is_too_large_ends_the_connection(there: Host) -> None:
    ana = there.guest("ana")
    with pytest.raises(Silence):
        ana.reply(ana.send("execute_request", {"code": "intruder = True #" + "x" * FRAME}), QUIET_SECONDS)
    assert is_untouched(there)


# --- the files


def test_the_doors_own_file_is_private_and_names_no_way_around(there: Host) -> None:
    file = there.shell.home / "run" / NAME / "tcp.json"
    assert file.stat().st_mode & 0o777 == 0o600
    told = json.loads(file.read_text())
    known_to_all = there.info(Keys(told["curve_publickey"], told["curve_secretkey"]))
    assert knock(known_to_all) == "refused"  # the host's own pair lets nobody in
