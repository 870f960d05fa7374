"""Whatever a cell's objects do to IPython's own work, the cell ends, is answered, and the next one runs."""

from __future__ import annotations

from kit.kernel import only_holdfast
from kit.wire import Client

UNPRINTABLE = """
class Unprintable(Exception):
    def __str__(self):
        raise TypeError("even this fails")

raise Unprintable
"""


@only_holdfast
def test_an_error_that_can_not_be_printed_is_shown_and_answered(client: Client) -> None:
    cell = client.run(UNPRINTABLE)

    assert cell.status == "error"
    assert cell.error["ename"] == "Unprintable"
    assert client.run("6 * 7").result == "42"


@only_holdfast
def test_what_is_no_exception_is_shown_as_one_and_the_next_cell_runs(client: Client) -> None:
    cell = client.run("print('before')\nraise BaseException('base')")
    assert (cell.text(), cell.error["ename"], cell.error["evalue"]) == ("before\n", "BaseException", "base")
    assert client.value("1 + 1") == 2


def test_a_payload_that_json_can_not_hold_is_left_out(client: Client) -> None:
    cell = client.run("get_ipython().set_next_input(object())")

    assert cell.status == "ok"
    assert cell.reply["payload"] == []
    assert client.run("6 * 7").result == "42"


def test_a_blank_cell_gets_no_number(client: Client) -> None:
    client.run("1")
    numbers = [client.run(code).reply["execution_count"] for code in ("", " \n ", "2")]

    assert numbers == [1, 1, 2]


def test_history_of_this_session_is_listed_without_its_number(client: Client) -> None:
    client.run("sought = 1")

    assert client.run("%history -g sought").text().splitlines()[0].split() == ["1:", "sought", "=", "1"]


def test_rerun_runs_the_cell_before_and_not_itself(client: Client) -> None:
    client.run("print('once', 'more')")

    assert client.run("%rerun").text().endswith("=== Output: ===\nonce more\n")
