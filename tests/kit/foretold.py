"""A session in one process that dies, and two copies of its standby: one is examined, one goes on.

`of(before, after)` starts it as a program of its own, where nothing is open or running but by `before`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from holdfast.worker.standby import canary, databases, openmp, quiet, sibling
from holdfast.worker.standby.orphans import disown
from holdfast.worker.standby.pools import break_pools
from holdfast.worker.standby.privatise import make_private, wake
from holdfast.worker.standby.survey import survey

SETUP_SECONDS = 90.0
DEADLINE_SECONDS = 6.0
"""Of what comes after, where a hang is foretold, and of an examination that may be one."""
PATIENCE_SECONDS = 40.0
"""Of all other examinations, and of what is foretold to go well: on a machine that has other things to do."""
QUIET_MS = 5_000.0


class Foretold(NamedTuple):
    """What was said of the standby, and what came true."""

    grade: str
    reasons: list[str]
    took: float
    """Seconds of the examination."""
    came_true: str
    """`resume` if all of `after` ran."""
    how: str


def of(before: str, after: str, cwd: Path, patience: float = PATIENCE_SECONDS) -> Foretold:
    """What the canary says within `patience` when `before` has run, and whether `after` runs in a copy."""
    (examined, its_end), (went_on, other_end) = os.pipe(), os.pipe()
    ends = its_end, other_end
    try:
        with (cwd / "errors").open("w") as errors:
            done = subprocess.run(
                [sys.executable, __file__, *map(str, ends), before, after],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=ends,
                timeout=SETUP_SECONDS,
                check=False,
            )
    finally:
        for end in ends:
            os.close(end)
    assert done.returncode == -signal.SIGKILL, (cwd / "errors").read_text()
    said = _hear(examined, patience)
    answer = said[-1] if said and isinstance(said[-1], dict) else {"reasons": [f"no answer: {said[1:]}"]}
    grade = answer.get("grade", "salvage")
    came = _hear(went_on, PATIENCE_SECONDS if grade == "resume" else DEADLINE_SECONDS)
    how = str(came[1:])
    return Foretold(
        grade,
        answer["reasons"],
        answer.get("took", patience),
        "resume" if came[1:] == [_DONE] else "salvage",
        how,
    )


_DONE = "done"


def _hear(pipe: int, seconds: float) -> list[Any]:
    """What a copy says until it ends; it ends after so many seconds, if not before."""
    end = time.monotonic() + seconds
    heard = b""
    while select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
        if not (some := os.read(pipe, 65536)):
            break
        heard += some
    os.close(pipe)
    lines = [json.loads(line) for line in heard.splitlines()]
    for pid in lines[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return lines


def _main(examined: int, went_on: int, before: str, after: str) -> NoReturn:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(before, namespace)
    ours = frozenset({0, 1, 2, examined, went_on})
    openmp.look()
    canary.fingerprint()
    seen = survey(ours)
    private, other = os.pipe()
    with quiet.held_still(QUIET_MS) as busy:
        openmp.pause()
        assert not busy, busy
        if os.fork():  # as the worker does where there are threads (`sibling`)
            os.close(other)
            os.read(private, 1)
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(private)
    open_here = make_private(seen, ours | {other})
    os.close(other)

    def copy(pipe: int, task: Callable[[Callable[[object], None]], object]) -> None:
        if sibling.copy():
            return

        for other_end in {examined, went_on} - {pipe}:
            os.close(other_end)

        def say(what: object) -> None:
            os.write(pipe, json.dumps(what).encode() + b"\n")

        say(os.getpid())
        wake(open_here)
        disown()
        break_pools(seen.threads)
        databases.keep_open(is_one=canary.had_threads("duckdb"))
        try:
            say(task(say))
        except Exception as error:  # noqa: BLE001 - it is what came of it
            say(repr(error))
        os._exit(0)

    def examine(say: Callable[[object], None]) -> dict[str, Any]:
        began = time.monotonic()
        verdict = canary.examine(namespace, seen.threads, say)
        return {**verdict._asdict(), "took": time.monotonic() - began}

    copy(examined, examine)
    copy(went_on, lambda _say: exec(after, namespace) or _DONE)  # type: ignore[func-returns-value]
    os._exit(0)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
