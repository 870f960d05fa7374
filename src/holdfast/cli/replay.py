"""What a session begins with, in words; cells of before run again, in full view, if somebody asks for it."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any, Literal

from holdfast.cli.programs.output import finish
from holdfast.cli.usage import tell
from holdfast.client.blocking import Client
from holdfast.protocol import connection
from holdfast.visible import visible

Again = Literal["replay", "fresh"]
"""How a session begins again, if that was said."""

_MARGIN = "    "


def tell_arrival(name: str, arrived: dict[str, Any], again: Again | None, connection_file: Path) -> None:
    """It was started for us: what is back (Arrived, operations.py), and what is run again."""
    if again == "fresh":
        tell(f"{name}: begins with an empty namespace; nothing of before comes back, its log is kept")
        return
    tell(f"{name}: {arrived['story'] or 'it is started again'}")
    if again == "replay" and arrived["missing"]:
        tell(listed(arrived["missing"]))
        replay(connection_file, arrived["missing"])
    elif again == "replay":
        tell("there is nothing to run again")


def replay(connection_file: Path, cells: list[dict[str, Any]]) -> bool:
    """Run `cells` (MissingCell, operations.py), showing their output. False if it stopped at an error.

    An error that a cell had ended with before is none to stop at: the others ran after it then, too.
    """
    with Client(connection.read(connection_file), username=getpass.getuser()) as client:
        for number, cell in enumerate(cells):
            tell(f"In[{cell['count']}] again:")
            reply, interrupted = finish(client, client.execute(cell["code"]))
            failed = reply.content.get("status") != "ok"
            if interrupted or (failed and not cell["failed"]):
                tell(_stopped(cell, cells[number + 1 :]))
                return False
    return True


def listed(cells: list[dict[str, Any]]) -> str:
    """What is about to be run again, with the code."""
    many = "1 cell runs" if len(cells) == 1 else f"{len(cells)} cells run"
    code = "\n".join(f"In[{cell['count']}]{_then(cell)}:\n{_indented(cell['code'])}" for cell in cells)
    do = "it does" if len(cells) == 1 else "they do"
    return f"{many} again, with everything {do} to files, databases and the network:\n{code}"


def _then(cell: dict[str, Any]) -> str:
    return " (ended with an error)" if cell["failed"] else ""


def _stopped(cell: dict[str, Any], left: list[dict[str, Any]]) -> str:
    names = ", ".join(f"In[{each['count']}]" for each in left)
    return (
        f"stopped at In[{cell['count']}]; not run again: {names or 'none'}. %recover code offers their code"
    )


def _indented(code: str) -> str:
    """As it is read: a cell of somebody else's may hide in its own code what it does."""
    return "\n".join(f"{_MARGIN}{visible(line)}" for line in code.strip("\n").splitlines())
