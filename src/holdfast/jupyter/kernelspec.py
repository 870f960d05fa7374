"""Where Jupyter looks for kernels, and the entry that lets it find Holdfast there. Needs no Jupyter package.

A kernelspec is a folder `kernels/NAME` with a `kernel.json` in one of Jupyter's data folders. Only folders
whose command is ours are ever replaced or removed. What Jupyter then starts is `holdfast/kernel.py`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.paths import checked_name
from holdfast.protocol.messages import PROTOCOL_VERSION

MODULE = "holdfast.kernel"
"""What stands behind `-m` in our kernelspecs, and what tells them from others'."""

PROVISIONER = "holdfast-provisioner"
"""Our entry point in jupyter_client's group of provisioners: `provisioner.py`."""

LOGOS = ("logo-svg.svg", "logo-32x32.png", "logo-64x64.png")
"""Under the names that frontends look for."""

SYSTEM_FOLDERS = (Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))

_NAME = re.compile(r"[a-z0-9_-][a-z0-9._-]*")  # jupyter_client's rule, less names that are paths


def install(
    *,
    user: bool = False,
    sys_prefix: bool = False,
    prefix: Path | None = None,
    name: str = "holdfast",
    display_name: str | None = None,
    session: str | None = None,
    settings: Sequence[str] = (),
    python: str = sys.executable,
    debugger: bool = False,
    provisioner: bool = False,
) -> Path:
    """Write the kernelspec `name` and return its folder; one of ours that is there already is replaced.

    Where: for this user (the default), below this Python's prefix, or below `prefix`. With `session` every
    notebook that picks this kernel joins that one session; `settings` are for its sessions. `debugger`: that
    Python has one. `provisioner`: sessions outlive the Jupyter server, which must have Holdfast in its own
    environment for that. Raises HoldfastError when the place can't be written, the name is no name, or
    another kernel has it.
    """
    if user + sys_prefix + (prefix is not None) > 1:
        raise HoldfastError(
            "a kernelspec can be installed in one place at a time", "choose one of the places"
        )
    folder = _data_folder(sys_prefix=sys_prefix, prefix=prefix) / "kernels" / _checked(name)
    if folder.exists() and not _is_ours(folder):
        raise HoldfastError(f"{folder} is another kernel's", "choose another name, or remove it first")
    argv = [python, "-P", "-m", MODULE, "-f", "{connection_file}"]  # -P: a module in the notebook's folder
    if session:  # must not stand in for one of Python's own
        argv += ["--session", checked_name(session)]
    argv += [f"--set={each}" for each in settings]
    shown = display_name or (f"Holdfast · {session}" if session else "Python 3 (Holdfast)")
    spec = _spec(argv, shown, _metadata(debugger=debugger, provisioner=provisioner))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for logo in LOGOS:
            _write(folder / logo, Path(__file__).with_name(logo).read_bytes())
        text = json.dumps(spec, indent=1, ensure_ascii=False) + "\n"
        _write(folder / "kernel.json", text.encode())  # last: now it counts
    except OSError as error:
        raise HoldfastError(
            f"can't write the kernelspec {folder}: {error.strerror}", "install it for yourself: --user"
        ) from error
    return folder


def installed() -> dict[str, Path]:
    """Our kernelspecs by name, each with the folder that Jupyter would use."""
    found: dict[str, Path] = {}
    foreign: set[str] = set()
    for folder in kernelspec_folders():
        name = folder.name.lower()
        if name not in found and name not in foreign:
            if _is_ours(folder):
                found[name] = folder
            else:
                foreign.add(name)
    return found


def interpreter(folder: Path) -> str | None:
    """The Python that a kernelspec of ours starts; None if somebody has damaged what it says."""
    first = next(iter(_argv(folder)), None)
    return first if isinstance(first, str) and first and "\0" not in first else None


def remove(name: str) -> Path:
    """Remove our kernelspec `name` and return where it was. HoldfastError when there is none."""
    ours = installed()
    folder = ours.get(_checked(name))
    if folder is None:
        there = f": only {', '.join(sorted(ours))}" if ours else ""
        raise HoldfastError(f"{name} is not a kernelspec of Holdfast's{there}", "holdfast kernel list")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise HoldfastError(f"can't remove {folder}: {error.strerror}") from error
    return folder


def kernelspec_folders() -> list[Path]:
    """Every folder with a `kernel.json`, in the order in which Jupyter looks."""
    parents = [folder / "kernels" for folder in data_folders()]
    return [spec.parent for parent in parents for spec in sorted(parent.glob("*/kernel.json"))]


def user_data_folder() -> Path:
    """The user's own Jupyter data folder (docs.jupyter.org, "Common directories", data)."""
    named = os.environ.get("JUPYTER_DATA_DIR")
    if named:
        return Path(named)
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home().resolve() / ".local" / "share") / "jupyter"


def data_folders() -> list[Path]:
    """All Jupyter data folders in search order: JUPYTER_PATH, the user's and this Python's, the system's."""
    named = [Path(part) for part in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
    mine = [user_data_folder()]
    if site.ENABLE_USER_SITE:
        mine.append(Path(site.getuserbase()) / "share" / "jupyter")
    environment = [Path(sys.prefix) / "share" / "jupyter"]
    both = environment + mine if _environment_first() else mine + environment
    return list(dict.fromkeys([*named, *(one for one in both if one not in SYSTEM_FOLDERS), *SYSTEM_FOLDERS]))


def _environment_first() -> bool:
    wish = os.environ.get("JUPYTER_PREFER_ENV_PATH")
    if wish is not None:
        return wish.lower() not in ("no", "n", "false", "off", "0", "0.0")
    conda = os.environ.get("CONDA_PREFIX")
    in_conda = (
        conda and sys.prefix.startswith(conda) and os.environ.get("CONDA_DEFAULT_ENV", "base") != "base"
    )
    if sys.prefix == sys.base_prefix and not in_conda:
        return False
    return os.stat(sys.prefix).st_uid == os.geteuid()


def _data_folder(*, sys_prefix: bool, prefix: Path | None) -> Path:
    if prefix is not None:
        return prefix.absolute() / "share" / "jupyter"
    return Path(sys.prefix) / "share" / "jupyter" if sys_prefix else user_data_folder()


def _checked(name: str) -> str:
    lowered = name.lower()  # as jupyter_client does with every name it installs or looks for
    if _NAME.fullmatch(lowered):
        return lowered
    raise HoldfastError(f"{name!r} can't name a kernelspec", "use letters, digits, '.', '-' and '_'")


def _spec(argv: list[str], display_name: str, metadata: dict[str, object]) -> dict[str, object]:
    return {
        "argv": argv,
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "message",
        "metadata": metadata,
        "kernel_protocol_version": PROTOCOL_VERSION,
    }


def _metadata(*, debugger: bool, provisioner: bool) -> dict[str, object]:
    known: dict[str, object] = {"debugger": debugger, "supported_encryption": ["curve"]}
    if provisioner:
        known["kernel_provisioner"] = {"provisioner_name": PROVISIONER}
    return known


def _is_ours(folder: Path) -> bool:
    return MODULE in _argv(folder)


def _argv(folder: Path) -> list[object]:
    """What Jupyter would start, whatever stands there; empty if it is no list."""
    try:
        spec = json.loads((folder / "kernel.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    argv = spec.get("argv") if isinstance(spec, dict) else None
    return argv if isinstance(argv, list) else []


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, readable for everybody who may enter its folder."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
