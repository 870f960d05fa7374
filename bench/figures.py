"""What was measured: samples by row and kernel, their medians, and the table that is printed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

Samples = dict[str, list[float]]
"""By kernel, in the row's unit. No samples: it never answered."""


@dataclass
class Line:
    """One line of the table."""

    title: str
    unit: str
    samples: Samples = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """By kernel, why there is no figure."""

    def add(self, kernel: str, values: list[float]) -> None:
        """Keep samples of a kernel; none: it never answered."""
        self.samples.setdefault(kernel, []).extend(values)

    def median(self, kernel: str) -> float | None:
        """A kernel's median, if it has samples."""
        values = self.samples.get(kernel)
        return statistics.median(values) if values else None

    def ratio(self, over: str, under: str) -> float | None:
        """Median of one kernel as a share of the other's."""
        above, below = self.median(over), self.median(under)
        return above / below if above is not None and below else None

    def cell(self, kernel: str) -> str:
        """What the table says of a kernel: a median, or why there is none."""
        median = self.median(kernel)
        if kernel in self.failed:
            return "failed"
        if median is None:
            return "never" if kernel in self.samples else "-"
        return f"{number(median)} {self.unit}"


def number(value: float) -> str:
    """Three digits that count."""
    if value and abs(value) < 100:
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,.0f}"


def table(lines: list[Line], kernels: list[str]) -> str:
    """All lines, columns aligned; the ratio is the last kernel's share of the first one's."""
    head = ["median", *kernels, "ratio"]
    body = [[line.title, *(line.cell(kernel) for kernel in kernels), _ratio(line, kernels)] for line in lines]
    widths = [max(len(row[column]) for row in [head, *body]) for column in range(len(head))]
    return "\n".join(_aligned(row, widths) for row in [head, ["-" * width for width in widths], *body])


def as_json(lines: list[Line], kernels: list[str]) -> list[dict[str, Any]]:
    """The same with all samples."""
    return [
        {
            "title": line.title,
            "unit": line.unit,
            "medians": {kernel: line.median(kernel) for kernel in kernels},
            "ratio": line.ratio(kernels[-1], kernels[0]),
            "samples": line.samples,
            "failed": line.failed,
        }
        for line in lines
    ]


def _ratio(line: Line, kernels: list[str]) -> str:
    ratio = line.ratio(kernels[-1], kernels[0]) if len(kernels) > 1 else None
    return "" if ratio is None else f"{ratio:.2f}"


def _aligned(row: list[str], widths: list[int]) -> str:
    first, *others = row
    return "  ".join(
        [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
    )
