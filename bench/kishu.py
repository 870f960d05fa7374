"""What is measured beside Kishu, which keeps states of a notebook in a database, for going back.

Its hooks run in ipykernel, after each cell, before the next one may begin. A cell's wait is from its
request to the moment at which the next one begins, less the same in a plain ipykernel, which runs the same
cells in turn. Kishu does not wait for a frontend to save the notebook here (its own test mode): that would
add up to a second. It has a virtual environment of its own (`make .venv/kishu`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.client import NOW, Client, Request, Silence
from bench.kernels import HOLDFAST, Kernel, Kind
from bench.rows import MEGABYTE, MILLISECONDS, Figures, Row, Start

PYTHON = Path(os.environ.get("BENCH_KISHU_PYTHON", ".venv/kishu/bin/python")).absolute()

KISHU = Kind("Kishu", ("-m", "ipykernel_launcher"), str(PYTHON), (("ENV_KISHU_TEST_MODE", "1"),))

NOTEBOOK = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
BEGIN = f"""
import os, pathlib
os.environ["KISHU_PATH_ROOT"] = os.getcwd()
pathlib.Path("book.ipynb").write_text('{NOTEBOOK}')
import kishu
kishu.init_kishu("book.ipynb")
"""
BACK = (
    "_kishu.checkout([node.commit_id for node in _kishu._kishu_graph.list_history()][1], skip_notebook=True)"
)
"""What its own `undo` runs in the kernel; the commits are of the cells, newest first."""

THINKING_SECONDS = 0.5


@dataclass(frozen=True)
class Book:
    """Cells of one kind."""

    name: str
    setup: str
    cells: tuple[tuple[str, str], ...]
    """What a cell does, in words, and its code."""
    change: str
    """The cell that is undone."""
    value: str
    """What it changes."""


def _arrays() -> Iterator[tuple[str, str]]:
    for number in range(3):
        yield "a 100 MB array made", f"a{number} = numpy.random.default_rng({number}).random(12_500_000)"
    for number in range(3):
        yield "a 100 MB array changed", f"a{number} += 1"
    for number in range(3):
        yield "300 MB of arrays left alone", f"x = {number}"


def _objects() -> Iterator[tuple[str, str]]:
    yield "a list of 1M ints made", "numbers = list(range(1_000_000))"
    for number in range(3):
        yield "one item of it changed", f"numbers[{number}] = -1"
    yield "a dict of 200k lists made", "table = {n: [n, str(n)] for n in range(200_000)}"
    for number in range(3):
        yield "one entry of it changed", f"table[{number}].append(1)"
    for number in range(3):
        yield "both left alone", f"x = {number}"


BOOKS = (
    Book("arrays", "import numpy", tuple(_arrays()), "a0 += 1", "float(a0[7])"),
    Book("objects", "pass", tuple(_objects()), "table[7].append(2)", "len(table[7])"),
)


def compare(begin: Start, plain: Start) -> Figures:
    """One session for each book, cell by cell beside a plain ipykernel."""
    if not PYTHON.exists():
        raise Silence(f"there is no {PYTHON}: make .venv/kishu")
    figures: Figures = {}
    for book in BOOKS:
        with begin() as kernel, plain() as other:
            kernel.ready()
            other.ready()
            _set_up(kernel)
            before = kernel.written()
            for client in (kernel.client, other.client):
                client.do(book.setup)
                client.pause(THINKING_SECONDS)
            for title, code in book.cells:
                wait = _until_next(kernel.client, code) - _until_next(other.client, code)
                figures.setdefault(_waits(title), []).append(wait * MILLISECONDS)
            waits = [wait for title in dict(book.cells) for wait in figures[_waits(title)]]
            figures[_waits(book.name)] = [sum(waits) / len(waits)]
            figures[_back(book)] = [_go_back(kernel, book) * MILLISECONDS]
            figures[_written(book)] = [(kernel.settled() - before) / MEGABYTE]
    return figures


def _set_up(kernel: Kernel) -> None:
    if kernel.kind is KISHU:
        kernel.client.do(BEGIN)


def _until_next(client: Client, code: str) -> float:
    """Seconds from a cell's request to the moment at which the next cell begins, which is sent at once."""
    cell, following = client.execute(code), client.execute(NOW)
    client.finish(cell)
    began = client.finish(following).number() / 1e9
    client.pause(THINKING_SECONDS)
    return began - cell.sent


def _go_back(kernel: Kernel, book: Book) -> float:
    """Seconds from the request to undo a cell to the beginning of the next one, in the state before."""
    client = kernel.client
    client.do("y = 1")  # in the state that is gone back to
    client.pause(THINKING_SECONDS)
    was = client.finish(_quiet(client, f"print({book.value})")).number()
    client.do(book.change)
    client.pause(THINKING_SECONDS)
    asked = _quiet(client, BACK) if kernel.kind is KISHU else client.execute("%undo")
    following = _quiet(client, NOW)
    client.finish(asked)
    began = client.finish(following).number() / 1e9
    is_now = client.finish(_quiet(client, f"print({book.value})")).number()
    if asked.answer()["status"] != "ok" or is_now != was:
        raise Silence(f"it is not back: {book.value} is {is_now}, was {was}; {asked.answer()}")
    return began - asked.sent


def _quiet(client: Client, code: str) -> Request:
    """A cell that neither of them counts."""
    return client.send("execute_request", {"code": code, "silent": True, "store_history": False})


def _waits(title: str) -> str:
    """Of one kind of cell; of a book: the mean of all its cells."""
    return f"waits, {title}"


def _back(book: Book) -> str:
    return f"back one cell, {book.name}"


def _written(book: Book) -> str:
    return f"written, {book.name}"


def _lines() -> dict[str, str]:
    lines = {_waits(title): "ms" for book in BOOKS for title, _ in book.cells}
    lines |= {_waits(book.name): "ms" for book in BOOKS}
    lines |= {_back(book): "ms" for book in BOOKS}
    return lines | {_written(book): "MB" for book in BOOKS}


ROWS = [Row("kishu", _lines(), beside_plain=compare, kinds=(KISHU, HOLDFAST), usual=False)]
