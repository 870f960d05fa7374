"""What happened before a client came, as the session tells it (`recent` of protocol/operations.py). Pure.

Stdlib only: a console draws this before it loads what it takes to be a client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Asker(NamedTuple):
    """Whose request a cell was, as its header says."""

    msg_id: str
    username: str
    session: str


class Past(NamedTuple):
    """A cell of before we came, and the end of its output."""

    parent: Asker
    code: str
    count: int | None  # type: ignore[assignment]  # no need for tuple's method
    ended: bool
    messages: list[tuple[str, dict[str, Any]]]
    """Types and contents."""
    omitted: int
    """Bytes before these."""


class Recent(NamedTuple):
    """The last cells, oldest first, with all that was published up to `position` (epoch and number)."""

    cells: list[Past]
    position: tuple[int, int]

    @property
    def begun(self) -> str:
        """`msg_id` of the last cell that has begun, or ""."""
        return self.cells[-1].parent.msg_id if self.cells else ""


def recent(told: Mapping[str, Any]) -> Recent:
    """The reply, read. KeyError, TypeError or AttributeError if it is none."""
    return Recent([_cell(each) for each in told["cells"]], (told["epoch"], told["seq"]))


def _cell(told: Mapping[str, Any]) -> Past:
    header = told["header"]
    return Past(
        Asker(*(str(header.get(name, "")) for name in Asker._fields)),
        str(told["code"]),
        told["count"] if isinstance(told["count"], int) else None,
        told["ended"],
        [(message["msg_type"], message["content"]) for message in told["messages"]],
        told["omitted"],
    )
