"""The plain interpreter: runs cells and tells its digests, one line of JSON each, and has nothing of ours.

A program of its own (`oracle` starts it): what cells print goes nowhere.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import runpy
import sys
from typing import Any

DIGEST = runpy.run_path(sys.argv[1])
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def run(code: str, namespace: dict[str, Any], loop: asyncio.AbstractEventLoop) -> str:
    """Run a cell; the name of its error, if it ends with one."""
    try:
        result = eval(compile(code, "<cell>", "exec", FLAGS, dont_inherit=True), namespace)
        if inspect.iscoroutine(result):
            loop.run_until_complete(result)
    except RuntimeError as error:  # IPython runs a statement that awaits nothing by itself
        return type(error.__cause__ if isinstance(error.__cause__, StopIteration) else error).__name__
    except Exception as error:  # noqa: BLE001 - told
        return type(error).__name__
    return ""


def main() -> None:
    """Until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(nowhere, standard)
    loop = asyncio.new_event_loop()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for line in sys.stdin:
        asked = json.loads(line)
        if "code" in asked:
            answer = run(asked["code"], namespace, loop)
        elif "show" in asked:
            answer = DIGEST["show"](namespace, asked["show"])
        else:
            answer = DIGEST["digests"](namespace)
        print(json.dumps(answer), file=answers, flush=True)


main()
