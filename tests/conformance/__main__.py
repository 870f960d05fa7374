"""Runs a suite and says what passed. The Python that runs this needs the suite's own requirements."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.conformance.scratch import scratch
from tests.conformance.suites import SUITES, Suite

SECONDS = 180
"""For one test: the slowest wait a minute for something that must not come."""


def main() -> int:
    """Run the suite; the exit status is 0 if everything passed that was run."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("checkout", type=Path, help="folder of the project, at the release to be tested")
    parser.add_argument("-k", dest="expression", default="", help="only tests that match, as pytest's -k")
    parser.add_argument("--all", action="store_true", help="also what is left out")
    asked = parser.parse_args()
    suite = SUITES[asked.suite]
    without = [*suite.wants_an_end, *({} if asked.all else suite.left_out)]
    with scratch() as place:
        results = _pytest(asked.checkout, suite.paths, without, asked.expression, place.environment)
        if suite.wants_an_end:
            ending = place.environment | {"HOLDFAST_ON_CRASH": "exit"}
            results += _pytest(asked.checkout, suite.wants_an_end, (), asked.expression, ending)
        sessions = place.sessions()
    _tell(asked.suite, suite, results, sessions)
    return int(not results["passed"] or results["failed"] > 0 or not sessions)


def _pytest(
    checkout: Path,
    chosen: Iterable[str],
    without: Iterable[str],
    expression: str,
    environment: dict[str, str],
) -> Counter[str]:
    """Run tests in a process of their own; how many passed, failed and were skipped."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", "-k", expression),
            *("-o", "addopts=", "-o", "filterwarnings="),  # a warning is no failure of the kernel's
            *(f"--timeout={SECONDS}", f"--junit-xml={report.name}"),
            *(f"--deselect={each}" for each in without),
            *chosen,
        ]
        subprocess.run(command, cwd=checkout, env=environment, check=False)
        try:
            cases = list(ET.parse(report.name).iter("testcase"))
        except ET.ParseError:  # pytest could not begin, and has said why
            return Counter(failed=1)
    return Counter(_verdict(case) for case in cases)


def _verdict(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


def _tell(name: str, suite: Suite, results: Counter[str], sessions: int) -> None:
    print(f"\n{name}: {results['passed']} passed, {results['failed']} failed, {results['skipped']} skipped")
    print(f"in {sessions} sessions of Holdfast's" if sessions else "but not with Holdfast's kernel")
    for test, reason in suite.left_out.items():
        print(f"left out: {test}\n    {reason}")


if __name__ == "__main__":
    sys.exit(main())
