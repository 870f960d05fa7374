"""The notice after a death, as clients get it: the object in a reply's metadata, and the words for people."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from holdfast.supervisor.processes.lineage import STANDBY_ENDED
from kit.wire import Message

HEAD = "InterpreterDied"

_COLOURS = re.compile(r"\x1b\[\d*m")
_BACK = re.compile(r"^(Back after|Nothing is back).*$", re.MULTILINE)
_LOST = re.compile(
    r"(?:no standby held what (?P<held>.*?) did(?P<refused> \(.*\))?"
    r"|the state after (?P<damaged>.*?) may be damaged( \(.*\))?"
    r"|what (?P<slipped>.*?) did is lost, as (?P<slips>.*?)(?P<newer> \(no newer one: .*\))?)\.$"
)
_CELL = re.compile(r"In\[(\d+)\]")
_MISSING = re.compile(r"^Not (?:restored|back): (.*)\.$", re.MULTILINE)
_NAME = re.compile(r"(?:^|, | and )(\w+(?:\[\d+\])?) \(")
_FROM_DISK = re.compile(r"^Back from disk, as (?:after In\[(\d+)\]|at its start)", re.MULTILINE)

LEVELS = {"(from disk)": "disk", "read out of": "salvage", "EMPTY": "fresh", "Nothing is back": "none"}
"""Words by which users can tell how much is back; without any of them, it is the process itself."""

IN_PLACE = {"standby"}
"""Levels at which the process goes on, with its random generators, open files and all."""


@dataclass(frozen=True)
class Notice:
    """What is lost, by name."""

    level: str
    lost: frozenset[int] = frozenset()
    """Numbers of cells that had ended and whose effects are gone."""
    missing: frozenset[str] = frozenset()
    """Names of variables that are not back."""
    excused: bool = False
    """There is a reason why those cells' effects are gone."""
    slips: str = field(default="", compare=False)
    """What was tried first, in words."""

    def __str__(self) -> str:
        cells = [f"In[{count}]" for count in sorted(self.lost)]
        slips = f" ({self.slips})" if self.slips else ""
        return f"{self.level}: {', '.join([*cells, *sorted(self.missing)]) or 'nothing is lost'}{slips}"


def of_reply(reply: Message) -> Notice | None:
    """What the reply to the cell that died says."""
    recovery = reply["metadata"].get("holdfast", {}).get("recovery")
    if recovery is None:
        return None
    missing = {each["name"] for part in ("not_restored", "lost_names") for each in recovery[part]} - {""}
    excused = bool(recovery["lost"] and (_is_excuse(recovery["refusal"]) or recovery["stepped_back"]))
    slips = "; ".join(recovery["slips"])
    return Notice(recovery["level"], frozenset(recovery["lost"]), frozenset(missing), excused, slips)


def of_text(text: str) -> Notice | None:
    """What users read after a death; None if it is no such notice."""
    plain = _COLOURS.sub("", text)
    back = _BACK.search(plain)
    if HEAD not in plain or back is None:
        return None
    level = next((level for words, level in LEVELS.items() if words in back[0]), "standby")
    gone, missing = _LOST.search(back[0]), _MISSING.search(plain)
    return Notice(
        level,
        frozenset(map(int, _CELL.findall(gone["held"] or gone["damaged"] or gone["slipped"])))
        if gone
        else frozenset(),
        frozenset(_NAME.findall(missing[1])) if missing else frozenset(),
        bool(gone and (_is_excuse(gone["refused"] or gone["newer"]) or gone["damaged"])),
        gone["slips"] or "" if gone else "",
    )


def _is_excuse(refusal: str | None) -> bool:
    """Whether the session could not help it. Nobody here kills standbys."""
    return bool(refusal) and STANDBY_ENDED not in (refusal or "")


def of_way_back(text: str) -> Notice:
    """What users read when the session has gone back as they wished."""
    level = next((level for words, level in LEVELS.items() if words in text), "standby")
    missing = _MISSING.search(text)
    return Notice(level, missing=frozenset(_NAME.findall(missing[1])) if missing else frozenset())


def of_story(about: Message, counts: list[int]) -> Notice:
    """What whoever opens the session again is told, where cells with these numbers had run."""
    from_disk = _FROM_DISK.search(about["story"])
    after = int(from_disk[1] or 0) if from_disk else 0
    return Notice(
        "disk" if from_disk else "fresh",
        frozenset(count for count in counts if count > after),
        frozenset(each["name"] for each in about["not_back"]),
        True,
    )
