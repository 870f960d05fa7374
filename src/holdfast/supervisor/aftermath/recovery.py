"""Why a worker died and what came back, in words. Pure.

One object, `Recovery`, is what every path shows: the error in the client, the reply's metadata, the journal.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from holdfast.errors import DIED
from holdfast.link.messages import Absent, Child, LeftBehind, LostName
from holdfast.protocol import debugging
from holdfast.supervisor.aftermath import remains
from holdfast.supervisor.processes.returns import Slip

_MEANING: Final = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "arithmetic fault",
    signal.SIGILL: "illegal instruction",
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "hung up",
    signal.SIGPIPE: "broken pipe",
    signal.SIGSYS: "forbidden system call",
    signal.SIGXCPU: "CPU time limit",
    signal.SIGXFSZ: "file size limit",
}
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+|\?\?\?) in (?P<name>.*)')
_HEADLINE = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_OURS = re.compile(r"/(holdfast/worker|IPython/core|asyncio|debugpy)/|<frozen runpy>")
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class Recovery(msgspec.Struct, frozen=True):
    """What happened to the worker, and what there is now."""

    cause: str
    """In words: "segmentation fault (signal 11, SIGSEGV)"."""
    count: int | None
    """Number of the cell that ran; None if none did."""
    level: str
    """`standby`: the state from before; `salvage`, `disk`: its values in a fresh interpreter, those of the
    standby or of the last checkpoint; `fresh`: an empty namespace; `none`: nothing runs any more."""
    after: int | None
    """Number of the last cell whose effects are there; None if there is none."""
    lost: list[int]
    """Numbers of cells that had ended and whose effects are gone all the same: no standby held them."""
    took_ms: float
    """From the death seen to the interpreter back."""
    refusal: str | None = None
    """Why no standby held what those did."""
    not_restored: list[Absent] = []
    """Threads, pools, connections, files and their like that did not come along. Where values
    alone are back, none did: those of the process are here by no variable's name."""
    children: list[Child] = []
    """What dead interpreters had started: it runs on, or how it ended."""
    not_rolled_back: list[Absent] = []
    """Memory that other processes or files share: it is as the dead interpreter left it."""
    traceback: list[str] = []
    """Where the interpreter was, most recent call last, as lines; from faulthandler."""
    names: list[str] = []
    """Variables that are back, if not the whole process is."""
    lost_names: list[LostName] = []
    """Variables that are not, with reason and last looks."""
    why: list[str] = []
    """Why a better level was not reached, in words."""
    stepped_back: bool = False
    """One crash followed the other: an older state was taken, as memory itself may be damaged."""
    slips: list[str] = []
    """What was tried first and did not hold, in words, each with the reason."""
    exit_status: int | None = None
    """128 + signal, or the process's own exit status: what a shell would say."""


def cause_of(
    status: int | None, *, oom: bool = False, severed: bool = False, asked: str | None = None, dump: str = ""
) -> str:
    """A wait status (waitpid(2)) in words.

    `oom`: the kernel counts a kill for lack of memory; `severed`: the worker lost its link before it ended;
    `asked`: who had it killed, if we did. Without a status, faulthandler's `dump` has to tell.
    """
    if asked:
        return asked
    if severed:
        return "the cell took the interpreter's own connection away (closed every descriptor, or exec)"
    if status is None:
        return _told_by(dump)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL and oom:
            return "killed by the system's OOM killer: out of memory (signal 9, SIGKILL)"
        if number == signal.SIGKILL:
            return "killed (signal 9, SIGKILL), sender unknown"
        with contextlib.suppress(ValueError):
            meaning = _MEANING.get(signal.Signals(number), "a fatal signal")
            return f"{meaning} (signal {number}, {signal.Signals(number).name})"
        return f"signal {number}"
    return f"exit status {os.WEXITSTATUS(status)}, by os._exit() or C code"


def _told_by(dump: str) -> str:
    headline = _HEADLINE.search(dump)
    return headline[1].lower() if headline else "by a signal, os._exit() or C code; nobody saw which"


