"""How a session ended before, what of it is back, and what came after that: in words. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from holdfast.journal.records import CellRecord, Ending
from holdfast.supervisor import recovery as words
from holdfast.supervisor.checkpoints import Checkpoint

_NAMED = 8
"""Names, or cells, that are told one by one: more would not be read."""


def how_it_ended(previous: Ending) -> str | None:
    """What to say about the last run, if it did not end as it should."""
    if previous.kind != "unclean":
        return None
    what = f"while In[{previous.running.count}] ran" if previous.running else "between cells"
    return f"not closed properly: its processes ended {_when(previous.since)}, {what}"


def story(previous: Ending, on_disk: Checkpoint | None, later: Sequence[CellRecord], name: str) -> str | None:
    """What whoever opens the session again must know first; None if there is nothing.

    `later`: the cells that ran after what is back, or all of its last run.
    """
    unclean = how_it_ended(previous)
    if on_disk is None:
        if unclean is None:
            return None
        return (
            f"this session was {unclean}; its variables are gone, its log is kept.\n"
            "%recover lists what ran, %recover code puts the code into the next cell. Nothing runs by itself."
        )
    lines = [
        f"this session was {unclean}." if unclean else f"this session had ended {_when(previous.since)}."
    ]
    many = len(on_disk.names)
    place = f"as after In[{on_disk.count}]" if on_disk.count else "as at its start"
    lines.append(
        f"Back from disk, {place} (written {_when(on_disk.at)}): the values of {many} "
        f"variable{'' if many == 1 else 's'}."
    )
    if on_disk.lost:
        lines.append(f"Not back: {_listed([words.missing(each) for each in on_disk.lost])}.")
    if later:
        cells = _listed([f"In[{cell.count}]" for cell in later])
        lines.append(
            f"{cells} came after that and {'is' if len(later) == 1 else 'are'} not in it: %recover lists "
            f"{'it' if len(later) == 1 else 'them'},\nholdfast attach {name} --replay runs "
            f"{'it' if len(later) == 1 else 'them'} again. Nothing runs by itself."
        )
    return "\n".join(lines)


def _when(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds or 0.0))


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:_NAMED])
    if len(names) > _NAMED:
        shown.append(f"{len(names) - _NAMED} more")
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]
