"""`python -m tests.notebooks [NAME ...]`: all notebooks, or these; exit 1 if one of them differs."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it (pyproject.toml, pythonpath)


def main(chosen: list[str]) -> int:
    """Play and compare; one line for each notebook, and what differs below it."""
    book, compare = (importlib.import_module(f"notebooks.{name}") for name in ("book", "compare"))
    different = []
    for name in chosen or book.names():
        began = time.monotonic()
        notebook = book.read(name)
        try:
            found = compare.differences(notebook)
        except (RuntimeError, TimeoutError) as error:  # a kernel that does not start, or does not answer
            found = [f"  {type(error).__name__}: {error}"]
        verdict = "DIFFERS" if found else "same"
        seconds = time.monotonic() - began
        print(
            f"{verdict:8}{name} ({len(notebook.cells)} cells, {seconds:.0f} s)", *found, sep="\n", flush=True
        )
        different += [name] if found else []
    print(f"{len(different)} of {len(chosen or book.names())} differ: {', '.join(different) or 'none'}")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
