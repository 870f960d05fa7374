"""What waits for the worker, in which order, and what of it others can answer."""

from __future__ import annotations

from typing import Any, cast

from holdfast.access.doors import Door
from holdfast.protocol.content import ExecuteRequest
from holdfast.protocol.messages import Header, Message
from holdfast.supervisor.cells.queue import Job, Queue


def job(msg_type: str, msg_id: str = "1") -> Job:
    header = Header(msg_id=msg_id, msg_type=msg_type, session="s", username="ana")
    message = Message([], header, b"{}", b"{}", b"{}", b"{}", [])
    request = ExecuteRequest(code="1") if msg_type == "execute_request" else None
    return Job(message, cast("Door", None), "shell", request)


def queue(*jobs: Job) -> Queue:
    made = Queue(10)
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
