"""Runs a suite and says what passed. The Python that runs this needs the suite's own requirements."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from tests.conformance.scratch import scratch
from tests.conformance.suites import SUITES, Suite

SECONDS = 180
"""For one test: the slowest wait a minute for something that must not come."""


def main() -> int:
    """Run the suite; the exit status is 0 if everything passed that was run."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("checkout", type=Path, help="folder of the project, at the release to be tested")
    parser.add_argument("-k", dest="expression", help="only tests that match, as pytest -k")
    asked = parser.parse_args()
    suite = SUITES[asked.suite]
    only = ["-k", asked.expression] if asked.expression else []
    results = Counter[str]()
    with scratch() as environment:
        others = [*suite.left_out, *suite.wants_an_end]
        results += _pytest(asked.checkout, suite, suite.paths, others, only, environment)
        if suite.wants_an_end:
            ending = {**environment, "HOLDFAST_ON_CRASH": "exit"}
            results += _pytest(asked.checkout, suite, suite.wants_an_end, (), only, ending)
    _tell(asked.suite, suite, results)
    return int(not results["passed"] or bool(results["failed"]))


def _pytest(
    checkout: Path,
    suite: Suite,
    chosen: Iterable[str],
    without: Iterable[str],
    more: Iterable[str],
    environment: dict[str, str],
) -> Counter[str]:
    """Run tests in a process of their own; how many passed, failed and were skipped."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider"),
                *("-o", "addopts=", "-o", "filterwarnings=", f"--timeout={SECONDS}"),
                f"--junit-xml={report.name}",
                *suite.options,
                *(f"--deselect={each}" for each in without),
                *more,
                *chosen,
            ],
            cwd=checkout,
            env=environment,
            check=False,
        )
        try:
            tree = ElementTree.parse(report.name)  # noqa: S314 - pytest wrote it for us
        except ElementTree.ParseError:  # pytest could not begin, and has said why
            return Counter(failed=1)
    return Counter(_verdict(case) for case in tree.iter("testcase"))


def _verdict(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


def _tell(name: str, suite: Suite, results: Counter[str]) -> None:
    print(f"\n{name}: {results['passed']} passed, {results['failed']} failed, {results['skipped']} skipped")
    if suite.left_out:
        print("left out:")
    for test, reason in suite.left_out.items():
        print(f"  {test}\n      {reason}")


if __name__ == "__main__":
    sys.exit(main())
