"""When memory ends, the way back is given up, one state after the other and with a word, before all else."""

from __future__ import annotations

import pytest

from faults import machine
from kit.kernel import Kernel, only_holdfast
from kit.wire import Client, Message

pytestmark = only_holdfast

MEBIBYTE = 1 << 20

PATIENCE = 20.0
"""One state goes in a second."""


def kept(client: Client) -> Message:
    return client.ask("holdfast_checkpoints_request", {}, "control")


@pytest.mark.slow  # what a group is charged for depends on what else the machine does
def test_a_control_groups_limit_costs_the_oldest_states_and_not_the_session(
    kernel: Kernel, client: Client
) -> None:
    if reason := machine.no_memory_group():
        pytest.skip(reason)
    with machine.group("memory", kernel) as group:
        group.set("memory.limit_in_bytes", 450 * MEBIBYTE)
        client.do(f"x = bytearray({120 * MEBIBYTE}); x[:] = b'1' * len(x)")
        before = client.ask("holdfast_info_request", {}, "control")["worker_pid"]
        for number in range(2, 6):
            client.do(f"for at in range(0, len(x), 4096): x[at] = {number}")
            client.until_told(
                lambda: int(group.get("memory.usage_in_bytes")) < 290 * MEBIBYTE, "that states go", PATIENCE
            )
        dropped = kept(client)["dropped"]
        assert "(the machine could not hold the session's memory once more)" in dropped
        assert "Dropped for lack of memory: the state after In[" in client.do("%checkpoints").text()
        assert client.ask("holdfast_info_request", {}, "control")["worker_pid"] == before
        cell = client.do("%undo")
        client.text(cell.msg_id, "holdfast: back after")
        assert client.value("x[0]") == 4
        group.set("memory.limit_in_bytes", -1)
