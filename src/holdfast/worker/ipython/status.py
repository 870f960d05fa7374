"""`%holdfast`, `%clients`: what a crash would cost, and who is attached. They only ask the supervisor."""

from __future__ import annotations

import time
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

_NAME_WIDTH = 24
"""Of what a client calls itself, as on the screens of others."""


@magics_class
class StatusMagics(Magics):
    """The magics, for a shell whose `ask` reaches the supervisor."""

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def holdfast(self, line: str) -> None:
        """Which state a crash would leave, and what is on disk.

        %holdfast         one line: the state that is kept in memory, how it would come back, the one on disk
        %holdfast last    what the last crash did, what came back, and what did not
        """
        wanted = line.strip()
        if wanted not in ("", "last"):
            raise UsageError(f"%holdfast {wanted}? There are: %holdfast, %holdfast last")
        answer: dict[str, str] = self.shell.ask("last_recovery" if wanted else "restore_point")
        print(answer["text"])

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def clients(self, line: str) -> None:
        """Who is attached to this session, since when, and whose cells run and wait.

        %clients
        """
        if line.strip():
            raise UsageError("%clients takes no arguments")
        found: list[dict[str, Any]] = self.shell.ask("clients")["clients"]
        own = self.shell.get_parent().get("header", {}).get("session")
        rows = [("NAME", "WITH", "SINCE", ""), *(_row(each, own) for each in found)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip())


def _row(client: dict[str, Any], own: str | None) -> tuple[str, str, str, str]:
    """A client in words: name, kind, when it came, what it does."""
    since = client["since"]
    when = "" if since is None else time.strftime("%H:%M", time.localtime(since))
    waiting = client["waiting"]
    does = [
        *(["you"] if client["session"] and client["session"] == own else []),
        *([f"runs In[{client['running']}]"] if client["running"] is not None else []),
        *([f"{waiting} cell{'s' * (waiting > 1)} waiting"] if waiting else []),
    ]
    name, kind = (client[each][:_NAME_WIDTH] for each in ("name", "kind"))
    return name or "?", kind, when, ", ".join(does)


def register(shell: Any) -> None:
    """Give the shell its `%holdfast` and `%clients`."""
    shell.register_magics(StatusMagics(shell))