def shell_status(status: int) -> int:
    """A wait status as a shell's `$?`."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def traceback_of(dump: str, sources: dict[int, str]) -> list[str]:
    """The dump of faulthandler as a traceback of the user's frames; `sources`: the cells' code by count."""
    headline, frames = _crashed_thread(dump)
    lines: list[str] = []
    for match in reversed(frames):
        if not _OURS.search(match["file"]):
            lines += _described(match, sources)
    if lines and headline:
        lines.insert(0, headline)
    return lines


def took(milliseconds: float) -> str:
    """A time in words."""
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "under 1 ms"


def described(recovery: Recovery) -> list[str]:
    """The traceback of the error that clients show: what died, where, what is back."""
    cell = f"In[{recovery.count}]" if recovery.count else "it"
    head = f"while running {cell}" if recovery.count else "between cells"
    lines = [f"{_RED}{DIED}{_PLAIN}: the Python process ended {head}: {recovery.cause}"]
    if recovery.traceback:
        lines += ["", *recovery.traceback]
    lines += ["", _what_is_back(recovery, cell)]
    if recovery.level in ("salvage", "disk"):
        lines.append("The interpreter is a fresh one: no thread, pool, connection or open file came along.")
    left = LeftBehind(recovery.not_restored, recovery.children, recovery.not_rolled_back)
    lines += remains.in_words(left, recovery.lost_names, cell if recovery.count else "the dead process")
    if recovery.count:
        lines.append(f"What {cell} did to files, databases and the network is as it left them.")
    return lines


def _crashed_thread(dump: str) -> tuple[str, list[re.Match[str]]]:
    """The frames of the thread that crashed, most recent first, and a word if it was not the main one."""
    frames: list[re.Match[str]] = []
    inside = False
    for line in dump.splitlines():
        if line.startswith(("Current thread", "Stack (most recent call first)")):
            inside, frames = True, []
        elif inside and (match := _FRAME.match(line)):
            frames.append(match)
        elif inside and not line.strip():
            break
    return "It was here (most recent call last):", frames


def _described(match: re.Match[str], sources: dict[int, str]) -> list[str]:
    count = _cell_of(match["file"], sources)
    name = f", in {match['name']}" if match["name"] != "<module>" else ""
    if count is None:
        return [f'  File "{match["file"]}", line {match["line"]}{name}']
    lines = [f"  Cell In[{count}], line {match['line']}{name}"]
    source = sources.get(count, "").splitlines()
    if match["line"].isdigit() and 0 < int(match["line"]) <= len(source):
        lines.append(f"    {source[int(match['line']) - 1].strip()}")
    return lines


def _cell_of(file: str, sources: dict[int, str]) -> int | None:
    """The cell that a file stands for: the newest with this code, as IPython's tracebacks say."""
    number = debugging.number_of(file)
    if number is None:
        return None
    return next((each for each in reversed(sources) if debugging.cell_number(sources[each]) == number), None)


def _what_is_back(recovery: Recovery, cell: str) -> str:
    back = f"Back after {took(recovery.took_ms)}"
    if recovery.level == "none":
        return "Nothing is back: no interpreter takes over. What ran is kept in the session's log."
    if recovery.level == "fresh":
        reason = "; ".join(recovery.slips) or "there was no standby to take over"
        return f"{back} with an EMPTY namespace: {reason}."
    held = extent(recovery.level, recovery.names)
    why = f" ({'; '.join(recovery.why)})" if recovery.why else ""
    if not recovery.lost:
        return f"{back}, with {held} as {f'before {cell}' if recovery.count else 'after the last cell'}{why}."
    place = f"as after In[{recovery.after}]" if recovery.after else "as at the start"
    gone = ", ".join(f"In[{count}]" for count in recovery.lost)
    if recovery.stepped_back:
        reason = f"one crash followed the other, so the state after {gone} may be damaged"
    elif recovery.slips:
        reason = f"what {gone} did is lost, as {'; '.join(recovery.slips)}"
    else:
        reason = f"no standby held what {gone} did"
    newer = "no newer one: " if recovery.slips else ""
    refusal = f" ({newer}{recovery.refusal})" if recovery.refusal else ""
    return f"{back}, with {held} {place}{why}: {reason}{refusal}."


def slips_in_words(slips: Sequence[Slip], count_of: Callable[[int], int | None]) -> list[str]:
    """What was tried and did not hold; `count_of` tells the execution count of a cell."""
    return [slip_in_words(each, count_of(each.after)) for each in slips]


def slip_in_words(slip: Slip, count: int | None) -> str:
    """A step that did not hold; `count` is that of the last cell whose effects it held."""
    return f"the {slip.what} {f'after In[{count}]' if count else 'of the start'} was of no use: {slip.why}"


def extent(level: str, names: list[str]) -> str:
    """How much is back, in words."""
    if level == "standby":
        return "every variable"
    source = "from disk" if level == "disk" else "read out of the one that slept"
    return f"the values of {len(names)} variable{'s' if len(names) != 1 else ''} ({source})"
