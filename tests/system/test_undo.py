"""Going back: the state before the last cells is there again, exactly, and nobody is told of a crash."""

from __future__ import annotations

import os
import signal

import pytest

from kit.family import about, family, wait_for_standby
from kit.gate import Gate
from kit.kernel import Kernel, only_holdfast, running
from kit.travel import back, told
from kit.wire import Client

pytestmark = only_holdfast

DIE = "import os; os.abort()"


def test_one_step_back_takes_back_what_the_last_cell_did_to_variables(client: Client) -> None:
    client.do("x = [1]")
    client.do("x.append(2); y = 5")
    pid = client.value("import os; os.getpid()")
    client.do("x.append(3); del y")
    cell = back(client)
    assert cell.text() == (
        "Going back to the state after In[3]: In[4] is undone in memory; what it did to files, databases and"
        " the network is as it left it.\n"
    )
    assert "with every variable as after In[3]" in told(client, cell)
    assert not client.of_parent[cell.msg_id][0]["content"].get("ename")
    assert client.value("x, y") == ([1, 2], 5)
    assert client.value("os.getpid()") != pid


def test_three_steps_back_and_numbers_are_never_used_again(client: Client) -> None:
    for number in range(1, 6):
        client.do(f"x = {number}")
    cell = back(client, "%undo 3")
    assert "In[3], In[4] and In[5] are undone" in cell.text()
    after = client.do("x")
    assert after.reply["execution_count"] == 7
    assert after.result == "2"
    assert client.value("In[2], In[3], In[5], In[7]") == ("x = 2", "", "", "x")
    assert client.value("Out[7]") == 2


