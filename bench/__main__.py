"""The command: which rows, how often, in which order, and how they are shown."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version

from bench import checkpoint, consoles, crashes, kishu, rows
from bench.client import Silence
from bench.figures import Line, as_json, table
from bench.kernels import IPYKERNEL, Kernel, Kind, Lab, lab
from bench.rows import Figures, Row

ROWS = {row.name: row for row in [*rows.ROWS, *crashes.ROWS, *kishu.ROWS, *checkpoint.ROWS, *consoles.ROWS]}

Tables = dict[tuple[Kind, ...], list[Line]]
"""Lines by the kernels that they are about."""


def main() -> int:
    """Measure, print; 1 if something could not be measured."""
    options = _options()
    tables: Tables = {}
    with lab() as place:
        for name in options.only:
            row = ROWS[name]
            tables.setdefault(row.kinds, []).extend(measure(row, place, options.rounds))
            _tell("")
        lines = [line for each in tables.values() for line in each]
        failures = {(line.title, kind): why for line in lines for kind, why in line.failed.items()}
        said = {kind: place.said(kind) for _, kind in failures}
    _show(tables, about(options.rounds), as_data=options.json)
    for (title, kind), why in failures.items():
        print(f"{kind}, {title.strip()}: {why}", file=sys.stderr)
    for kind, words in said.items():
        print(f"\n{kind} said:\n{words}", file=sys.stderr)
    return 1 if failures else 0


def measure(row: Row, place: Lab, rounds: int) -> list[Line]:
    """A row's lines. Kernels take turns, each round the other one first: a noisy neighbour hits both."""
    lines = {title: Line(title, unit) for title, unit in row.lines.items()}
    with ExitStack() as kept:
        kernels: dict[Kind, Kernel] = {}
        for kind in _turns(row.kinds, rounds):
            _tell(f"{row.name}: {kind.name}")
            if any(kind.name in line.failed or line.samples.get(kind.name) == [] for line in lines.values()):
                continue  # it failed, or never answers: once is enough
            try:
                figures = _once(row, kind, place, kernels, kept)
            except Silence as error:
                next(iter(lines.values())).failed[kind.name] = str(error)
                continue
            for title, values in figures.items():
                lines[title].add(kind.name, values)
    return list(lines.values())


def about(rounds: int) -> str:
    """Where and with what it was measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("holdfast", "ipykernel", "ipython", "pyzmq"))
    return (
        f"{rounds} rounds, kernels by turns, loopback TCP; Python {platform.python_version()}, {packages}; "
        f"Linux {platform.release()}, {os.cpu_count()} cores"
    )


def _once(row: Row, kind: Kind, place: Lab, kernels: dict[Kind, Kernel], kept: ExitStack) -> Figures:
    if row.in_folder:
        return row.in_folder(kind, place.folder(kind))
    begin = partial(place.kernel, kind)
    if row.beside_plain:
        return row.beside_plain(begin, partial(place.kernel, IPYKERNEL))
    if row.on_start:
        return row.on_start(begin)
    assert row.on_kernel
    if kind not in kernels:
        kernels[kind] = kept.enter_context(begin()).ready()
        rows.warm(kernels[kind].client)
    return row.on_kernel(kernels[kind])


def _turns(kinds: tuple[Kind, ...], rounds: int) -> Iterator[Kind]:
    for number in range(rounds):
        yield from kinds if number % 2 == 0 else reversed(kinds)


def _show(tables: Tables, about_it: str, *, as_data: bool) -> None:
    names = {kinds: [kind.name for kind in kinds] for kinds in tables}
    if as_data:
        lines = [line for kinds, each in tables.items() for line in as_json(each, names[kinds])]
        print(json.dumps({"about": about_it, "lines": lines}, indent=1))
        return
    for kinds, each in tables.items():
        print(table(each, names[kinds]), "", sep="\n")
    print(about_it)


def _options() -> argparse.Namespace:
    usual = [row.name for row in ROWS.values() if row.usual]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", type=_names, default=usual, metavar="ROW,...", help=f"of: {', '.join(ROWS)}"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print all samples")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - ROWS.keys()
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no row named {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}"
        )
    return names


def _tell(text: str) -> None:
    """Progress, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
