"""`holdfast info [NAME]`: one session; or what is installed, and whether all is as sessions need it."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from holdfast import __version__, paths, sizes
from holdfast.cli import pick, text
from holdfast.cli.commands import ls
from holdfast.client import start
from holdfast.errors import NoAnswer, RefusedPath, SessionError

if TYPE_CHECKING:
    from holdfast.cli.doctor import Check


_MARKS = {True: "✓", False: "✗", None: "·"}
_PLAIN_MARKS = {True: "+", False: "!", None: "-"}
_CHECK_WIDTH = len("packages")

EXAMPLES = (
    ("holdfast info", "is everything here as it should be?"),
    ("holdfast info work", "how session `work` does, and how to come in"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "name", nargs="?", type=pick.session, help="without it: versions, folders, and what is amiss"
    )
    parser.add_argument("--json", action="store_true", help="as one object")


def run(options: Namespace) -> int:
    """Tell."""
    if options.name is None:
        return _examine(as_json=options.json)
    if not start.exists(options.name):
        raise start.no_such_session(options.name)
    found = ls.describe(options.name)
    if "pid" in found:
        found["checkpoints"] = _asked(options.name, "checkpoints")
        found["company"] = (_asked(options.name, "clients") or {}).get("clients")
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(_table(_session(found)))
    return 0


def _examine(*, as_json: bool) -> int:
    """This installation; the status says whether a session can be started."""
    from holdfast.cli import doctor  # noqa: PLC0415 - of no use for a session

    found, results = _installation(), []
    if not as_json:
        print(_table(list(found.items())) + "\n", flush=True)
    for check in doctor.checks():
        results.append(check)
        if not as_json:
            print(_verdict(check), flush=True)
    if as_json:
        print(json.dumps(found | {"checks": [each._asdict() for each in results]}, indent=1))
    return 0 if results[0].ok else 1


def _verdict(check: Check) -> str:
    """A line, and one with what to try."""
    marks = _MARKS if (sys.stdout.encoding or "").lower().startswith("utf") else _PLAIN_MARKS
    name = check.name.ljust(_CHECK_WIDTH)
    lines = [f"{marks[check.ok]} {name} {check.found}"]
    if check.remedy:
        lines.append(f"{' ' * (_CHECK_WIDTH + 3)}try: {check.remedy}")
    return "\n".join(lines)


def _table(lines: list[tuple[str, Any]]) -> str:
    return text.table(
        [(f"{key}:" if key else "", str(value)) for key, value in lines if value not in (None, "", "-")]
    )


def _asked(name: str, op: str) -> dict[str, Any] | None:
    try:
        with start.ring(name) as bell:
            return bell.ask(op)
    except (NoAnswer, SessionError):  # it has ended meanwhile
        return None


def _installation() -> dict[str, Any]:
    return {
        "holdfast": f"{__version__}  {os.path.dirname(paths.__file__)}",
        "python": f"{'.'.join(map(str, sys.version_info[:3]))}  {sys.executable}",
        "sessions": _count(),
        "state": str(paths.state_folder()),
        "sockets": str(paths.runtime_folder()),
        "settings": str(paths.config_folder() / "settings.toml"),
    }


def _count() -> int | None:
    try:
        return len(start.known())
    except RefusedPath:  # it is one of the things that are examined
        return None


def _session(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """What is worth a line, in the order of interest."""
    now = time.time()
    running = found.get("running")
    lines: list[tuple[str, Any]] = [
        ("session", found["name"]),
        ("state", found["state"]),
        ("trouble", found.get("trouble")),
        ("last end", found.get("unclean")),
        ("cells", found.get("cells")),
        *(("attached", _attached(each)) for each in found.get("company") or ()),
        ("folder", text.short_folder(found.get("cwd") or "-")),
        ("python", found.get("python")),
        ("last used", text.ago(now - found["last"]) if found["last"] else None),
    ]
    if running:
        since = text.duration(now - running["since"])
        lines.append(("running", f"[{running['count']}] of {running['client'] or 'somebody'} for {since}"))
    if found.get("restore_point"):
        lines.append(("after a crash", found["restore_point"]))
    if before := found.get("before_restart"):
        lines.append(("before restart", f"its namespace is asleep still, {text.duration(before['age'])} old"))
    lines += [("can go to", each) for each in _states(found.get("checkpoints"))]
    if crash := found.get("last_crash"):
        lines.append(("last crash", _crash(crash, now)))
    if "pid" in found:
        lines += _processes(found, now)
    return lines


def _attached(client: dict[str, Any]) -> str:
    """Somebody who is attached: who, since when, and what of theirs runs and waits."""
    words = [f"{client['name']} ({client['kind']})"]
    if client["since"]:
        words[0] += f" since {time.strftime('%H:%M', time.localtime(client['since']))}"
    if client["running"] is not None:
        words.append(f"runs In[{client['running']}]")
    if client["waiting"]:
        words.append(f"{client['waiting']} cell{'s' * (client['waiting'] > 1)} waiting")
    return ", ".join(words)


def _states(found: dict[str, Any] | None) -> list[str]:
    """Other states of the session: what to type there, and what each costs."""
    if found is None:
        return []
    lines = []
    for each in found["states"]:
        cost = "" if each["bytes"] is None else f", {sizes.short(each['bytes'])}"
        where = f"{'on' if each['kept'] == 'disk' else 'in'} {each['kept']}{cost}"
        lines.append(f"{each['how']}: {each['state']}, {text.duration(each['age'])} old, {where}")
    if any(each["kept"] == "memory" for each in found["states"]):
        lines.append(
            f"together {sizes.short(found['held'])} of memory; {sizes.short(found['budget'])} is allowed"
        )
    if found["dropped"]:
        lines.append(f"dropped for lack of memory: {found['dropped']}")
    return [*lines, *filter(None, [found["trouble"]])]


_BACK = {"standby": "everything is back", "salvage": "values are back", "disk": "values are back from disk"}


def _crash(crash: dict[str, Any], now: float) -> str:
    where = f"In[{crash['count']}]" if crash["count"] else "between cells"
    back = _BACK.get(crash["level"], "nothing is back")
    return f"{text.ago(now - crash['at'])}, {where}: {crash['cause']}; {back}"


def _processes(found: dict[str, Any], now: float) -> list[tuple[str, Any]]:
    file = found["connection_file"]
    return [
        ("supervisor", f"pid {found['pid']}, up {text.duration(now - found['started'])}"),
        ("worker", f"pid {found['worker_pid']}" if found.get("worker_pid") else "none"),
        ("memory", sizes.short(found["memory"]) if found.get("memory") else None),
        ("connection file", file),
        *(("door", each) for each in found.get("doors") or ()),
        *_ways_in(found["name"], file),
    ]


def _ways_in(name: str, file: str) -> list[tuple[str, Any]]:
    """How each frontend joins it, beside those that are there."""
    lines = [("to join it", f"holdfast attach {name}")]
    if os.path.exists(file):
        lines += [("", f"jupyter qtconsole --existing {file}"), ("", f"jupyter console --existing {file}")]
    kernel = f"holdfast kernel install --session {name}"
    return [*lines, ("", f'JupyterLab, VS Code: {kernel}, then the kernel "Holdfast · {name}"')]
