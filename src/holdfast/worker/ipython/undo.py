"""`%undo`, `%redo`, `%checkpoints`: to another state of the session. They ask; the supervisor does it."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from holdfast import sizes
from holdfast.visible import in_line

_MINUTE, _HOUR = 60, 3600
_NAMED = 3
"""Variables that a checkpoint lacks and the list names: more would not be read."""


@magics_class
class UndoMagics(Magics):
    """The magics, for a shell whose `ask` reaches the supervisor."""

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def undo(self, line: str) -> None:
        """Go back, in memory, to the state before the last cells. It happens when this cell has ended.

        %undo            before the last cell; this one does not count
        %undo 3          before the last three
        %undo restart    to the namespace from before the last restart, while that is kept
        %undo disk       to the newest checkpoint on disk that is older than the state there is: its values
        %undo disk 2     to the one before that

        Files, databases and the network stay as the cells left them. %checkpoints lists how far one can go,
        %redo goes to the state that was left.
        """
        words = line.split()
        disk = words[:1] == ["disk"]
        number = words[disk:] or ["1"]
        if words == ["restart"]:
            print(self._asked("undo", restart=True))
        elif len(number) == 1 and number[0].isdecimal() and int(number[0]):
            print(self._asked("undo", cells=int(number[0]), disk=disk))
        else:
            raise UsageError(f"%undo {line}? There are: %undo, %undo NUMBER, %undo restart, %undo disk")

    @line_magic  # type: ignore[untyped-decorator]
    def redo(self, line: str) -> None:
        """Go to the state that was left when the session went back. It happens when this cell has ended.

        %redo            to what the last %undo has left
        %redo crash      to what was given up after crash upon crash, as memory might have been damaged

        What is there now is left in its turn: %redo once more comes back to it. The state sleeps until there
        is another one like it, or memory is short.
        """
        if line.strip() not in ("", "crash"):
            raise UsageError(f"%redo {line}? There are: %redo, %redo crash")
        print(self._asked("redo", crash=bool(line.strip())))

    @line_magic  # type: ignore[untyped-decorator]
    def checkpoints(self, _line: str) -> None:
        """List the other states that the next cell can go to: how, and what each costs."""
        print("\n".join(_listed(self.shell.ask("checkpoints"))))

    def _asked(self, what: str, **arguments: object) -> str:
        """What it will mean, in words."""
        answer: dict[str, str] = self.shell.ask(what, **arguments)
        if "error" in answer:
            raise UsageError(answer["error"])
        return answer["text"]


def register(shell: Any) -> None:
    """Give the shell these magics."""
    shell.register_magics(UndoMagics(shell))


def _listed(found: dict[str, Any]) -> list[str]:
    states: list[dict[str, Any]] = found["states"]
    lines = ["There is nothing to go back to."]
    if states:
        lines = ["What can be gone back to:", *(f"  {each['how']:<15} {_described(each)}" for each in states)]
    if any(each["kept"] == "memory" for each in states):
        held, budget = sizes.short(found["held"]), sizes.short(found["budget"])
        lines.append(f"In memory these hold {held} of their own; {budget} is allowed (standby.budget).")
    if found["dropped"]:
        lines.append(f"Dropped for lack of memory: {found['dropped']}.")
    return [*lines, *filter(None, [found["trouble"]])]


def _described(state: dict[str, Any]) -> str:
    cost = "" if state["bytes"] is None else f", {sizes.short(state['bytes'])}"
    text = f"the state {state['state']}, {_ago(state['age'])}, {'on' if state['kept'] == 'disk' else 'in'}"
    text += f" {state['kept']}{cost}"
    lost: list[str] = state["lost"]
    if lost:
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        text += f"; without {', '.join(map(in_line, lost[:_NAMED]))}{more}"
    return text


def _ago(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s ago"
    return f"{seconds / _MINUTE:.0f} min ago" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h ago"
