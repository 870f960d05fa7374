"""To other states than the last few: what was left by going back, what is on disk; and what that costs."""

from __future__ import annotations

import os
import signal

import pytest

from kit.deadline import Deadline
from kit.family import about
from kit.gate import Gate
from kit.kernel import Kernel, only_holdfast, running
from kit.processes import wait_for_end
from kit.travel import back, told
from kit.wire import WITHIN, Client, Message

pytestmark = only_holdfast

DIE = "import os; os.abort()"

SOON = "[checkpoint]\nrest_seconds = 0.05\nshare = 0.0\n"
"""Each cell is on disk at once."""

ONCE = "[checkpoint]\nrest_seconds = 0.05\nshare = 10_000.0\n"
"""The first one is, and no other."""

DISK_SECONDS = 30.0

MEBIBYTE = 1 << 20


def states(client: Client) -> dict[str, Message]:
    """What can be gone to, by what to type for it."""
    found = client.ask("holdfast_checkpoints_request", {}, "control")
    return {each["how"]: each for each in found["states"]}


def on_disk(client: Client) -> None:
    """Until the state after the last cell is on disk."""
    count = about(client)["execution_count"]
    client.until_told(
        lambda: f"on disk: In[{count}]" in about(client)["restore_point"],
        f"the state after In[{count}] on disk",
        DISK_SECONDS,
    )


def asleep(client: Client) -> None:
    """Until the state after the last cell is kept in memory."""
    count = about(client)["execution_count"]
    client.until_told(lambda: (about(client)["standby"] or {}).get("after") == count, "a standby")


# --- what was left by going back


