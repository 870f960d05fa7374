"""`import ipykernel` in a worker: the names that libraries import from it, without ipykernel itself.

Libraries recognise a notebook by `sys.modules` and by the module of a class, and import classes to make
instances or to ask `isinstance`. All of that means the worker's own parts here. Where the real ipykernel is
installed, what is not named in this file is still taken from it: its other modules, and other names in these.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from holdfast.worker import streams
from holdfast.worker.ipython import comms, connect, display, facade, kernel, magics, shell

VERSION = (7, 4, 0)
"""The ipykernel whose behaviour is ours: libraries and editors look at it before they use a feature."""

PROTOCOL_VERSION = (5, 5)


class _Shim(ModuleType):
    """A module under a name of ipykernel's."""

    _real: ModuleType | None = None

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            real = self._load_real()
            if real is not None and hasattr(real, name):
                return getattr(real, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} in Holdfast")

    def _load_real(self) -> ModuleType | None:
        """The module of the real ipykernel, if it is installed. `sys.modules` goes on to name this one."""
        if self._real is None:
            package, _, _ = self.__name__.rpartition(".")
            places = sys.modules[package].__path__ if package else None
            spec = importlib.machinery.PathFinder.find_spec(self.__name__, places)
            if spec is None or spec.loader is None:
                return None
            self._real = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self._real)
        return self._real


class _Inline(_Shim):
    """An older name of a module of matplotlib-inline, which imports matplotlib: only when it is used."""

    def _load_real(self) -> ModuleType | None:
        return importlib.import_module(f"matplotlib_inline.{self.__name__.rpartition('.')[2]}")


def install(app_class: type) -> None:
    """From now on `ipykernel` and its modules are there; `app_class` is the application's class."""
    real = importlib.machinery.PathFinder.find_spec("ipykernel")
    folders = list(real.submodule_search_locations or ()) if real is not None else []
    for name, content in _names(app_class).items():
        _add(name, content, folders)
    # By these, libraries tell a notebook from a terminal.
    shell.ZMQInteractiveShell.__module__ = "ipykernel.zmqshell"
    streams.OutStream.__module__ = "ipykernel.iostream"


def _add(name: str, content: Mapping[str, Any], folders: list[str]) -> None:
    module = (_Inline if name.startswith("ipykernel.pylab.") else _Shim)(name)
    vars(module).update(content)
    is_package = name in {"ipykernel", "ipykernel.comm", "ipykernel.pylab"}
    spec = importlib.machinery.ModuleSpec(name, None, origin="holdfast", is_package=is_package)
    below = name.partition(".")[2]
    places = [f"{folder}/{below}" if below else folder for folder in folders]
    if is_package:
        spec.submodule_search_locations = module.__path__ = places
    module.__spec__ = spec
    module.__package__ = name if is_package else name.rpartition(".")[0]
    sys.modules[name] = module
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)


def _names(app_class: type) -> dict[str, dict[str, Any]]:
    """Module by module, packages first, the names that mean something here."""
    connection = {
        each.__name__: each
        for each in (connect.get_connection_file, connect.get_connection_info, connect.connect_qtconsole)
    }
    version = {
        "version_info": VERSION,
        "__version__": ".".join(map(str, VERSION)),
        "kernel_protocol_version_info": PROTOCOL_VERSION,
        "kernel_protocol_version": ".".join(map(str, PROTOCOL_VERSION)),
    }
    comm_names = {"Comm": comms.Comm, "BaseComm": comms.Comm, "CommManager": comms.CommManager}
    return {
        "ipykernel": {**version, **connection},
        "ipykernel._version": version,
        "ipykernel.connect": connection,
        "ipykernel.comm": {"Comm": comms.Comm, "CommManager": comms.CommManager},
        "ipykernel.comm.comm": comm_names,
        "ipykernel.comm.manager": comm_names,
        "ipykernel.kernelbase": {"Kernel": kernel.Kernel},
        "ipykernel.ipkernel": {"IPythonKernel": kernel.IPythonKernel, "Kernel": kernel.Kernel},
        "ipykernel.kernelapp": {"IPKernelApp": app_class, "IPythonKernel": kernel.IPythonKernel},
        "ipykernel.zmqshell": {
            "ZMQInteractiveShell": shell.ZMQInteractiveShell,
            "ZMQDisplayPublisher": display.DisplayChannel,
            "KernelMagics": magics.KernelMagics,
        },
        "ipykernel.displayhook": {
            "ZMQShellDisplayHook": display.ResultHook,
            "ZMQDisplayHook": display.ResultHook,
        },
        "ipykernel.iostream": {
            "OutStream": streams.OutStream,
            "IOPubThread": facade.PubThread,
            "BackgroundSocket": facade.PubSocket,
        },
        "ipykernel.eventloops": {
            "loop_map": facade.loop_map,
            "register_integration": facade.register_integration,
            "enable_gui": facade.enable_gui,
        },
        "ipykernel.pylab": {},
        "ipykernel.pylab.config": {},
        "ipykernel.pylab.backend_inline": {},
    }
