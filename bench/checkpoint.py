"""What a checkpoint on disk costs who goes on working, and how long it takes to be back when all was killed.

Two of Holdfast's kernels take turns, which differ in a setting. 1.1 GB are in the namespace, of which a cell
changes 100 MB; then the next one comes, at once, or when the write has begun.
"""

from __future__ import annotations

from bench.client import NOW, Client
from bench.kernels import HOLDFAST, Kind
from bench.rows import MILLISECONDS, Figures, Row, Start

OFF, ON = (
    Kind(
        name,
        HOLDFAST.module,
        settings=f"[checkpoint]\nenabled = {setting}\nrest_seconds = 1.0\nshare = 0.0\n",
    )
    for name, setting in (("without", "false"), ("with", "true"))
)
"""A write comes a second after a cell's end, and right after the last one: more often than by default."""

FILL = """
import numpy
arrays = [numpy.random.default_rng(n).random(12_500_000) for n in range(10)]
objects = [(n, str(n)) for n in range(650_000)]
"""
CHANGE = "arrays[{}] += 1"
VALUE = "print(arrays[3][7] + len(objects))"

CHANGES = 4
PAUSES = (0.0, 1.0, 1.05, 1.2, 1.6)
"""Seconds between a cell's end and the next one: none; and around the moment at which a write begins."""

AT_ONCE, LATER, WORST = ("next cell at once", "next cell while it may be written", "  the slowest of them")
CHANGED = "changing 100 MB"
BACK = "all killed: start to first result"

RESTORE_SECONDS = 60.0


def work_on(begin: Start) -> Figures:
    """One session, to its violent end and after it."""
    with begin() as kernel:
        client = kernel.ready().client
        client.do(FILL)
        kernel.settled()
        figures: Figures = {AT_ONCE: [], LATER: [], CHANGED: []}
        for number in range(CHANGES * len(PAUSES)):
            pause = PAUSES[number % len(PAUSES)]
            figures[CHANGED].append(client.do(CHANGE.format(number % 10)).seconds * MILLISECONDS)
            client.pause(pause)
            figures[LATER if pause else AT_ONCE].append(_until_it_begins(client))
        figures[WORST] = [max(figures[AT_ONCE] + figures[LATER])]
        value = client.do(VALUE).number()
        kernel.settled()
        kernel.kill()
        kernel.start()
        cell = kernel.client.run(VALUE, RESTORE_SECONDS)
        assert cell.replied is not None
        is_back = repr(value) in "".join(text for _, text in cell.texts())
        figures[BACK] = [(cell.replied - kernel.started) * MILLISECONDS] if is_back else []
        return figures


def _until_it_begins(client: Client) -> float:
    """Milliseconds from the request for a cell to its beginning."""
    cell = client.do(NOW)
    return cell.number() / 1e6 - cell.sent * MILLISECONDS


LINES = dict.fromkeys((CHANGED, AT_ONCE, LATER, WORST, BACK), "ms")

ROWS = [Row("checkpoint", LINES, on_start=work_on, kinds=(OFF, ON), usual=False)]
