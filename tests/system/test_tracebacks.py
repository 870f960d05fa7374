"""A traceback shows the user's lines and their libraries', and none of Holdfast's own."""

from __future__ import annotations

import pytest

from kit.kernel import Kernel, only_holdfast
from kit.wire import Client

pytestmark = only_holdfast

MISTAKES = {
    "not a string": "import sys\nsys.stdout.write(3)",
    "not for JSON": "display({'text/plain': object()}, raw=True)",
    "not for JSON, by a library": "from comm import create_comm\ncreate_comm(target_name='x').send(object())",
    "not a command": "get_ipython().system(3)",
    "on the way to another one": "import sys\ntry: sys.stdout.write(3)\nexcept TypeError: 1 / 0",
    "in a pool": "from concurrent.futures import *\nThreadPoolExecutor(1).submit(lambda: 1 / 0).result()",
}

ASKING = {
    "input": "def ask():\n    return input('name? ')\nask()",
    "getpass": "import getpass\ngetpass.getpass('name? ')",
    "caught": "try: input('name? ')\nexcept KeyboardInterrupt: 1 / 0",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_error_shows_no_line_of_ours(guest: Client, mistake: str) -> None:
    shown = "\n".join(guest.run(MISTAKES[mistake]).error["traceback"])
    assert "Cell" in shown
    assert "holdfast/" not in shown
    if "library" in mistake:
        assert "base_comm.py" in shown


@pytest.mark.parametrize("asking", ASKING)
def test_a_question_that_is_interrupted_shows_the_line_that_asked(
    shared: Kernel, guest: Client, asking: str
) -> None:
    msg_id = guest.start(ASKING[asking], allow_stdin=True)
    guest.prompt()
    shared.interrupt()
    shown = "\n".join(guest.finish(msg_id).error["traceback"])
    assert "name? " in shown
    assert "holdfast/" not in shown


def test_a_chain_of_errors_without_end_is_shown(guest: Client) -> None:
    code = "a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a"
    assert guest.run(code).error["ename"] == "ValueError"
