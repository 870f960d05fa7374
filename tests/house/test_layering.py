"""Who may know whom. A new folder needs a line in MAY_USE; a new importer of something, a reason."""

from __future__ import annotations

from kit.source import modules

GROUND = {
    "__version__",
    "errors",
    "files",
    "paths",
    "processes",
    "settings",
    "completeness",
    "likeness",
    "sizes",
    "visible",
    "listening",
    "z85",
}
"""What everybody may use."""

MAY_USE: dict[str, set[str]] = {
    "": {"client", "worker"},  # `holdfast.embed`, which loads them when it is called
    "errors": set(),
    "likeness": set(),
    "files": set(),
    "listening": set(),
    "paths": set(),
    "processes": set(),
    "settings": set(),
    "sizes": set(),
    "visible": set(),
    "z85": set(),
    "config": set(),
    "completeness": set(),
    "protocol": set(),
    "keys": set(),
    "link": set(),
    "access": {"protocol", "keys"},
    "journal": {"protocol"},
    "checkpoint": set(),
    "supervisor": {"protocol", "keys", "access", "link", "journal", "checkpoint", "config"},
    "worker": {"protocol", "link", "checkpoint"},
    "client": {"protocol", "keys"},
    "console": {"protocol", "client"},
    "jupyter": {"protocol", "client"},
    "cellfiles": set(),
    "cli": {"protocol", "keys", "client", "console", "jupyter", "journal", "config", "cellfiles"},
    "kernel": {"jupyter"},
    "__main__": {"cli"},
}
"""Room -> the other rooms it may import from, beside the ground."""

HOMES = {
    "sqlite3": {"journal"},
    "IPython": {"worker"},
    "pickle": {"checkpoint"},
    "cloudpickle": {"checkpoint"},
    "xxhash": {"checkpoint"},
    "multiprocessing": set(),
}
"""Package -> the rooms that may import it."""

WITHOUT_ZEROMQ = ("protocol", "link", "journal", "checkpoint", "worker", "kernel", "jupyter")
"""What is forked (a ZeroMQ context does not survive that), is pure, or must start at once."""

CORES = ("protocol", "link.frames", "link.messages", "client.exchange", "completeness")
"""Bytes in, messages out: tested without a process, usable behind any socket."""

EARLY = {
    "kernel",
    "jupyter",
    "jupyter.launcher",
    "client",
    "client.start",
    "client.doorbell",
    "paths",
    "errors",
    "likeness",
}
"""What runs before a session's first sign of life."""

SLOW = {"msgspec", "zmq", "argparse", "subprocess", "typing", "dataclasses", "asyncio", "hashlib", "inspect"}
"""Imports of 3 to 60 ms each."""


def test_a_module_imports_its_own_folder_and_what_stands_lower() -> None:
    strange = {
        (module.name, name)
        for module in modules()
        for name in module.ours
        if name.partition(".")[0] not in GROUND | MAY_USE[module.room] | {module.room}
    }

    assert not strange


def test_private_names_stay_in_their_module() -> None:
    names = {(module.name, name) for module in modules() for name in module.ours - {"__version__"}}

    assert not {(importer, name) for importer, name in names if name.rpartition(".")[2].startswith("_")}


def test_each_dangerous_package_has_one_home() -> None:
    importers = {(package, module.room) for module in modules() for package in module.foreign & HOMES.keys()}

    assert not {(package, room) for package, room in importers if room not in HOMES[package]}


def test_only_the_worker_forks_and_what_tries_things_out_in_its_copies() -> None:
    forkers = {module for module in modules() if module.calls & {"os.fork", "os.forkpty", "fork"}}

    assert {module.name for module in forkers if module.room != "worker"} <= {"checkpoint.children"}


def test_what_the_supervisor_knows_of_checkpoints_is_light() -> None:
    heavy = {"pickle", "cloudpickle", "xxhash", "ctypes", "numpy"}
    light = {f"checkpoint.{name}" for name in ("manifest", "pruning", "words", "whole")}
    known = [module for module in modules() if module.name in light or module.room == "supervisor"]
    names = {(module.name, name) for module in known for name in module.ours if name.startswith("checkpoint")}

    assert not {module.name for module in known if module.name in light and module.foreign & heavy}
    assert not {(who, name) for who, name in names if not {name, name.rpartition(".")[0]} & light}


def test_zeromq_stays_out_of_what_is_forked_or_must_start_at_once() -> None:
    users = {module.name for module in modules() if "zmq" in module.foreign}

    assert not {name for name in users if name.startswith(WITHOUT_ZEROMQ) or name in EARLY}


def test_cores_touch_no_socket_no_clock_and_no_thread() -> None:
    impure = {"socket", "select", "selectors", "asyncio", "zmq", "subprocess", "threading", "signal", "time"}
    cores = [module for module in modules() if module.name.startswith(CORES)]

    assert not {(module.name, name) for module in cores for name in module.foreign & impure}


def test_what_starts_first_imports_little() -> None:
    early = [module for module in modules() if module.name in EARLY]
    names = {(module.name, name) for module in early for name in module.run_time_imports}

    assert not {(importer, name) for importer, name in names if name.partition(".")[0] in SLOW}
    assert not {(importer, name) for importer, name in names if _is_late(name)}


def _is_late(imported: str) -> bool:
    """Whether it is one of ours (a module, or a name in one) that is not meant to be loaded so soon."""
    name = imported.removeprefix("holdfast.")
    return name != imported and not {name, name.rpartition(".")[0]} & (EARLY | {"__version__"})


def test_neither_worker_nor_supervisor_starts_a_thread() -> None:
    starters = {"Thread", "Timer", "start_new_thread", "ThreadPoolExecutor", "to_thread", "run_in_executor"}
    rooms = {"worker", "supervisor", "access", "link", "journal", "protocol"}
    calls = {(module.name, call) for module in modules() if module.room in rooms for call in module.calls}

    assert not {(name, call) for name, call in calls if "." in call and call.rpartition(".")[2] in starters}


def test_every_room_has_its_line_in_the_table() -> None:
    assert {module.room for module in modules()} <= MAY_USE.keys()