def test_what_was_typed_stays_in_the_history(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    back(client)
    assert client.do("%history -n").text().split("\n")[:3] == ["   1: x = 1", "   2: x = 2", "   3: %undo"]


def test_beyond_what_is_kept_is_refused_with_how_far_it_goes(client: Client) -> None:
    assert "nothing to undo" in client.run("%undo").reply["evalue"]
    for number in range(1, 9):
        client.do(f"x = {number}")
    refused = client.run("%undo 6").reply["evalue"]
    assert (
        "the state after In[3] is not kept any more; the earliest that is kept is that after In[" in refused
    )
    assert "there are not 20 cells to undo" in client.run("%undo 20").reply["evalue"]
    assert client.run("%undo two").reply["ename"] == "UsageError"
    assert client.value("x") == 8


def test_a_crash_after_going_back_brings_back_the_state_that_was_gone_back_to(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = {number}")
    back(client)
    crashed = client.run(DIE)
    assert "every variable as before In[5]" in crashed.notice
    assert client.value("x") == 2


def test_going_back_twice_goes_two_steps_and_a_crashed_cell_is_none(client: Client) -> None:
    for number in range(1, 5):
        client.do(f"x = {number}")
    back(client)
    client.run(DIE)
    back(client)
    assert client.value("x") == 2
    back(client, "%undo 2")
    assert client.value("x") == 1


def test_aliases_generators_and_random_numbers_are_exactly_as_they_were(client: Client) -> None:
    client.do("import random; random.seed(1); a = b = [0]; g = (n for n in range(99)); next(g); id_a = id(a)")
    client.do("one = random.random(), next(g), a.append(1)")
    back(client)
    client.do("two = random.random(), next(g), b.append(1)")
    assert client.value("two[1], a is b, id(a) == id_a, a") == (1, True, True, [0, 1])
    assert client.value("random.seed(1) or two[0] == random.random()") is True


def test_cells_that_wait_run_in_the_old_state(client: Client, kernel: Kernel) -> None:
    gate = Gate(kernel.folder / "gate")
    client.do("x = 1")
    client.do("x = 2")
    undo = client.start(f"%undo\n{gate.wait}\nx = 3")
    waiting = [client.start("x += 10"), client.start("x")]
    gate.open()
    assert client.finish(undo).status == "ok"
    assert client.finish(waiting[0]).status == "ok"
    last = client.finish(waiting[1])
    assert (last.result, last.reply["execution_count"]) == ("11", 5)


def test_the_namespace_before_a_restart_is_there_again(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    client.do("other = 6")
    wait_for_standby(client, 2)
    kernel.shut_down(restart=True)
    kernel.launch()
    successor = kernel.client("successor")
    assert successor.run("kept").error["ename"] == "NameError"
    assert "%undo restart" in successor.do("%checkpoints").text()
    cell = back(successor, "%undo restart")
    assert "the namespace before the restart, after In[2]" in cell.text()
    after = successor.do("kept, other")
    assert (after.result, after.reply["execution_count"]) == ("(5, 6)", 4)
    assert "the state after In[1] is not kept" in successor.run("%undo 2").reply["evalue"]
    back(successor)
    assert successor.value("other") == 6
    assert "no restart to undo" in successor.run("%undo restart").reply["evalue"]


def test_checkpoints_lists_what_can_be_gone_back_to_and_how(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = {number}")
    listed = client.do("%checkpoints").text()
    assert [line.split(",")[0] for line in listed.splitlines() if line.startswith("  %undo")] == [
        "  %undo           the state after In[2]",
        "  %undo 2         the state after In[1]",
        "  %undo 3         the state at the start",
    ]
    for asking in ("%checkpoints", "%holdfast", "%holdfast last", "%recover"):
        client.do(asking)
    back(client, "%undo 2")
    assert client.value("x") == 1


def test_what_could_not_come_along_is_named(client: Client) -> None:
    client.do(
        "import socket; s = socket.create_server(('127.0.0.1', 0))\n"
        "c = socket.create_connection(s.getsockname())"
    )
    client.do("x = 1")
    cell = back(client)
    assert "Not restored: " in told(client, cell)


def test_a_frontends_own_cells_are_not_counted(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    client.do("hidden = 1", silent=True)
    back(client)
    assert client.value("x") == 1
    assert client.run("hidden").error["ename"] == "NameError"


def test_a_session_is_asked_from_outside_and_refuses_while_a_cell_runs(
    client: Client, kernel: Kernel
) -> None:
    client.do("x = 1")
    client.do("x = 2")
    gate = Gate(kernel.folder / "gate")
    busy = client.start(gate.wait)
    client.until_told(lambda: about(client)["running"], "a running cell")
    refused = client.ask("holdfast_undo_request", {}, "control")
    assert refused["status"] == "error"
    assert "In[3] is running" in refused["evalue"]
    gate.open()
    client.finish(busy)
    done = client.ask("holdfast_undo_request", {"cells": 2}, "control")
    assert done["counts"] == [2, 3]
    assert client.value("x") == 1
    assert client.ask("holdfast_undo_request", {"cells": 0}, "control")["status"] == "error"


@pytest.mark.parametrize("cells", [1, 3])
def test_threads_that_run_do_not_cost_the_way_back(cells: int) -> None:
    with running() as kernel:
        client = kernel.client()
        client.do(
            "import threading; e = threading.Event()\n"
            "t = threading.Thread(target=e.wait, daemon=True); t.start()"
        )
        for number in range(2, 7):
            client.do(f"x = {number}")
        back(client, f"%undo {cells}")
        assert client.value("x") == 6 - cells


def test_after_the_end_of_all_processes_undone_cells_are_not_offered_again() -> None:
    with running(settings="[checkpoint]\nenabled = false\n") as kernel:
        client = kernel.client()
        client.do("x = 1")
        client.do("x = 2")
        back(client)
        client.do("y = 3")
        kernel.lose()
        kernel.launch()
        successor = kernel.client("successor")
        assert "In[2] was undone" in successor.do("%recover").text()
        offered = successor.do("%recover code").reply["payload"]
        assert [each["text"] for each in offered] == ["x = 1\n\ny = 3"]


def test_a_sleeper_that_was_killed_is_not_offered_and_the_others_are() -> None:
    with running(settings="[checkpoint]\nenabled = false\n") as kernel:  # which a copy of a sleeper writes
        client = kernel.client()
        sleepers = []
        for number in range(1, 5):
            before = family(kernel, client).standbys
            client.do(f"x = {number}")
            wait_for_standby(client, number)
            sleepers.append(set(family(kernel, client).standbys) - set(before))
        (sleeper,) = sleepers[1]  # after In[2]
        os.kill(sleeper, signal.SIGKILL)
        client.until_told(lambda: "after In[2]" not in client.do("%checkpoints").text(), "that it is gone")
        assert "the state after In[2] is not kept any more" in client.run("%undo 2").reply["evalue"]
        back(client, "%undo 3")
        assert client.value("x") == 1


def test_comms_that_were_opened_by_an_undone_cell_are_closed_and_older_ones_live(client: Client) -> None:
    client.do("from comm import create_comm; old = create_comm(target_name='t')")
    client.do("new = create_comm(target_name='t')")
    old, new = client.value("old.comm_id, new.comm_id")
    back(client, "%undo 2")
    closed = [each for each in client.published if each["msg_type"] == "comm_close"]
    assert [each["content"]["comm_id"] for each in closed] == [new]
    assert list(client.ask("comm_info_request", {})["comms"]) == [old]


def test_an_error_before_does_not_matter_and_an_error_after_does_not_hinder(client: Client) -> None:
    client.do("x = 1")
    client.run("x = 2; 1 / 0")
    assert client.run("%undo\n1 / 0").error["ename"] == "ZeroDivisionError"
    assert client.value("x") == 1


def test_a_cell_that_asks_and_crashes_goes_back_to_before_itself_only(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    assert "every variable as before In[3]" in client.run(f"%undo\n{DIE}").notice
    assert client.value("x") == 2
    back(client, "%undo 2")
    assert client.value("x") == 1
