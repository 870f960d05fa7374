"""What a crash would leave, in one line: which state is in memory, what it is worth, and which is on disk.

The line is the same in `%holdfast` and in `holdfast info`. Only reads.
"""

from __future__ import annotations

from holdfast.supervisor.aftermath.grades import is_restless
from holdfast.supervisor.disk.checkpoints import Checkpoints
from holdfast.supervisor.processes.program import AnyWorker, Program
from holdfast.supervisor.travel.effects import Effects

_RESTLESS = "threads are at work: it is examined anew before it takes over"


def in_words(lineage: AnyWorker, effects: Effects, checkpoints: Checkpoints) -> str:
    """Such as "after In[12], resume; on disk: In[11]"."""
    if isinstance(lineage, Program):
        return "none: this is an embedded program, of which no copy is kept"
    short = f"; {trouble}" if (trouble := lineage.budget.trouble) else ""
    return f"{_in_memory(lineage, effects)}{short}; on disk: {_on_disk(checkpoints)}"


def _in_memory(lineage: AnyWorker, effects: Effects) -> str:
    standby = lineage.standbys.successor
    if standby is None or isinstance(lineage, Program):
        return f"none in memory: {lineage.refusal or 'no copy has been made of it yet'}"
    count = effects.last_shown(standby.after)
    place = f"after In[{count}]" if count else "before any cell"
    verdict = lineage.ladder.grades.of(standby)
    words = f"{place}, {verdict.grade if verdict else 'not examined yet'}"
    if verdict is not None:
        reasons = [*verdict.reasons, *([_RESTLESS] if is_restless(standby) else [])]
        words += f" ({'; '.join(reasons)})" if reasons else ""
    missing = effects.shown_since(standby.after)
    if missing and lineage.refusal:
        words += f", without {', '.join(f'In[{each}]' for each in missing)} ({lineage.refusal})"
    return words


def _on_disk(checkpoints: Checkpoints) -> str:
    newest = checkpoints.newest
    place = "nothing" if newest is None else f"In[{newest.count}]" if newest.count else "the start"
    return f"{place} (writing failed: {checkpoints.trouble})" if checkpoints.trouble else place