def test_what_was_undone_can_be_gone_forward_to_with_the_numbers_going_on(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = [{number}]; g{number} = (n for n in range(9)); next(g{number}); x")
    back(client, "%undo 2")
    assert client.value("x") == [1]
    listed = client.do("%checkpoints").text()
    assert "  %redo           the state after In[3], left by going back, " in listed
    cell = back(client, "%redo")
    assert "after In[3], left by going back: In[5] is undone in memory" in cell.text()
    assert "; In[2] and In[3] are there again." in cell.text()
    assert "with every variable as after In[3]" in told(client, cell)
    after = client.do("x, next(g3), In[2][:7], In[5], sorted(Out)")
    assert after.reply["execution_count"] == 8
    assert after.result == "([3], 1, 'x = [2]', '', [1, 2, 3])"


def test_going_forward_leaves_what_was_there_in_its_turn(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    back(client)
    client.do("x += 10")
    back(client, "%redo")
    assert client.value("x") == 2
    back(client, "%redo")
    assert client.value("x") == 11
    back(client, "%redo")
    assert client.value("x") == 2
    back(client, "%undo")  # the question for x was a cell
    assert client.value("x") == 2


def test_undone_twice_is_gone_forward_to_in_one_step(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = {number}")
    back(client)
    back(client)
    cell = back(client, "%redo")
    assert "In[2] and In[3] are there again" in cell.text()
    assert client.value("x") == 3
    assert client.run("%redo").reply["ename"] == "UsageError"  # nothing was lost on the way


def test_going_forward_goes_back_again_from_there_with_what_both_have(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = {number}")
    back(client)
    back(client, "%redo")
    back(client, "%undo 3")
    assert client.run("x").error["ename"] == "NameError"


def test_a_crash_in_between_costs_nothing_of_what_was_left(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = {number}")
    back(client, "%undo 2")
    assert "every variable as before In[5]" in client.run(DIE).notice
    assert client.value("x") == 1
    back(client, "%redo")
    assert client.value("x") == 3
    assert "every variable as before In[9]" in client.run(DIE).notice
    assert client.value("x") == 3
    back(client, "%undo 4")  # three questions and In[3]: of what was left, only the end is kept
    assert client.value("x") == 1


def test_undo_then_crash_then_undo(client: Client) -> None:
    for number in range(1, 5):
        client.do(f"x = {number}")
    assert "as after In[3]" in told(client, back(client))
    assert "every variable as before In[6]" in client.run(DIE).notice
    assert "as after In[2]" in told(client, back(client))
    assert client.value("x") == 2
    assert "as after In[4]" in told(client, back(client, "%redo"))
    assert client.value("x") == 4


def test_the_namespace_after_a_restart_is_not_lost_by_undoing_the_restart(
    kernel: Kernel, client: Client
) -> None:
    client.do("old = 5")
    asleep(client)
    kernel.shut_down(restart=True)
    kernel.launch()
    successor = kernel.client("successor")
    successor.do("new = 6")
    back(successor, "%undo restart")
    assert successor.value("old") == 5
    back(successor, "%redo")
    after = successor.do("new")
    assert (after.result, after.reply["execution_count"]) == ("6", 5)
    assert successor.run("old").error["ename"] == "NameError"


def test_a_second_restart_does_not_cost_what_the_first_one_threw_away(kernel: Kernel, client: Client) -> None:
    client.do("old = 5")
    asleep(client)
    kernel.shut_down(restart=True)
    kernel.launch()
    kernel.client("hasty").value("1")
    kernel.shut_down(restart=True)
    kernel.launch()
    successor = kernel.client("successor")
    back(successor, "%undo restart")
    assert successor.value("In[-1] and 1") == 1


def test_what_crash_upon_crash_made_us_give_up_can_be_asked_for(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    for number in range(3):
        client.run(f"{number}; {DIE}")
    assert client.value("x") == 1
    back(client, "%redo crash")
    assert client.value("x") == 2


def test_the_session_is_sent_forward_from_outside(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    asleep(client)
    client.ask("holdfast_undo_request", {}, "control")
    assert client.value("x") == 1
    done = client.ask("holdfast_redo_request", {}, "control")
    assert done["counts"] == [3]
    assert client.value("x") == 2
    refused = client.ask("holdfast_redo_request", {"crash": True}, "control")
    assert "nothing was given up" in refused["evalue"]


def test_after_the_end_of_all_processes_what_is_there_again_is_offered(
    kernel: Kernel, client: Client
) -> None:
    client.do("x = 1")
    client.do("x = 2")
    back(client)
    client.do("y = 3")
    back(client, "%redo")
    kernel.lose()
    kernel.launch()
    successor = kernel.client("successor")
    assert "In[4] was undone" in successor.do("%recover").text()
    offered = successor.do("%recover code").reply["payload"]
    assert [each["text"] for each in offered] == ["x = 1\n\nx = 2"]


def test_what_was_left_is_never_woken_by_a_supervisor_that_takes_over(client: Client) -> None:
    for number in range(1, 4):
        client.do(f"x = {number}")
    back(client, "%undo 2")
    pid = about(client)["pid"]
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(WITHIN))
    assert client.run(DIE).status == "error"
    assert client.value("x") == 1
    assert "%redo" not in states(client)
    refused = client.run("%redo").reply["evalue"]
    assert "there is nothing to go forward to, or it is not kept any more" in refused


# --- what is on disk


def test_what_memory_has_not_any_more_is_offered_from_disk_and_had() -> None:
    with running(settings=f"{SOON}[standby]\nkeep = 2\n") as kernel:
        client = kernel.client()
        client.do("x = [1]; y = x; s = iter(x)")
        on_disk(client)
        client.do("x = [2]")
        on_disk(client)
        back(client, "%undo disk")
        client.do("x.append(9)")
        assert client.value("x, y is x") == ([1, 9], True)


def test_too_far_for_memory_is_refused_with_what_is_on_disk() -> None:
    with running(settings=f"{ONCE}[standby]\nkeep = 2\n") as kernel:
        client = kernel.client()
        client.do("x = 1")
        on_disk(client)
        for number in range(2, 7):
            client.do(f"x = {number}")
        refused = client.run("%undo 4").reply["evalue"]
        assert "the state after In[2] is not kept any more; the earliest that is kept is that" in refused
        assert "; on disk is that after In[1] (%undo disk)" in refused
        assert "; nothing as old is on disk" in client.run("%undo 6").reply["evalue"]
        assert "only 1" in client.run("%undo disk 2").reply["evalue"]
        assert client.value("x") == 6
        back(client, "%undo disk")
        assert "nothing older than this state is on disk" in client.run("%undo disk").reply["evalue"]
        assert client.value("x") == 1


def test_a_state_on_disk_is_listed_with_its_cost_and_leads_back_to_where_one_was() -> None:
    with running(settings=ONCE) as kernel:  # the state with the list would take its place
        client = kernel.client()
        client.do("import threading; big = b'x' * 3_000_000; lock = threading.Thread()")
        on_disk(client)
        client.do("big = b''")
        asleep(client)
        disk = states(client)["%undo disk"]
        assert (disk["state"], disk["kept"]) == ("after In[1]", "disk")
        assert disk["bytes"] > 3_000_000
        assert any("lock" in each for each in disk["lost"])
        listed = client.do("%checkpoints").text()
        assert "  %undo disk      the state after In[1], " in listed
        assert "on disk, 3.0 MB; without lock (" in listed
        cell = back(client, "%undo disk")
        assert "Going back to the state after In[1], from disk: In[2] is undone in memory" in cell.text()
        assert "lock (" in told(client, cell)
        after = client.do("len(big)")
        assert (after.result, after.reply["execution_count"]) == ("3000000", 5)
        back(client, "%redo")
        assert client.value("len(big), lock.name[:6]") == (0, "Thread")


def test_a_checkpoint_that_can_not_be_read_costs_no_state_that_was_there() -> None:
    with running(settings=SOON) as kernel:
        client = kernel.client()
        client.do("x = 1")
        on_disk(client)
        client.do("x = 2")
        asleep(client)
        for path in kernel.folder.glob("state/sessions/*/checkpoints/**/*"):
            if path.is_file():
                path.write_bytes(b"")
        back(client, "%undo disk")
        back(client, "%redo")
        assert client.value("x") == 2


def test_going_back_while_a_checkpoint_is_written_leaves_none_of_what_was_undone() -> None:
    with running(settings=SOON) as kernel:
        client = kernel.client()
        client.do("x = 1")
        on_disk(client)
        there, gate = Gate(kernel.folder / "there"), Gate(kernel.folder / "gate")
        client.do(
            "class Slow:\n    def __reduce__(self):\n"
            f"        {there.wait}\n        {gate.wait}\n        return (int, ())\nx = Slow()"
        )
        there.open()
        client.do("y = 2")
        back(client, "%undo 2")
        assert client.value("x") == 1
        assert "on disk: In[2]" not in about(client)["restore_point"]
        on_disk(client)


# --- libraries that can't go on


def test_a_session_with_polars_goes_back_and_forward_with_its_values(client: Client) -> None:
    pytest.importorskip("polars")
    client.do(
        "import polars as pl; f = pl.DataFrame({'k': [1, 2, 1] * 9999, 'v': range(29997)})\n"
        "total = lambda: f.group_by('k').agg(pl.col('v').sum()).sort('k')['v'].to_list()\n"
        "before = total()",
        within=60.0,
    )
    asleep(client)  # not before its threads rest
    client.do("f = f.with_columns(w=pl.col('v') * 2); after = total()")
    asleep(client)
    cell = back(client)
    assert "the values of " in told(client, cell)
    assert client.value("f.columns, total() == before, 'after' in globals()") == (["k", "v"], True, False)
    cell = back(client, "%redo")
    assert "the values of " in told(client, cell)
    assert client.value("f.columns, total() == after") == (["k", "v", "w"], True)


# --- what it may cost


def test_each_state_in_memory_says_what_it_costs(client: Client) -> None:
    client.do("x = bytearray(40_000_000)")
    client.do("x[:] = b'1' * len(x)")
    client.do("y = 1")
    asleep(client)
    found = client.ask("holdfast_checkpoints_request", {}, "control")
    costs = {each["how"]: each["bytes"] for each in found["states"]}
    assert costs["%undo 2"] > 39_000_000 > costs["%undo"]
    assert found["budget"] > found["held"] > 39_000_000
    assert " of their own; " in client.do("%checkpoints").text()


def test_a_checkpoint_that_is_being_written_takes_nothing_off_what_states_cost() -> None:
    with running(settings=SOON) as kernel:
        client = kernel.client()
        client.do("x = bytearray(b'1') * 400_000_000; y = bytearray(b'1') * 40_000_000")
        asleep(client)
        there, gate = Gate(kernel.folder / "there"), Gate(kernel.folder / "gate")
        client.do(
            "y[:] = b'2' * len(y)\nclass Slow:\n    def __reduce__(self):\n"
            f"        {there.wait}\n        {gate.wait}\n        return (int, ())\nslow = Slow()"
        )
        there.open()
        client.do("y[:] = b'3' * len(y)")
        asleep(client)
        client.until_told(  # what can't be read in the time of one answer is in the next one's
            lambda: client.ask("holdfast_checkpoints_request", {}, "control")["held"] > 80_000_000,
            "that both values of y are held",
        )
        gate.open()


def test_more_than_the_budget_is_not_kept_and_that_is_said() -> None:
    with running(settings=f"[standby]\nbudget = {150 * MEBIBYTE}\n") as kernel:
        client = kernel.client()
        client.do("x = bytearray(60_000_000)")
        for number in range(1, 6):
            client.do(f"x[:] = bytes([{number}]) * len(x)")
            asleep(client)
        client.until_told(lambda: "more than standby.budget" in client.do("%checkpoints").text(), "a drop")
        client.until_told(lambda: "%undo 4" not in states(client), "fewer states")
        assert "%undo" in states(client)
        found = client.ask("holdfast_checkpoints_request", {}, "control")
        assert found["dropped"].startswith("the state after In[")


def test_abandoned_states_go_first_and_two_stay_however_little_is_allowed() -> None:
    with running(settings="[standby]\nbudget = 1\n") as kernel:
        client = kernel.client()
        for number in range(1, 5):
            client.do(f"x = {number}")
        client.until_told(lambda: len(states(client)) <= 1, "fewer states")
        client.until_told(lambda: "memory is short" in about(client)["restore_point"], "a word on it")
        back(client)
        assert client.value("x") == 3
        assert "every variable" in client.run(DIE).notice
        client.until_told(lambda: "%redo" not in states(client), "that what was left is gone")


def test_who_wants_nothing_abandoned_kept_has_nothing_to_go_forward_to() -> None:
    with running(settings="[standby]\nbranches = 0\n") as kernel:
        client = kernel.client()
        client.do("x = 1")
        client.do("x = 2")
        back(client)
        assert client.run("%redo").reply["ename"] == "UsageError"
