"""`python -m tests.faults`: all kinds, the slow ones too, as often and as randomly as is asked for."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it (pyproject.toml, pythonpath)


@dataclass
class Line:
    """Of the table: what came of one kind."""

    runs: int = 0
    passed: int = 0
    slowest: float = 0.0
    why: str = ""
    failures: list[str] = field(default_factory=list)


def main() -> int:
    """Play, print a table; 1 if something was not as it is promised."""
    options = _options()
    kinds = [kind for kind in importlib.import_module("faults.table").KINDS if kind.number in options.kinds]
    print(f"{'kind':58}{'runs':>6}{'passed':>8}{'slowest':>10}", flush=True)
    bad = []
    for kind in kinds:
        line = _line(kind, options)
        print(_row(str(kind), line), flush=True)
        for failure in line.failures:
            print(failure, file=sys.stderr)
        if line.passed < line.runs:
            bad.append(str(kind))
    print(f"{len(bad)} of {len(kinds)} are not as they are promised: {', '.join(bad) or 'none'}")
    return bool(bad)


def _line(kind: Any, options: argparse.Namespace) -> Line:
    runner = importlib.import_module("faults.runner")
    line = Line(why=kind.not_tested or runner.cannot(kind) or "")
    for number in range(0 if line.why else options.repeat):
        line.runs += 1
        seconds, failure = _once(
            lambda number=number: runner.play(
                kind, seed=options.seed + number, random_moments=options.random_moments
            )
        )
        if failure is None:
            line.passed += 1
            line.slowest = max(line.slowest, seconds)
        else:
            line.failures.append(f"--- {kind}, seed {options.seed + number}\n{failure}")
    return line


def _once(play: Callable[[], float]) -> tuple[float, str | None]:
    """The slowest answer, or what went wrong with what the session's processes said."""
    said = io.StringIO()
    began = time.monotonic()
    try:
        with contextlib.redirect_stdout(said):
            return play(), None
    except Exception:  # noqa: BLE001 - whatever it is, the other kinds are still to be played
        return time.monotonic() - began, traceback.format_exc(limit=-3) + said.getvalue()


def _row(name: str, line: Line) -> str:
    if not line.runs:
        return f"{name:58}  not tested: {line.why}"
    figures = f"{line.runs:>6}{line.passed:>8}" + (f"{line.slowest:>8.2f} s" if line.passed else "")
    return f"{name:58}{figures}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kinds", type=_numbers, default=range(1, 81), help="such as 1-20,33 (all)")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of what is random (%(default)s)")
    parser.add_argument(
        "--random-moments",
        action="store_true",
        help="kill at random moments, before the fault, in it and after it",
    )
    return parser.parse_args()


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


if __name__ == "__main__":
    sys.exit(main())
