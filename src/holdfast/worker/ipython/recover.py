"""`%recover`: what can be brought back after a session's processes have ended. Nothing is run by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from holdfast.visible import in_line

_LINE = 72
"""Characters of a cell's first line that the list shows."""

_WORDS = {
    "ok": "ended",
    "error": "failed",
    "crashed": "was running when the interpreter ended",
    "interrupted": "was interrupted",
    "aborted": "was not run",
    "undone": "was undone",
}


@magics_class
class RecoverMagics(Magics):
    """The magic, for a shell whose `ask` reaches the supervisor."""

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def recover(self, line: str) -> None:
        """What ran in this session before its interpreter was lost, and is not back; and its code.

        %recover              lists the variables that are not back, the cells, and what became of each
        %recover code         puts their code into the next cell, for you to read and run
        %recover code 3 5-7   that of In[3] and In[5] to In[7]
        """
        lost: dict[str, Any] = self.shell.ask("recover")
        cells: list[dict[str, Any]] = lost["cells"]
        command, _, wanted = line.partition(" ")
        if command == "code":
            chosen = _chosen(cells, wanted)
            self.shell.set_next_input("\n\n".join(each["code"] for each in chosen))
        elif command:
            raise UsageError(f"%recover {command}? There are: %recover, %recover code [numbers]")
        else:
            lines = [*_missing(lost["variables"]), *_listed(cells, some_is_back=lost["some_is_back"])]
            print("\n".join(lines))


def register(shell: Any) -> None:
    """Give the shell its `%recover`."""
    shell.register_magics(RecoverMagics(shell))


def _missing(variables: list[dict[str, str]]) -> list[str]:
    if not variables:
        return []
    many = "1 variable is" if len(variables) == 1 else f"{len(variables)} variables are"
    return [f"{many} not back:", *map(_lost, variables)]


def _lost(variable: dict[str, str]) -> str:
    looks = f"; it was {variable['last_repr']}" if variable["last_repr"] else ""
    return f"  {in_line(variable['name'])}: {variable['reason']}{looks}"


def _listed(cells: list[dict[str, Any]], *, some_is_back: bool) -> list[str]:
    if not cells and some_is_back:
        return ["There is nothing to bring back: no cell ran after what is back."]
    if not cells:
        return ["There is nothing to bring back: this namespace follows no other one."]
    many = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    head = f"{many} ran before the interpreter was lost. The variables are gone, the code is kept:"
    if some_is_back:
        head = f"{many} ran after what is back from disk. Their effects in memory are gone, the code is kept:"
    return [
        head,
        *map(_described, cells),
        "%recover code puts it into the next cell, %recover code 3 5-7 a part of it. Nothing runs by itself.",
    ]


def _described(cell: dict[str, Any]) -> str:
    lines = cell["code"].strip().splitlines() or [""]
    first = lines[0] if len(lines[0]) <= _LINE else lines[0][: _LINE - 1] + "…"
    more = f" (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
    when = time.strftime(" at %H:%M:%S", time.localtime(cell["ended"])) if cell["ended"] else ""
    became = _WORDS.get(cell["status"] or "", "was running")
    return f"  In[{cell['count']}] {became}{when}: {in_line(first)}{more}"


def _chosen(cells: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    """The cells that "3 5-7" names; all that ran, if nothing is named."""
    if not wanted.strip():
        return [each for each in cells if each["status"] not in ("aborted", "undone")]
    tests = [_range(each) for each in wanted.split()]
    return [each for each in cells if any(test(each["count"]) for test in tests)]


def _range(text: str) -> Callable[[int], bool]:
    first, dash, last = text.partition("-")
    try:
        low = int(first)
        high = int(last) if dash else low
    except ValueError:
        raise UsageError(f"{text!r} is no number of a cell: write 3 or 5-7") from None
    return lambda count: low <= count <= high
