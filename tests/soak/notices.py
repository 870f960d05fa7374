"""The notice after a death, as a client gets it: the object in the reply's metadata, and the words that users read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kit.wire import Message

_COLOURS = re.compile(r"\x1b\[\d*m")
_LOST_CELLS = re.compile(r"no standby held what (.*?) did( \(.*\))?\.$", re.MULTILINE)
_NOT_RESTORED = re.compile(r"^Not restored: (.*)\.$", re.MULTILINE)

HEAD = "InterpreterDied"
END = re.compile(r"^(Back after|Nothing is back).*$", re.MULTILINE)


@dataclass(frozen=True)
class Notice:
    """What is lost, by name."""

    level: str
    """`standby`: the state of some cell is back; all else means that nothing is."""
    lost: frozenset[int]
    """Numbers of cells that had ended and whose effects are gone."""
    not_restored: tuple[str, ...]
    excused: bool
    """There is a reason why no standby held them."""

    def __str__(self) -> str:
        cells = [f"In[{count}]" for count in sorted(self.lost)]
        return f"{self.level}: {', '.join([*cells, *self.not_restored]) or 'nothing is lost'}"


def of_reply(reply: Message) -> Notice | None:
    """What the reply to the cell that died says."""
    recovery = reply["metadata"].get("holdfast", {}).get("recovery")
    if recovery is None:
        return None
    lost = frozenset(recovery["lost"])
    excused = bool(lost and recovery["refusal"])
    return Notice(recovery["level"], lost, tuple(recovery["not_restored"]), excused)


def of_text(text: str) -> Notice | None:
    """What users read; None if it is no notice."""
    plain = _COLOURS.sub("", text)
    if HEAD not in plain or not END.search(plain):
        return None
    cells, names = _LOST_CELLS.search(plain), _NOT_RESTORED.search(plain)
    lost = re.findall(r"In\[(\d+)\]", cells[1]) if cells else []
    empty = "EMPTY" in plain or "Nothing is back" in plain
    return Notice(
        "fresh" if empty else "standby",
        frozenset(map(int, lost)),
        tuple(names[1].split(", ")) if names else (),
        bool(cells and cells[2]),
    )
