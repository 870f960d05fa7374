"""How a session ended before, what of it is back, and what came after that: in words. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from holdfast.checkpoint.words import lost_in_words
from holdfast.journal.records import CellRecord, Ending
from holdfast.supervisor.aftermath.remains import listed
from holdfast.supervisor.disk.checkpoints import Checkpoint, Outcome


def how_it_ended(previous: Ending) -> str | None:
    """What to say about the last run, if it did not end as it should."""
    if previous.kind != "unclean":
        return None
    what = f"while In[{previous.running.count}] ran" if previous.running else "between cells"
    return f"not closed properly: its processes ended {_when(previous.since)}, {what}"


def story(previous: Ending, outcome: Outcome, later: Sequence[CellRecord]) -> str | None:
    """What whoever opens the session again must know first; None if there is nothing.

    `later`: the cells that ran after what is back, or all of its last run.
    """
    unclean = how_it_ended(previous)
    ended = f"this session was {unclean}" if unclean else f"this session had ended {_when(previous.since)}"
    if outcome.promised is None:
        if unclean is None and (outcome.unwritten is None or not later):
            return None
        if not later:
            return f"{ended}."
        why = f" (they could not be written: {outcome.unwritten})" if outcome.unwritten else ""
        return (
            f"{ended}; its variables are gone{why}, its log is kept.\n"
            "%recover lists what ran, %recover code puts the code into the next cell. Nothing runs by itself."
        )
    lines = [f"{ended}."]
    if outcome.used is None:
        lines += [
            "Its variables could not be read back from disk: the namespace is EMPTY.",
            f"What is on disk is kept as it is, in {outcome.folder}",
        ]
    else:
        lines += _what_is_back(outcome.used, outcome)
    if later:
        lines += _what_is_missing([cell.count or 0 for cell in later], some_is_back=outcome.used is not None)
    return "\n".join(lines)


def _what_is_back(used: Checkpoint, outcome: Outcome) -> list[str]:
    many = len(used.names) - len(_lost_since(used, outcome))
    values = f"the values of {many} variable{'' if many == 1 else 's'}"
    lines = [f"Back from disk, {_place(used)} (written {_when(used.at)}): {values}."]
    if outcome.promised is not None and outcome.promised is not used:
        lines.append(f"What was written later, {_place(outcome.promised)}, could not be read back.")
    if outcome.lost:
        missing = listed(lost_in_words(outcome.lost), more=" (%recover lists them all)")
        lines.append(f"Not back: {missing}.")
    return lines


def _what_is_missing(counts: Sequence[int], *, some_is_back: bool) -> list[str]:
    cells = listed([f"In[{count}]" for count in counts])
    are, them = ("is", "it") if len(counts) == 1 else ("are", "them")
    return [
        f"{cells} came after that and {are} not in it: %recover lists {them}, %recover code puts the code"
        if some_is_back
        else f"{cells} ran: %recover lists {them}, %recover code puts the code",
        "into the next cell. Nothing runs by itself.",
    ]


def _lost_since(used: Checkpoint, outcome: Outcome) -> set[str]:
    """Of the variables that were written, those that could not be read."""
    return {each.name for each in outcome.lost} & set(used.names)


def _place(checkpoint: Checkpoint) -> str:
    return f"as after In[{checkpoint.count}]" if checkpoint.count else "as at its start"


def _when(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds or 0.0))
