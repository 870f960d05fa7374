"""Whose output it is, with the interface that ipykernel has for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.worker.parents import HEADERS_KEPT, NOBODY, ParentApi, Parents
from holdfast.worker.threads import pass_parents_on
from kit.alone import alone


class Speaker(ParentApi):
    def __init__(self, parents: Parents) -> None:
        self.parents = parents

    def _speaker(self) -> Parents:
        return self.parents


def cells(count: int) -> Parents:
    parents = Parents()
    for number in range(1, count + 1):
        header = f'{{"msg_id":"m_{number}","msg_type":"execute_request"}}'.encode()
        parents.enter(number, header, b'{"cellId":"c"}', {"code": f"{number}"})
    return parents


def in_a_thread(parents: Parents) -> int:
    """The parent of a thread that nothing is known of."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(parents.current()))
    thread.start()
    thread.join()
    return found[0]


def test_the_parent_that_a_library_asks_for_is_the_request_that_runs() -> None:
    parent = Speaker(cells(12)).get_parent()

    assert parent["header"]["msg_id"] == parent["msg_id"] == "m_12"
    assert parent["metadata"] == {"cellId": "c"}
    assert parent["content"] == {"code": "12"}


def test_an_older_request_is_found_by_its_id_and_not_by_one_that_begins_so() -> None:
    parents = cells(12)

    assert parents.number_of({"header": {"msg_id": "m_1"}}) == 1
    assert parents.number_of({"msg_id": "m_12"}) == 12


def test_a_request_that_was_handed_out_is_known_when_its_header_is_forgotten() -> None:
    parents = cells(1)
    handed_out = parents.message()
    for number in range(2, HEADERS_KEPT + 10):
        parents.enter(number, b'{"msg_id":"later"}', b"{}")

    assert parents.number_of(handed_out) == 1


def test_an_unknown_request_changes_nothing_and_an_empty_one_is_nobodys() -> None:
    parents = cells(3)

    assert parents.number_of({"header": {"msg_id": "of another kernel"}}) == 3
    assert parents.number_of({}) == NOBODY


def test_a_thread_without_a_parent_of_its_own_follows_set_parent() -> None:
    parents = cells(3)
    Speaker(parents).set_parent({"header": {"msg_id": "m_2"}})

    assert in_a_thread(parents) == 2


def test_a_threads_own_parent_is_its_alone_and_can_be_given_back() -> None:
    parents = cells(3)
    speaker = Speaker(parents)
    token = speaker.set_thread_parent({"header": {"msg_id": "m_1"}})

    assert speaker.parent_header["msg_id"] == "m_1"
    assert in_a_thread(parents) == 3
    speaker.reset_thread_parent(token)
    assert parents.current() == 3


@alone
def test_a_thread_speaks_for_whoever_started_it(tmp_path: Path) -> None:
    parents = Parents()
    pass_parents_on(parents)
    go = threading.Event()
    found: list[int] = []
    parents.enter(1, b"{}", b"{}")
    thread = threading.Thread(target=lambda: go.wait() and found.append(parents.current()))
    thread.start()
    parents.enter(2, b"{}", b"{}")
    go.set()
    thread.join()

    assert found == [1]
    assert "run" not in vars(thread), "it would keep itself alive"


@alone
def test_a_thread_that_can_not_start_is_as_it_was(tmp_path: Path) -> None:
    pass_parents_on(Parents())
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="once"):
        thread.start()
    assert "run" not in vars(thread)


@alone
def test_a_pools_job_speaks_for_whoever_submitted_it(tmp_path: Path) -> None:
    parents = Parents()
    pass_parents_on(parents)
    with ThreadPoolExecutor(1) as pool:
        parents.enter(1, b"{}", b"{}")
        first = pool.submit(parents.current).result()
        parents.enter(2, b"{}", b"{}")
        second = pool.submit(parents.current).result()

    assert (first, second) == (1, 2)
