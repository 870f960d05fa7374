"""What is typed by habits that come from elsewhere, and what it means here. Pure; no command of ours.

SYNONYMS      does the same at once: other words for one command
as_ours       the same for arguments: tmux's `-t NAME` is a name
answer        what to type instead, where the habit has no single meaning here, or another one

What each habit gets is in docs/habits.md, which tests/system/test_first_ten_minutes.py walks through.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

SYNONYMS = {
    "a": "attach",
    "attach-session": "attach",
    "connect": "attach",
    "new-session": "new",
    "start": "new",
    "list": "ls",
    "list-sessions": "ls",
    "doctor": "info",
    "delete": "rm",
}
"""What people type who come from elsewhere, and what it does here."""

_NAMED_BY = {"new": "-s", "attach": "-t", "stop": "-t", "info": "-t"}
"""tmux's option for the session, in commands that take its name as it is."""

INSTEAD = {
    "console": "new",
    "create": "new",
    "join": "attach",
    "resume": "attach",
    "switch": "attach",
    "switch-client": "attach",
    "ps": "ls",
    "sessions": "ls",
    "has-session": "info",
    "status": "info",
    "history": "log",
    "logs": "log",
    "vars": "variables",
    "remove": "rm",
    "settings": "config",
    "version": "--version",
}
"""Words that may be files' names too, so they are answered only: what to type, with the same arguments."""

_LEAVE = "Ctrl-D in the console, or Ctrl-\\ while a cell runs"

ANSWERS = {
    "kill": "holdfast stop NAME   (its state is kept; holdfast rm NAME deletes that)",
    "kill-session": "holdfast stop NAME   (its state is kept; holdfast rm NAME deletes that)",
    "kill-server": "holdfast stop --all",
    "exec": "holdfast run -c CODE",
    "detach": _LEAVE,
    "detach-client": _LEAVE,
    "exit": f"{_LEAVE}   (holdfast stop NAME ends the session)",
    "quit": f"{_LEAVE}   (holdfast stop NAME ends the session)",
    "rename": "holdfast new OTHER   (a session keeps the name it was made with)",
    "rename-session": "holdfast new OTHER   (a session keeps the name it was made with)",
    "restart": "holdfast stop NAME && holdfast attach NAME --fresh",
    "-s": "holdfast new NAME",
    "-t": "holdfast attach NAME",
    "--existing": "holdfast attach NAME",
    "--no-banner": "holdfast",
    "--matplotlib": "holdfast, then %matplotlib in a cell",
    "--pylab": "holdfast, then %pylab in a cell",
}
"""Where one thing there is none or two here -> what to type. NAME: the session that was named, if one was."""


def as_ours(command: str, words: Sequence[str]) -> list[str]:
    """The arguments of one of our commands: without the option before a name that needs none here."""
    option = _NAMED_BY.get(command)
    named = [word == option for word in words[:-1]]
    taken = named.index(True) if True in named else None
    if taken is None or words[taken + 1].startswith("-"):
        return list(words)
    return [*words[:taken], *words[taken + 1 :]]


def answer(word: str, rest: Sequence[str]) -> str | None:
    """What to type in place of `word`, which is no command or option, and of the `rest` behind it."""
    import shlex  # noqa: PLC0415 - only for a mistake

    from holdfast.cli.usage import as_typed  # noqa: PLC0415 - as above

    if word in INSTEAD:
        command = INSTEAD[word]
        return as_typed([command, *(each for each in rest if each != "-t")])
    name, _, value = word.partition("=")
    remedy = ANSWERS.get(name)
    named = [each for each in (value, *rest) if each and not each.startswith("-")]
    return remedy.replace("NAME", shlex.quote(named[0])) if remedy and named else remedy
