"""Which cells' effects the namespace holds: the operation `held`, and going back to before one of them."""

from __future__ import annotations

from typing import Any

from kit.kernel import Kernel, only_holdfast
from kit.travel import back
from kit.wire import Client

pytestmark = only_holdfast

DIE = "import os; os.abort()"


def asked(client: Client, operation: str, **arguments: Any) -> dict[str, Any]:
    message = client.send(f"holdfast_{operation}_request", arguments, "control")
    found: dict[str, Any] = client.reply(message)["content"]
    return found


def held(client: Client) -> list[str]:
    return [cell["code"] for cell in asked(client, "held")["cells"]]


def test_what_ran_is_held_and_what_crashed_or_was_undone_is_not(client: Client) -> None:
    client.do("x = 1")
    client.do("x = 2")
    client.run(DIE)
    assert held(client) == ["x = 1", "x = 2"]
    back(client)
    client.run("1 / 0")
    cells = asked(client, "held")["cells"]
    assert [(cell["code"], cell["status"]) for cell in cells] == [("x = 1", "ok"), ("1 / 0", "error")]
    back(client, "%redo")
    assert held(client) == ["x = 1", "x = 2"]


def test_who_only_asks_about_the_session_and_what_is_silent_is_none(client: Client) -> None:
    client.do("x = 1")
    client.do("%holdfast")
    client.do("y = 1", silent=True)
    assert held(client) == ["x = 1"]


def test_an_emptied_namespace_holds_nothing(client: Client) -> None:
    client.do("x = 1")
    client.do("%reset -f")
    assert held(client) == []
    client.do("x = 2")
    assert held(client) == ["x = 2"]
    back(client, "%undo 2")
    assert held(client) == ["x = 1"]


def test_another_supervisor_and_a_restart_change_nothing_about_it(kernel: Kernel, client: Client) -> None:
    client.do("x = 1")
    kernel.shut_down(restart=True)
    kernel.launch()
    successor = kernel.client("successor")
    assert held(successor) == []
    successor.do("x = 2")
    assert held(successor) == ["x = 2"]


def test_one_goes_back_to_just_before_a_cell_by_its_number(client: Client) -> None:
    for number in range(1, 5):
        client.do(f"x = {number}")
    cell = asked(client, "held")["cells"][2]
    told = asked(client, "undo", before=cell["id"])
    assert told["counts"] == [3, 4]
    client.until_told(lambda: held(client) == ["x = 1", "x = 2"], "the state before In[3]")
    assert client.value("x") == 2
    gone = asked(client, "undo", before=cell["id"])
    assert "the namespace does not hold what that cell did" in gone["evalue"]


def test_a_state_on_disk_does_where_none_is_in_memory_if_it_is_just_that(client: Client) -> None:
    for number in range(1, 9):
        client.do(f"x = {number}")
    cells = asked(client, "held")["cells"]
    assert "is not kept any more" in asked(client, "undo", before=cells[1]["id"])["evalue"]
    assert "is not kept any more" in asked(client, "undo", before=cells[1]["id"], disk=True)["evalue"]
