"""`%undo` and `%checkpoints`: going back to an earlier state. They only ask; the supervisor does it."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

_MINUTE, _HOUR = 60, 3600


@magics_class
class UndoMagics(Magics):
    """The magics, for a shell whose `ask` reaches the supervisor."""

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def undo(self, line: str) -> None:
        """Go back, in memory, to the state before the last cells. It happens when this cell has ended.

        %undo            before the last cell; this one does not count
        %undo 3          before the last three
        %undo restart    to the namespace from before the last restart, while that is kept

        Files, databases and the network stay as the cells left them. %checkpoints lists how far one can go.
        """
        wanted = line.strip() or "1"
        if wanted == "restart":
            answer: dict[str, str] = self.shell.ask("undo", restart=True)
        elif wanted.isdecimal() and int(wanted):
            answer = self.shell.ask("undo", cells=int(wanted))
        else:
            raise UsageError(f"%undo {wanted}? There are: %undo, %undo NUMBER, %undo restart")
        if "error" in answer:
            raise UsageError(answer["error"])
        print(answer["text"])

    @line_magic  # type: ignore[untyped-decorator]
    def checkpoints(self, _line: str) -> None:
        """List the earlier states that the next cell can go back to, and how."""
        kept: list[dict[str, Any]] = self.shell.ask("checkpoints")
        if not kept:
            print("There is nothing to go back to.")
            return
        print("Kept in memory, newest first:")
        for each in kept:
            print(f"  {each['how']:<15} the state {each['state']}, {_ago(each['age'])}")


def register(shell: Any) -> None:
    """Give the shell these magics."""
    shell.register_magics(UndoMagics(shell))


def _ago(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s ago"
    return f"{seconds / _MINUTE:.0f} min ago" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h ago"
