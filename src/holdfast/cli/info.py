"""`holdfast info [NAME]`: one session, or what is installed and where its files are."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any

from holdfast import __version__, paths
from holdfast.cli import ls, text
from holdfast.client import start
from holdfast.errors import NoAnswer, SessionError


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", nargs="?", help="without it: versions and folders")
    parser.add_argument("--json", action="store_true", help="as one object")


def run(options: Namespace) -> int:
    """Tell."""
    if options.name is None:
        found = _installation()
        lines = list(found.items())
    else:
        if not start.exists(options.name):
            raise start.no_such_session(options.name)
        found = ls.describe(options.name)
        if "pid" in found:
            found["checkpoints"] = _asked(options.name, "checkpoints")
            found["company"] = (_asked(options.name, "clients") or {}).get("clients")
        lines = _session(found)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(text.table([(f"{key}:", str(value)) for key, value in lines if value not in (None, "", "-")]))
    return 0


def _asked(name: str, op: str) -> dict[str, Any] | None:
    try:
        with start.ring(name) as bell:
            return bell.ask(op)
    except (NoAnswer, SessionError):  # it has ended meanwhile
        return None


def _installation() -> dict[str, Any]:
    return {
        "holdfast": __version__,
        "python": f"{'.'.join(map(str, sys.version_info[:3]))}  {sys.executable}",
        "sessions": len(start.known()),
        "state": str(paths.state_folder()),
        "sockets": str(paths.runtime_folder()),
        "settings": str(paths.config_folder() / "settings.toml"),
    }


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
        cost = "" if each["bytes"] is None else f", {text.size(each['bytes'])}"
        where = f"{'on' if each['kept'] == 'disk' else 'in'} {each['kept']}{cost}"
        lines.append(f"{each['how']}: {each['state']}, {text.duration(each['age'])} old, {where}")
    if any(each["kept"] == "memory" for each in found["states"]):
        lines.append(
            f"together {text.size(found['held'])} of memory; {text.size(found['budget'])} is allowed"
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
        ("memory", text.size(found["memory"]) if found.get("memory") else None),
        ("connection file", file),
        ("from Jupyter", f"jupyter console --existing {file}" if os.path.exists(file) else None),
    ]
