"""What waits for the worker, in which order, and what of it others can answer."""

from __future__ import annotations

from typing import Any, cast

import pytest

from holdfast.access.doors import Door
from holdfast.errors import HoldfastError
from holdfast.protocol.content import ExecuteRequest
from holdfast.protocol.messages import Header, Message
from holdfast.settings import Wire
from holdfast.supervisor.cells.queue import Job, Queue
from holdfast.supervisor.cells.room import Room


def job(msg_type: str, msg_id: str = "1", size: int = 0) -> Job:
    header = Header(msg_id=msg_id, msg_type=msg_type, session="s", username="ana")
    message = Message([], header, b"", b"", b"", b"x" * size, [])
    request = ExecuteRequest(code="1") if msg_type == "execute_request" else None
    return Job(message, cast("Door", None), "shell", request)


def queue(*jobs: Job) -> Queue:
    made = Queue(Room(Wire(queue_cells=3, queue_bytes=10)))
    for each in jobs:
        made.add(each)
    return made


def rest(waiting: Queue) -> list[Any]:
    return waiting.take_all()


def test_questions_are_taken_out_from_between_cells_and_messages() -> None:
    jobs = [job(f"{kind}_request") for kind in ("execute", "complete", "comm", "inspect", "execute")]
    waiting = queue(*jobs)
    assert waiting.has_questions
    assert waiting.take_questions() == [jobs[1], jobs[3]]
    assert not waiting.has_questions
    assert rest(waiting) == [jobs[0], jobs[2], jobs[4]]


def test_a_question_that_nobody_could_answer_is_next_and_is_not_taken_again() -> None:
    cell, question = job("execute_request"), job("complete_request")
    waiting = queue(cell, question)
    assert waiting.take_questions() == [question]
    question.left_to_worker = True
    waiting.put_back(question)
    assert waiting.take_questions() == []
    assert rest(waiting) == [question, cell]


def test_a_cell_is_taken_out_by_its_request_and_what_is_no_cell_is_not() -> None:
    jobs = [job("execute_request", "a"), job("complete_request", "b"), job("execute_request", "c")]
    waiting = queue(*jobs)
    assert waiting.cells == [jobs[0], jobs[2]]
    assert waiting.take_cell("c") is jobs[2]
    assert waiting.take_cell("b") is None
    assert waiting.take_cell("c") is None
    assert rest(waiting) == jobs[:2]


def test_a_request_too_many_is_refused_and_none_that_is_alone() -> None:
    alone = queue(job("execute_request", size=1_000))
    assert alone.next() is not None
    waiting = queue(*[job("execute_request") for _ in range(2)])
    waiting.check_room(job("execute_request"))
    waiting.add(job("execute_request"))
    with pytest.raises(HoldfastError, match="3 requests wait already"):
        waiting.check_room(job("execute_request"))


def test_a_question_has_its_room_until_it_is_answered() -> None:
    question = job("complete_request", size=9)
    waiting = queue(question)
    assert waiting.take_questions() == [question]
    with pytest.raises(HoldfastError, match="wait already"):
        waiting.check_room(job("complete_request", size=2))
    waiting.answered(question)
    waiting.check_room(job("complete_request", size=2))


@pytest.mark.parametrize("way", ["next", "take_cells", "take_all", "take_cell"])
def test_what_waits_no_longer_leaves_its_room(way: str) -> None:
    waiting = queue(job("execute_request", size=10))
    with pytest.raises(HoldfastError, match="wait already"):
        waiting.check_room(job("execute_request", size=1))
    assert getattr(waiting, way)(*(["1"] if way == "take_cell" else []))
    waiting.check_room(job("execute_request", size=1_000))


def test_a_question_that_is_put_back_leaves_its_room_once() -> None:
    question = job("complete_request", size=6)
    waiting = queue(question)
    (lent,) = waiting.take_questions()
    waiting.put_back(lent)
    with pytest.raises(HoldfastError, match="wait already"):
        waiting.check_room(job("complete_request", size=6))
    waiting.next()
    waiting.add(job("complete_request", size=6))
    waiting.check_room(job("complete_request", size=4))
