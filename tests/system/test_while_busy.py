"""Questions are answered while a cell runs: as of the cell before it, once, and without doing any harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.kernel import Kernel, only_holdfast, running
from kit.wire import Client, Message

pytestmark = only_holdfast

SOON = 15.0
"""Seconds within which an answer comes that waits for no cell: with a fork, and jedi's first look around."""

PATIENT = f"[meanwhile]\nanswer_seconds = {SOON}\n"
"""On a busy machine that look takes as long as a session lets a copy think."""

HUNG_SECONDS = 5.0
"""So long it does let it think."""

RUNS = "print('here', flush=True); bell = __import__('threading').Event(); bell.wait(60)"
"""A cell that goes on until it is interrupted."""


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A session that waits for the answers of copies."""
    with running(settings=PATIENT) as kernel:
        yield kernel


def run_on(client: Client, code: str = RUNS) -> str:
    """Have a cell run, and wait until it does."""
    msg_id = client.start(code)
    client.text(msg_id, "here")
    return msg_id


def stop(client: Client, msg_id: str) -> None:
    client.send("interrupt_request", {}, "control")
    assert client.finish(msg_id).error["ename"] == "KeyboardInterrupt"


def complete(client: Client, code: str) -> str:
    return client.send("complete_request", {"code": code, "cursor_pos": len(code)})


def inspect(client: Client, code: str) -> str:
    return client.send("inspect_request", {"code": code, "cursor_pos": len(code), "detail_level": 0})


def as_of(message: Message) -> object:
    """What a reply says of its own age; "now" if nothing."""
    return message["metadata"].get("holdfast", {}).get("as_of", "now")


def variables(client: Client, **asked: object) -> Message:
    found = client.ask("holdfast_variables_request", asked, "control")
    assert found["status"] == "ok", found
    return found


def by_name(found: Message) -> dict[str, Message]:
    return {each["name"]: each for each in found["variables"]}


def test_completion_is_answered_while_a_cell_runs_and_says_as_of_when(client: Client) -> None:
    client.do("walrus_one = 1")
    client.do("walrus_two = 2")
    running = run_on(client, "walrus_three = 3; " + RUNS)
    reply = client.reply(complete(client, "walrus_"), SOON)
    assert reply["content"]["matches"] == ["walrus_one", "walrus_two"]
    assert as_of(reply) == 2
    stop(client, running)
    later = client.reply(complete(client, "walrus_"))
    assert sorted(later["content"]["matches"]) == ["walrus_one", "walrus_three", "walrus_two"]
    assert as_of(later) == "now"


def test_inspection_is_answered_while_a_cell_runs_and_its_text_says_as_of_when(client: Client) -> None:
    client.do("def walrus():\n    'Has tusks.'")
    running = run_on(client)
    reply = client.reply(inspect(client, "walrus"), SOON)
    text = reply["content"]["data"]["text/plain"]
    assert "Has tusks." in text
    assert text.splitlines()[-1] == "(as of In[1]: another cell runs)"
    assert as_of(reply) == 1
    assert client.reply(inspect(client, "tusk"), SOON)["content"]["found"] is False
    stop(client, running)


def test_during_the_first_cell_answers_are_as_of_no_cell(client: Client) -> None:
    running = run_on(client)
    reply = client.reply(complete(client, "prin"), SOON)
    assert "print" in reply["content"]["matches"]
    assert as_of(reply) is None
    stop(client, running)


def test_a_question_is_busy_then_answered_then_idle_and_the_cell_is_busy_still(client: Client) -> None:
    running = run_on(client)
    question = complete(client, "prin")
    states = [message["content"]["execution_state"] for message in client.idle(question, SOON)]
    assert states == ["busy", "idle"]
    client.until(lambda: client.published[-1]["parent_header"].get("msg_id") == running, "busy of the cell")
    assert client.published[-1]["content"] == {"execution_state": "busy"}
    stop(client, running)


def test_a_short_cell_is_waited_for_and_the_answer_is_as_of_now() -> None:
    """Short is what is over before a question has waited for so long; here all that this machine may do."""
    with running(settings="[meanwhile]\nwait_ms = 60_000.0\n") as kernel:
        client = kernel.client()
        client.do("import time")
        cell = client.start("walrus = 1; time.sleep(0.01)")
        question = complete(client, "walru")
        client.finish(cell)
        reply = client.reply(question)
        assert (reply["content"]["matches"], as_of(reply)) == (["walrus"], "now")


def test_a_question_behind_cells_that_wait_is_answered_before_them(client: Client) -> None:
    client.do("walrus = 1")
    running = run_on(client)
    waiting = client.start("walrus = 2")
    assert as_of(client.reply(complete(client, "walr"), SOON)) == 1
    assert waiting not in client.replies
    stop(client, running)
    assert client.finish(waiting).status == "aborted"


def test_what_an_answer_does_to_the_namespace_or_prints_is_gone_with_it(client: Client) -> None:
    client.do(
        "seen = []\n"
        "class Nosy:\n"
        "    def __dir__(self): seen.append(1); print('boo', flush=True); os.system('echo boo');\\\n"
        "        return ['tusk']\n"
        "import os; nosy = Nosy()"
    )
    running = run_on(client)
    assert client.reply(complete(client, "nosy."), SOON)["content"]["matches"] == ["tusk"]
    stop(client, running)
    assert client.value("seen") == []
    assert not any("boo" in str(message["content"].get("text")) for message in client.published)


@pytest.fixture
def hasty() -> Iterator[Kernel]:
    """A session that is as impatient as all are; jedi has had its first look around."""
    with running() as kernel:
        client = kernel.client()
        client.reply(complete(client, "prin"))
        yield kernel


def test_two_questions_that_kill_or_hang_their_answerer_wait_for_the_worker(hasty: Kernel) -> None:
    client = hasty.client()
    client.do(
        "import os, ctypes; worker = os.getpid()\n"
        "class Deadly:\n"
        "    def __dir__(self):\n"
        "        if os.getpid() != worker: os.abort()\n"
        "        return ['tusk']\n"
        "class Stuck:\n"
        "    def __dir__(self):\n"
        "        if os.getpid() != worker: ctypes.PyDLL(None).sleep(60)\n"
        "        return ['tusk']\n"
        "deadly, stuck, walrus = Deadly(), Stuck(), 1"
    )
    running = run_on(client)
    bad = [complete(client, "deadly."), complete(client, "stuck.")]
    assert as_of(client.reply(complete(client, "walr"), HUNG_SECONDS + SOON)) == 1
    assert not client.replies.keys() & set(bad)
    stop(client, running)
    for each in bad:
        reply = client.reply(each)
        assert as_of(reply) == "now"
        assert reply["content"]["matches"] == ["tusk"]


def test_questions_at_any_moment_are_answered_once_each(client: Client) -> None:
    """Cells of all lengths around the moment for which questions wait; the client refuses a second reply."""
    client.do("import time; walrus = 1")
    questions = []
    for length in (0.0, 0.03, 0.05, 0.07, 0.1, 0.12) * 3:
        cell = client.start(f"time.sleep({length}); walrus_{len(questions)} = 1")
        questions += [complete(client, "walru"), inspect(client, "walrus")]
        client.finish(cell)
        questions.append(complete(client, "walru"))
    for each in questions:
        reply = client.reply(each)
        assert reply["content"]["status"] == "ok"
        states = [message["content"]["execution_state"] for message in client.idle(each)]
        assert states == ["busy", "idle"]


def test_a_crash_of_the_cell_leaves_no_question_unanswered(client: Client) -> None:
    client.do("walrus = 1; import os")
    for pause in (0.0, 0.06, 0.1):
        cell = client.start(f"import time; time.sleep({pause}); os.abort()")
        questions = [complete(client, "walr") for _ in range(3)]
        assert client.finish(cell).status == "error"
        for each in questions:
            assert client.reply(each)["content"]["matches"] == ["walrus"]
        assert client.value("walrus") == 1


def test_a_restart_while_a_question_is_open_ends_its_answerer(hasty: Kernel) -> None:
    client = hasty.client()
    client.do(
        "import os, ctypes; worker = os.getpid()\n"
        "class Stuck:\n"
        "    def __dir__(self):\n"
        "        ctypes.PyDLL(None).sleep(60)\n"
        "stuck = Stuck()"
    )
    run_on(client)
    complete(client, "stuck.")
    assert as_of(client.reply(complete(client, "prin"), HUNG_SECONDS + SOON)) == 1
    client.ask("shutdown_request", {"restart": True}, "control")
    hasty.wait()
    hasty.launch()
    again = hasty.client()
    assert again.value("6 * 7") == 42


# Variables


def test_variables_are_listed_between_cells_and_while_one_runs(client: Client) -> None:
    client.do("from math import pi; walrus = 'tusk'; herd = list(range(1000)); _secret = 1")
    found = variables(client)
    assert (found["as_of"], found["running"], found["more"]) == (1, None, 0)
    assert [each["name"] for each in found["variables"]] == ["pi", "walrus", "herd"]
    assert by_name(found)["walrus"] == {
        "name": "walrus", "type": "str", "size": 4, "shape": None, "text": "'tusk'",
    }  # fmt: skip
    assert by_name(found)["herd"]["size"] == 1000
    assert by_name(found)["herd"]["text"].startswith("[0, 1, 2,")
    running = run_on(client, "walrus = None; " + RUNS)
    found = variables(client, names=["walrus", "no_such"])
    assert (found["as_of"], found["running"]) == (1, 2)
    assert [each["text"] for each in found["variables"]] == ["'tusk'"]
    stop(client, running)
    assert by_name(variables(client))["walrus"]["text"] == "None"


def test_no_variable_can_harm_the_list_or_the_session(client: Client) -> None:
    client.do(
        "import time, sys, os\n"
        "worker = os.getpid()\n"
        "def shows(act): return type('Odd', (), {'__repr__': lambda self: act()})()\n"
        "raises = shows(lambda: 1 / 0)\n"
        "leaves = shows(lambda: sys.exit(3))\n"
        "slow = shows(lambda: time.sleep(60))\n"
        "def deaf():\n"
        "    while True:\n"
        "        try: time.sleep(60)\n"
        "        except Exception: pass\n"
        "deafened = shows(deaf)\n"
        "wrong = shows(lambda: 5)\n"
        "long = shows(lambda: 'x' * 10**7)\n"
        "lines = shows(lambda: 'a\\n   b')\n"
        "number = 10**5000\n"
        "data = bytes(10**8)\n"
        "table = {n: str(n) for n in range(10**6)}\n"
        "nested = []; nested.append(nested)\n"
        "class Container(list):\n"
        "    def __len__(self): time.sleep(60)\n"
        "lazy = Container()\n"
        "class Shapely:\n"
        "    shape = property(lambda self: 1 / 0)\n"
        "shapely = Shapely()\n"
        "fine = 1"
    )
    found = by_name(variables(client))
    assert found["raises"]["text"] == "(its repr raises ZeroDivisionError)"
    assert found["leaves"]["text"] == "(its repr raises SystemExit)"
    assert found["slow"]["text"] == found["deafened"]["text"] == "(its repr takes longer than 0.2 s)"
    assert found["wrong"]["text"] == "(its repr raises TypeError)"
    assert found["long"]["text"] == "x" * 79 + "…"
    assert found["lines"]["text"] == "a b"
    assert found["number"]["type"] == "int"
    assert found["data"]["size"] == 10**8
    assert found["table"]["text"].startswith("{0: '0', 1: '1',")
    assert found["lazy"]["size"] is None
    assert (found["fine"]["type"], found["fine"]["text"]) == ("int", "1")
    assert client.value("os.getpid() == worker")


def test_names_are_listed_where_a_repr_kills_or_holds_the_interpreter(client: Client) -> None:
    client.do(
        "import os\n"
        "class Deadly:\n    def __repr__(self): os.abort()\n"
        "deadly, fine = Deadly(), 1\n"
        "worker = os.getpid()"
    )
    found = by_name(variables(client))
    assert found["deadly"]["type"] == "Deadly"
    assert found["fine"] == {"name": "fine", "type": "int", "size": None, "shape": None, "text": ""}
    assert client.value("os.getpid() == worker")


def test_arrays_and_frames_tell_their_shape(client: Client) -> None:
    pytest.importorskip("numpy")
    client.do("import numpy as np; grid = np.zeros((3, 4)); point = np.float64(2)")
    found = by_name(variables(client))
    assert (found["grid"]["type"], found["grid"]["shape"]) == ("numpy.ndarray", [3, 4])
    assert found["np"]["shape"] is None


def test_the_list_of_variables_is_bounded(client: Client) -> None:
    client.do("globals().update({f'v{n}': n for n in range(50)})")
    found = variables(client, limit=10)
    assert ([each["name"] for each in found["variables"]], found["more"]) == (
        [f"v{n}" for n in range(40, 50)],
        40,
    )
    refused = client.ask("holdfast_variables_request", {"limit": 0}, "control")
    assert refused["status"] == "error"
