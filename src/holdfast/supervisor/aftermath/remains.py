"""What did not come along with a worker that is back, in words; all of it is in `Recovery`. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from holdfast.checkpoint.words import lost_in_words
from holdfast.link.messages import SHARED_MEMORY, Absent, Child, LeftBehind, LostName
from holdfast.visible import in_line

NAMED = 16
"""One by one, of each sort: more would not be read. The reply's metadata and the journal name all."""

WIDTH = 79
"""Of a line, one less than a terminal of the usual 80 columns has."""

_FOLD = textwrap.TextWrapper(WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)

COMMAND_LENGTH = 48
"""Characters of a child's command line: with its id and fate it fits into a line of a terminal."""


def in_words(left: LeftBehind, lost: Sequence[LostName], left_by: str) -> list[str]:
    """A line for each sort of thing. `left_by`: whose last writes shared memory shows."""
    lines = []
    if missing := [*map(_absent, left.not_restored), *lost_in_words(lost)]:
        lines.append(f"Not restored: {listed(missing)}.")
    if left.children:
        lines.append(f"Child processes: {listed(list(map(_child, left.children)))}.")
    if shared := [_absent(each) for each in left.not_rolled_back if each.kind == SHARED_MEMORY]:
        lines.append(f"Not rolled back, but as {left_by} left it: {listed(shared)}.")
    return lines


def listed(words: Sequence[str], more: str = "") -> str:
    """As `a, b and 3 more`; `more` says where those are. Files and programs may have any names."""
    shown = [in_line(each) for each in words[:NAMED]]
    if len(words) > NAMED:
        shown.append(f"{len(words) - NAMED} more{more}")
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]


def folded(lines: Sequence[str]) -> list[str]:
    """For a terminal; what is indented, as source lines are, stays as it is."""
    found: list[str] = []
    for line in lines:
        whole = not line or line.startswith("  ")
        found += (
            [line] if whole else textwrap.wrap(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        )
    return found


def _absent(each: Absent) -> str:
    return f"{each.name} ({each.what})" if each.name else each.what


def _child(each: Child) -> str:
    command = each.command
    if len(command) > COMMAND_LENGTH:
        command = command[: COMMAND_LENGTH - 1] + "…"
    pid, words = f"pid {each.pid}", ", ".join(filter(None, [command, _fate(each)]))
    return f"{each.name} ({pid}, {words})" if each.name else f"{pid} ({words})"


def _fate(each: Child) -> str:
    if each.runs:
        return "runs on"
    if each.exit_status is None:
        return "has ended"
    if each.exit_status < 0:
        return f"ended by signal {-each.exit_status}"
    return f"ended with {each.exit_status}"
