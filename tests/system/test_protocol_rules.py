"""The rules of Jupyter's messaging protocol, and those that Holdfast adds, on the wire of a real kernel."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq
from jupyter_client.session import Session

from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import END_SECONDS, HOLDFAST, START_SECONDS, Kernel, connection, only_holdfast, running
from kit.processes import wait_for_end
from kit.wire import WITHIN, Client, Message, beat, url

STORED = {"raw": True, "output": False}

REQUESTS: dict[str, Message] = {
    "kernel_info_request": {},
    "connect_request": {},
    "comm_info_request": {},
    "usage_request": {},
    "comm_info_request, one target": {"target_name": "nobody"},
    "is_complete_request": {"code": "for i in x:"},
    "history_request, tail": STORED | {"hist_access_type": "tail", "n": 3},
    "history_request, range": STORED | {"hist_access_type": "range", "session": 0, "start": 1, "stop": 2},
    "history_request, search": STORED | {"hist_access_type": "search", "pattern": "*", "n": 2},
    "complete_request": {"code": "isinst", "cursor_pos": 6},
    "inspect_request": {"code": "print", "cursor_pos": 5, "detail_level": 0},
    "execute_request": {"code": "6 * 7", "silent": False, "stop_on_error": True},
    "execute_request, failing": {"code": "1 / 0", "silent": False, "stop_on_error": True},
    "execute_request, silent": {"code": "6 * 7", "silent": True},
}
"""Every request that has a reply, by type (what follows a comma tells them apart)."""

STATUS = {"is_complete_request": "incomplete", "execute_request, failing": "error"}
"""The status of their replies, where it is not "ok"."""

SUPERVISORS_OWN = [name for name in REQUESTS if not name.startswith(("execute", "complete", "inspect"))]
"""Those that need no interpreter."""


def type_of(name: str) -> str:
    return name.partition(",")[0]


def states(messages: list[Message]) -> list[str]:
    return [m["content"]["execution_state"] for m in messages if m["msg_type"] == "status"]


# --- busy, reply, idle


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_gets_busy_reply_and_idle_in_this_order(guest: Client, name: str, channel: str) -> None:
    msg_id = guest.send(type_of(name), REQUESTS[name], channel)
    reply = guest.reply(msg_id)
    published = guest.idle(msg_id)
    assert reply["msg_type"] == type_of(name).replace("_request", "_reply")
    assert reply["content"]["status"] == STATUS.get(name, "ok")
    assert states(published) == ["busy", "idle"]
    assert (published[0]["msg_type"], published[-1]["msg_type"]) == ("status", "status")
    dates = [message["header"]["date"] for message in (published[0], reply, published[-1])]
    assert dates == sorted(dates)
    for message in (reply, *published):
        assert message["parent_header"]["msg_id"] == msg_id
        assert message["parent_header"]["session"] == guest.session.session
        assert message["parent_header"]["msg_type"] == type_of(name)


def test_a_parent_header_is_the_requests_header_whole(guest: Client) -> None:
    msg_id = guest.send("kernel_info_request", header={"unheard_of": [1, "two"], "username": "Zoë"})
    parent = guest.reply(msg_id)["parent_header"]
    assert (parent["unheard_of"], parent["username"]) == ([1, "two"], "Zoë")


def test_headers_are_complete_and_their_ids_unique(guest: Client) -> None:
    cell = guest.do("print(1); 2")
    headers = [message["header"] for message in (cell.reply_message, *cell.messages)]
    assert len({header["msg_id"] for header in headers}) == len(headers)
    for header in headers:
        assert {"msg_id", "msg_type", "session", "username", "date", "version"} <= set(header)
        assert header["version"].startswith("5.")


def test_only_the_asking_client_gets_the_reply_and_all_hear_the_rest(shared: Kernel, guest: Client) -> None:
    other = shared.client("other")
    cell = guest.do("print('heard by all')")
    assert [m["msg_type"] for m in other.idle(cell.msg_id)] == cell.kinds
    other.settle()
    assert cell.msg_id not in other.replies


def test_comm_messages_get_busy_and_idle_and_no_reply(guest: Client) -> None:
    for msg_type, content in {
        "comm_open": {"comm_id": "c1", "target_name": "nobody's target", "data": {}},
        "comm_msg": {"comm_id": "c1", "data": {}},
        "comm_close": {"comm_id": "c1", "data": {}},
    }.items():
        msg_id = guest.send(msg_type, content)
        published = guest.idle(msg_id)
        assert states(published) == ["busy", "idle"]
        guest.settle()
        assert msg_id not in guest.replies
    closed = [m for m in guest.published if m["msg_type"] == "comm_close"]
    assert [m["content"]["comm_id"] for m in closed] == ["c1"], "an unknown target is closed again"


def test_comms_carry_data_and_buffers_both_ways(guest: Client) -> None:
    guest.do(
        "from comm import get_comm_manager\n"
        "def opened(comm, message):\n"
        "    comm.on_msg(lambda m: comm.send({'echo': m['content']['data']}, buffers=m['buffers']))\n"
        "get_comm_manager().register_target('echo', opened)"
    )
    guest.idle(guest.send("comm_open", {"comm_id": "c2", "target_name": "echo", "data": {}}))
    assert guest.ask("comm_info_request", {"target_name": "echo"})["comms"] == {"c2": {"target_name": "echo"}}
    content = {"comm_id": "c2", "data": {"n": 1}}
    published = guest.idle(guest.send("comm_msg", content, buffers=[b"\0\xff raw", b""]))
    (echo,) = [m for m in published if m["msg_type"] == "comm_msg"]
    assert echo["content"]["data"] == {"echo": {"n": 1}}
    assert [bytes(buffer) for buffer in echo["buffers"]] == [b"\0\xff raw", b""]
    guest.idle(guest.send("comm_close", {"comm_id": "c2", "data": {}}))
    assert guest.ask("comm_info_request", {"target_name": "echo"})["comms"] == {}


# --- what the replies say


def test_kernel_info_tells_what_speaks_here(guest: Client) -> None:
    info = guest.ask("kernel_info_request")
    language = info["language_info"]
    assert (language["name"], language["mimetype"], language["file_extension"]) == (
        *("python", "text/x-python", ".py"),
    )
    assert (language["pygments_lexer"], language["codemirror_mode"]["name"]) == ("ipython3", "ipython")
    assert info["protocol_version"].startswith("5.")
    assert info["banner"]
    if HOLDFAST:
        assert info["protocol_version"] == "5.5"
        assert "kernel subshells" not in info.get("supported_features", [])


def test_connect_tells_the_ports(shared: Kernel, guest: Client) -> None:
    reply = guest.ask("connect_request")
    ports = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")
    assert {name: reply[name] for name in ports} == {name: shared.info[name] for name in ports}


COMPLETENESS = {
    "x = 1": ("complete", None),
    "for i in y:": ("incomplete", "    "),
    "if x:\n    for y in z:": ("incomplete", "        "),
    "f(1,": ("incomplete", ""),
    "'''open": ("incomplete", ""),
    "x = = 1": ("invalid", None),
    "%timeit x": ("complete", None),
    "!ls": ("complete", None),
    "await x": ("complete", None),
    "": ("complete", None),
}


@pytest.mark.parametrize("code", COMPLETENESS)
def test_completeness_is_judged_as_a_console_needs_it(guest: Client, code: str) -> None:
    status, indent = COMPLETENESS[code]
    reply = guest.ask("is_complete_request", {"code": code})
    assert reply["status"] == status
    assert reply.get("indent") == indent or status != "incomplete"


def test_positions_are_counted_in_characters(guest: Client) -> None:
    guest.do("naïve_name = 1")
    code = "'🐍🐍' + naïve_"
    reply = guest.ask("complete_request", {"code": code, "cursor_pos": len(code)})
    assert reply["matches"] == ["naïve_name"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (7, len(code))


def test_history_is_read_by_tail_range_and_search(client: Client) -> None:
    for code in ("needle = 1", "needle + 1", "needle = 1"):
        client.do(code)

    def lines(**request: object) -> list[list[object]]:
        content = STORED | request
        return [entry[1:] for entry in client.ask("history_request", content)["history"]]

    all_three = [[1, "needle = 1"], [2, "needle + 1"], [3, "needle = 1"]]
    assert lines(hist_access_type="tail", n=2) == all_three[1:]
    assert lines(hist_access_type="range", session=0, start=1, stop=3) == all_three[:2]
    assert lines(hist_access_type="range", session=0, start=2) == all_three[1:]
    assert lines(hist_access_type="search", pattern="needle =*") == [all_three[0], all_three[2]]
    assert lines(hist_access_type="search", pattern="needle =*", n=1) == [all_three[2]]
    assert len(lines(hist_access_type="search", pattern="needle =*", unique=True)) == 1
    with_output = lines(hist_access_type="range", session=0, start=2, stop=3, output=True)
    assert with_output == [[2, ["needle + 1", "2"]]]


def test_user_expressions_are_evaluated_after_a_cell_that_went_well(guest: Client) -> None:
    asked = {"good": "value + 1", "bad": "nowhere", "rich": "'text'"}
    told = guest.do("value = 1", user_expressions=asked).reply["user_expressions"]
    assert told["good"]["data"]["text/plain"] == "2"
    assert told["rich"]["status"] == "ok"
    assert (told["bad"]["status"], told["bad"]["ename"]) == ("error", "NameError")
    assert guest.run("1 / 0", user_expressions=asked).reply.get("user_expressions", {}) == {}


def test_a_failing_cell_says_so_in_error_and_reply(guest: Client) -> None:
    cell = guest.run("def f(): return 1 / 0\nf()")
    assert cell.kinds == ["status", "execute_input", "error", "status"]
    for content in (cell.reply, cell.error):
        assert (content["ename"], content["evalue"]) == ("ZeroDivisionError", "division by zero")
        plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"]))
        assert "----> 2 f()" in plain


# --- counters


COUNTED = [
    ({}, True),
    ({"silent": True}, False),
    ({"store_history": False}, False),
    ({"silent": True, "store_history": True}, False),
]


@pytest.mark.parametrize(("options", "counted"), COUNTED)
def test_only_stored_cells_are_numbered(guest: Client, options: dict[str, bool], counted: bool) -> None:
    before = guest.do("'before'").reply["execution_count"]
    cell = guest.do("'during'", **options)
    after = guest.do("'after'").reply["execution_count"]
    assert after == before + 1 + counted
    assert ("execute_input" in cell.kinds) == (not options.get("silent"))
    tail = guest.ask("history_request", STORED | {"hist_access_type": "tail", "n": 2})
    stored = [source for _, _, source in tail["history"]]
    assert stored == (["'during'", "'after'"] if counted else ["'before'", "'after'"])


def test_the_number_is_the_same_in_input_result_and_reply(guest: Client) -> None:
    cell = guest.do("1")
    (given,) = cell.of("execute_input")
    (result,) = cell.of("execute_result")
    assert given["code"] == "1"
    assert given["execution_count"] == result["execution_count"] == cell.reply["execution_count"]


def test_failing_cells_are_numbered(guest: Client) -> None:
    first, second, third = (guest.run(code).reply["execution_count"] for code in ("1", "1/0", "2"))
    assert (second, third) == (first + 1, first + 2)


# --- the queue


def test_an_error_aborts_what_waits_and_serves_the_other_requests(guest: Client, folder: Path) -> None:
    gate = Gate(folder / "gate")
    guest.do("ran = []")
    failing = guest.start(f"{gate.wait}; 1 / 0")
    waiting = [guest.start(f"ran.append({n})", stop_on_error=bool(n % 2)) for n in range(4)]
    silent = guest.start("ran.append('silent')", silent=True)
    others = [guest.send(type_of(name), REQUESTS[name]) for name in SUPERVISORS_OWN]
    completion = guest.send("complete_request", REQUESTS["complete_request"])
    if HOLDFAST:
        guest.settle()  # answered beside the running cell: all that was sent before is there
    gate.open()
    assert guest.finish(failing).status == "error"
    for msg_id in [*waiting, silent]:
        cell = guest.finish(msg_id)
        assert cell.status == "aborted"
        assert set(cell.kinds) == {"status"}
    for msg_id in [*others, completion]:
        assert guest.reply(msg_id)["content"]["status"] not in {"aborted", "error"}
    assert guest.value("ran") == [], "and what comes later runs"


@only_holdfast
def test_an_error_aborts_the_cells_of_all_clients(shared: Kernel, guest: Client, folder: Path) -> None:
    gate = Gate(folder / "gate")
    other = shared.client("other")
    failing = guest.start(f"print('here', flush=True); {gate.wait}; 1 / 0")
    guest.text(failing, "here")
    waiting = other.start("1")
    other.settle()  # answered beside the running cell: the cell before it is queued
    gate.open()
    assert guest.finish(failing).status == "error"
    assert other.finish(waiting).status == "aborted"


@pytest.mark.parametrize("options", [{"stop_on_error": False}, {"silent": True}], ids=str)
def test_an_error_that_must_not_stop_the_queue_does_not(
    guest: Client, folder: Path, options: dict[str, bool]
) -> None:
    gate = Gate(folder / "gate")
    guest.do("ran = []")
    failing = guest.start(f"{gate.wait}; 1 / 0", **options)
    waiting = [guest.start(f"ran.append({n})") for n in range(3)]
    gate.open()
    assert guest.finish(failing).status == "error"
    assert [guest.finish(msg_id).status for msg_id in waiting] == ["ok"] * 3
    assert guest.value("ran") == [0, 1, 2]


def test_queued_cells_run_one_after_another_in_the_order_they_came(guest: Client) -> None:
    guest.do("ran = []")
    cells = [guest.start(f"ran.append({n})") for n in range(100)]
    for msg_id in cells:
        assert guest.finish(msg_id).status == "ok"
    assert guest.value("ran") == list(range(100))
    order = [m["parent_header"]["msg_id"] for m in guest.published if m["msg_type"] == "execute_input"]
    assert order[1:-1] == cells


# --- answered while a cell runs


@only_holdfast
@pytest.mark.parametrize("channel", ["shell", "control"])
def test_requests_that_need_no_interpreter_are_answered_while_a_cell_runs(
    guest: Client, folder: Path, channel: str
) -> None:
    gate = Gate(folder / "gate")
    running_cell = guest.start(gate.wait)
    for name in SUPERVISORS_OWN:
        assert guest.ask(type_of(name), REQUESTS[name], channel)["status"] in {"ok", "incomplete"}
    assert running_cell not in guest.replies
    gate.open()
    assert guest.finish(running_cell).status == "ok"


def test_control_answers_while_a_cell_runs(guest: Client, folder: Path) -> None:
    gate = Gate(folder / "gate")
    running_cell = guest.start(gate.wait)
    assert guest.ask("kernel_info_request", {}, "control")["status"] == "ok"
    assert running_cell not in guest.replies
    gate.open()
    guest.finish(running_cell)


def test_the_heart_beats_while_a_cell_runs(shared: Kernel, guest: Client, folder: Path) -> None:
    gate = Gate(folder / "gate")
    running_cell = guest.start(gate.wait)
    assert beat(shared.info, b"\0any bytes\xff") == b"\0any bytes\xff"
    gate.open()
    guest.finish(running_cell)


def test_late_output_keeps_the_parent_of_its_cell(guest: Client) -> None:
    starting = guest.do(
        "import asyncio\nbell = asyncio.Event()\n"
        "async def later():\n    await bell.wait(); print('late'); 1 / 0\ntask = asyncio.create_task(later())"
    )
    guest.do("bell.set()")
    guest.text(starting.msg_id, "late")


# --- stdin


def test_input_asks_the_client_that_ran_the_cell(shared: Kernel, guest: Client) -> None:
    other = shared.client("other")
    msg_id = guest.start(
        "import getpass; told = input('name? '), getpass.getpass('word? ')", allow_stdin=True
    )
    assert guest.prompt() == {"prompt": "name? ", "password": False}
    assert guest.prompts[-1]["parent_header"]["msg_id"] == msg_id
    guest.answer("Ada 🐍")
    assert guest.prompt() == {"prompt": "word? ", "password": True}
    guest.answer("")
    assert guest.finish(msg_id).status == "ok"
    assert other.prompts == []
    assert guest.value("told") == ("Ada 🐍", "")


def test_input_without_a_keyboard_fails_at_once(guest: Client) -> None:
    cell = guest.run("input()", allow_stdin=False)
    assert (cell.status, cell.error["ename"]) == ("error", "StdinNotImplementedError")
    assert not guest.prompts


def test_the_end_of_input_is_an_exception(guest: Client) -> None:
    error = guest.run("input()", ["\x04"]).error
    assert error["ename"] == "EOFError"
    if HOLDFAST:
        assert "File " not in "".join(error["traceback"])  # of ours: the last line is the user's


def test_the_debugger_is_talked_to_as_a_person_does(guest: Client) -> None:
    cell = guest.run("held = 41\ndef f(): held = 42; import pdb; pdb.set_trace()\nf()", ["p held", "c"])
    assert cell.status == "ok"
    assert "42" in cell.text()
    assert guest.run("1 / 0").status == "error"
    assert guest.run("%debug", ["p 'ask' + 'ed'", "q"]).text().count("'asked'") == 1


# --- subscribers, sequence numbers, one session


@only_holdfast
def test_every_subscriber_is_welcomed(shared: Kernel) -> None:
    for _ in range(4):
        welcome = shared.client().published[0]
        assert (welcome["msg_type"], welcome["content"]) == ("iopub_welcome", {"subscription": ""})
        assert welcome["parent_header"] == {}


@only_holdfast
def test_published_messages_are_numbered_without_a_gap(shared: Kernel, guest: Client) -> None:
    other = shared.client("other")
    before = len(other.published)
    guest.do("for n in range(1000): print(n)")
    guest.run("1 / 0")
    guest.settle()
    last = guest.published[-1]["header"]
    other.until(lambda: any(each["header"] == last for each in other.published[before:]), "all of it")
    for published in (guest.published, other.published[before:]):
        marks = [m["metadata"]["holdfast"] for m in published if m["msg_type"] != "iopub_welcome"]
        assert len({mark["epoch"] for mark in marks}) == 1
        assert all(after["seq"] == before["seq"] + 1 for before, after in itertools.pairwise(marks))


@only_holdfast
def test_the_kernels_session_is_one_for_all_its_messages_and_over_a_death(client: Client) -> None:
    names = [
        client.run(code).reply_message["header"]["session"] for code in ("1", "import os; os.abort()", "2")
    ]
    asked = client.reply(client.send("kernel_info_request", {}, "control"))
    names.append(asked["header"]["session"])
    names += [message["header"]["session"] for message in client.published]
    assert len(set(names)) == 1


def test_topics_tell_what_is_published(guest: Client) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.subscribe(b"stream.stdout")
        socket.connect(url(guest.info, "iopub"))
        topics = set()
        for _ in range(50):  # the first ones may be printed before the subscription has arrived
            guest.do("import sys; print('err', file=sys.stderr); print('out')")
            if socket.poll(100):
                topics.add(socket.recv_multipart()[0])
                break
        for _ in range(3):
            guest.do("import sys; print('err', file=sys.stderr); print('out')")
            assert socket.poll(WITHIN * 1000)
            topics.add(socket.recv_multipart()[0])
    assert topics - {b""} == {b"stream.stdout"}, "what is welcomed is the topic itself"


# --- transports, doors, launchers


def test_a_kernel_on_loopback_ports_works_as_well() -> None:
    with running(transport="tcp") as kernel:
        client = kernel.client()
        assert client.value("6 * 7") == 42
        assert beat(kernel.info) == b"ping"
        assert client.ask("connect_request")["shell_port"] == kernel.info["shell_port"]


@only_holdfast
def test_a_port_of_zero_is_chosen_and_written_back() -> None:
    with running(transport="tcp", shell_port=0, hb_port=0, kept="as it was") as kernel:
        control = Client({**kernel.info, "shell_port": kernel.info["control_port"], "hb_port": 1})
        kernel.clients.append(control)
        control.wait_for_welcome(START_SECONDS)  # from a kernel that has bound its ports
        control.close()
        written = json.loads(kernel.file.read_text())
        kernel.info |= {name: written[name] for name in ("shell_port", "hb_port")}
        assert all(kernel.info[name] for name in ("shell_port", "hb_port"))
        assert written == kernel.info
        assert kernel.file.stat().st_mode & 0o777 == 0o600
        assert kernel.client().value("6 * 7") == 42


@only_holdfast
def test_two_doors_lead_into_one_session() -> None:
    with named("both") as kernel:
        first = kernel.client("first")
        with another_door(kernel, "both") as door:
            second = door.client("second")
            first.do("name = 'shared'")
            assert second.value("name") == "shared"
            cell = first.do("print('to all')")
            assert [m["msg_type"] for m in second.idle(cell.msg_id)] == cell.kinds
            heard = [m for m in second.published if m["msg_type"] != "iopub_welcome"]
            assert {m["header"]["session"] for m in heard} == {first.published[-1]["header"]["session"]}
            msg_id = second.start("input('who? ')", allow_stdin=True)
            assert second.prompt()["prompt"] == "who? "
            second.answer("me")
            assert second.finish(msg_id).status == "ok"
            assert not first.prompts
            assert second.run("import os; os.abort()").status == "error"
            assert first.value("name") == "shared"
            numbers = [
                m["metadata"]["holdfast"]["seq"] for m in first.published if m["msg_type"] != "iopub_welcome"
            ]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert first.value("name") == "shared", "a door that closes disturbs nobody at another"


@only_holdfast
def test_a_key_opens_its_own_door_only() -> None:
    with named("both") as kernel, another_door(kernel, "both") as door:
        client = door.client()
        stolen = Session(key=kernel.info["key"].encode()).msg("execute_request", {"code": "stolen = 1"})
        client.send_frames(Session(key=kernel.info["key"].encode()).serialize(stolen))
        assert client.run("stolen").status == "error", "what comes behind it at the same socket is heard"
        msg_id = stolen["header"]["msg_id"]
        assert msg_id not in client.replies
        assert msg_id not in client.of_parent


@only_holdfast
def test_a_session_with_a_name_outlives_its_doors() -> None:
    with named("kept") as kernel:
        kernel.client().do("name = 'kept'")
        kernel.shut_down()
        kernel.launch()
        assert kernel.client().value("name") == "kept"


@contextmanager
def named(session: str) -> Iterator[Kernel]:
    """A kernel whose session has a name, and so has to be stopped by name in the end."""
    with running("--session", session) as kernel:
        try:
            yield kernel
        finally:
            kernel.client("closer").send("holdfast_stop_request", {}, "control")
            kernel.wait()


@contextmanager
def another_door(kernel: Kernel, session: str) -> Iterator[Kernel]:
    """A second launcher on the same session, with a connection file of its own."""
    info = connection(kernel.folder)
    door = Kernel(kernel.folder, info, "--session", session, mark=kernel.mark, cwd=kernel.folder / "work")
    try:
        yield door
    finally:
        for client in door.clients:
            client.close()
        door.process.send_signal(signal.SIGTERM)
        assert door.wait() == 0


def test_shutdown_is_answered_announced_and_done(kernel: Kernel, client: Client) -> None:
    pid = client.value("import os; os.getpid()")
    msg_id = client.send("shutdown_request", {"restart": False}, "control")
    assert client.reply(msg_id)["content"] == {"status": "ok", "restart": False}
    client.until(lambda: any(m["msg_type"] == "shutdown_reply" for m in client.published), "announcement")
    assert kernel.wait() == 0
    assert wait_for_end(pid, Deadline(END_SECONDS))


def test_a_restart_gives_a_fresh_namespace_on_the_same_file(kernel: Kernel, client: Client) -> None:
    client.do("name = 1")
    before = client.published[-1]["header"]["session"]
    kernel.shut_down(restart=True)
    kernel.launch()
    fresh = kernel.client("fresh")
    assert fresh.run("name").error["ename"] == "NameError"
    assert fresh.published[-1]["header"]["session"] != before


@only_holdfast
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_launcher_that_is_lost_costs_nothing(kernel: Kernel, client: Client, number: int) -> None:
    """Its successor on the same file finds the session as it was: Jupyter's automatic restart."""
    client.do("name = [1]; same = name")
    before = client.published[-1]["header"]["session"]
    pid = client.value("import os; os.getpid()")
    os.kill(kernel.process.pid, number)
    kernel.wait()
    kernel.launch()
    fresh = kernel.client("fresh")
    assert fresh.value("os.getpid(), name is same") == (pid, True)
    assert fresh.published[-1]["header"]["session"] == before


@only_holdfast
def test_a_cell_goes_on_while_its_launcher_is_replaced(kernel: Kernel, client: Client, folder: Path) -> None:
    gate = Gate(folder / "gate")
    msg_id = client.start(f"print('here', flush=True); {gate.wait}; name = 'done'")
    client.text(msg_id, "here")
    os.kill(kernel.process.pid, signal.SIGKILL)
    kernel.wait()
    kernel.launch()
    fresh = kernel.client("fresh")
    gate.open()
    assert fresh.value("name") == "done"


@only_holdfast
def test_a_session_whose_launcher_does_not_come_back_ends(kernel: Kernel, client: Client) -> None:
    """The session had no name: nobody could find it again."""
    pid = client.value("import os; os.getpid()")
    os.kill(kernel.process.pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(20))
