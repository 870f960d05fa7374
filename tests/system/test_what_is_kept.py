"""What a session has to say, and to give back, after a restart, a crash or the end of all its processes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from kit.deadline import Deadline
from kit.family import about, wait_for_standby
from kit.kernel import END_SECONDS, Kernel, only_holdfast, running
from kit.processes import left_over
from kit.wire import Client

pytestmark = only_holdfast

DIE = "import os; os.abort()"


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A session without checkpoints: what is on disk is `test_reboot`'s."""
    with running(settings="[checkpoint]\nenabled = false\n") as kernel:
        yield kernel


def ended_uncleanly(kernel: Kernel) -> Client:
    """Kill everything, and open the notebook again."""
    kernel.lose()
    kernel.launch()
    return kernel.client("successor")


# --- after an unclean end


def test_a_notebook_opened_again_is_told_once_what_happened_and_what_to_do(
    kernel: Kernel, client: Client
) -> None:
    client.do("kept = 5")
    client.run("1 / 0")
    successor = ended_uncleanly(kernel)
    said = successor.do("print('hello')").text("stderr")
    assert "not closed properly" in said
    assert "%recover" in said
    assert not successor.do("1").text("stderr")


def test_recover_lists_what_ran_and_offers_the_code_without_running_it(
    kernel: Kernel, client: Client
) -> None:
    client.do("kept = 5")
    client.run("1 / 0")
    client.do("for i in range(3):\n    kept += i")
    successor = ended_uncleanly(kernel)
    listed = successor.do("%recover").text()
    assert "In[1] ended" in listed
    assert "In[2] failed" in listed
    assert "for i in range(3): (+1 lines)" in listed
    offered = successor.do("%recover code 1 3").reply["payload"]
    assert [(each["source"], each["text"]) for each in offered] == [
        ("set_next_input", "kept = 5\n\nfor i in range(3):\n    kept += i")
    ]
    assert successor.run("kept").error["ename"] == "NameError"


def test_recover_says_what_it_understands(client: Client) -> None:
    assert "nothing to bring back" in client.do("%recover").text()
    for line in ("%recover everything", "%recover code x"):
        assert client.run(line).reply["ename"] == "UsageError"


# --- after a restart


def test_a_restart_is_a_barrier_and_the_namespace_before_it_stays_asleep_for_a_while(
    kernel: Kernel, client: Client
) -> None:
    client.do("kept = 5")
    wait_for_standby(client, 1)
    assert about(client)["before_restart"] is None
    kernel.shut_down(restart=True)
    kernel.launch()
    successor = kernel.client("successor")
    assert successor.run("kept").error["ename"] == "NameError"
    assert about(successor)["before_restart"]["age"] > 0
    assert "nothing to bring back" in successor.do("%recover").text()


# --- a crash that is to end everything


def test_a_crash_may_end_the_session_as_a_kernel_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_ON_CRASH", "exit")
    with running() as kernel:
        client = kernel.client()
        client.do("kept = 5")
        dying = client.start(DIE)
        kernel.wait()
        assert left_over(kernel.mark, Deadline(END_SECONDS)) == {}
        client.listen(0.1)  # nobody is left who could say more: what was said is here
        assert dying not in client.replies


# --- comms

OPEN = """
import comm
heard = []
def opened(target):
    one = comm.create_comm(target_name=target)
    one.on_msg(lambda message: heard.append(message["content"]["data"]))
    return one
early = opened("early")
print(early.comm_id)
"""


def closed(client: Client) -> list[str]:
    return [m["content"]["comm_id"] for m in client.published if m["msg_type"] == "comm_close"]


def test_a_comm_from_before_a_crash_goes_on_and_one_that_is_lost_is_closed(client: Client) -> None:
    early = client.do(OPEN).text().strip()
    crashed = client.run("late = opened('late'); " + DIE)
    late = crashed.of("comm_open")[0]["comm_id"]
    client.settle()
    assert closed(client) == [late]
    assert client.ask("comm_info_request", {}) | {"status": ""} == {
        "status": "",
        "comms": {early: {"target_name": "early"}},
    }
    client.idle(client.send("comm_msg", {"comm_id": early, "data": {"moved": 7}}))
    assert client.value("heard") == [{"moved": 7}]


def test_a_comm_that_the_lost_cell_had_closed_is_closed_on_this_side_too(client: Client) -> None:
    early = client.do(OPEN).text().strip()
    client.run("early.close(); " + DIE)
    assert closed(client) == [early]
    assert client.value("early._closed, early.comm_id in comm.get_comm_manager().comms") == (True, False)


# --- usage


def test_usage_tells_what_the_worker_holds(client: Client) -> None:
    before = client.ask("usage_request", {}, "control")
    client.do("block = bytearray(200_000_000)")
    after = client.ask("usage_request", {}, "control")
    assert after["kernel_memory"] - before["kernel_memory"] > 150_000_000
    assert after["kernel_cpu"] > 0
    assert after["pid"] == client.value("import os; os.getpid()")
    assert after["cpu_count"] == os.cpu_count()
    assert 0 < after["host_virtual_memory"]["available"] < after["host_virtual_memory"]["total"]
