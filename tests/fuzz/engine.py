"""One target under atheris, in a process of its own: a find ends it.

Coverage is measured of Holdfast, and of what in Python it parses with; what is in C says nothing.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it (pyproject.toml, pythonpath)

MEASURED = ["holdfast", "fuzz.holds", "tomllib", "ipaddress"]

LONGEST = 4096
"""Bytes of an input: every bound that readers have is either within it, or has a test of its own."""

PATIENCE = 10
"""Seconds for one input, on a busy machine; a usual one takes less than a thousandth."""

MEMORY = 1024
"""MB. What an input of so few bytes needs has a hundredth."""


def main(name: str, corpus: str, finds: str, seconds: str) -> None:
    """Until a find, or so many seconds."""
    import atheris

    with atheris.instrument_imports(include=MEASURED):
        target = importlib.import_module("fuzz.targets").load(name)
    options = {
        "artifact_prefix": f"{finds}/",
        "max_total_time": seconds,
        "max_len": LONGEST,
        "keep_seed": 1,  # what decides between them may be in C
        "timeout": PATIENCE,
        "rss_limit_mb": MEMORY,
        "print_final_stats": 1,
        "report_slow_units": PATIENCE,
    }
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, corpus], target.holds)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
