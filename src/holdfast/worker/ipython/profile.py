"""The user's IPython profile: its configuration, start-up files, extensions and command-line traits.

IPython's own application classes do the work, so a profile means here what it means in `ipython`.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.core.application import BaseIPythonApplication, base_aliases, base_flags
from IPython.core.profiledir import ProfileDir
from IPython.core.shellapp import InteractiveShellApp, shell_aliases, shell_flags
from traitlets import Any as AnyTrait
from traitlets import Bool, default
from traitlets.config import Config

from holdfast.worker.ipython import connect
from holdfast.worker.ipython.kernel import IPythonKernel
from holdfast.worker.ipython.shell import ZMQInteractiveShell

_PACKAGES = ("site-packages", "dist-packages")


_flags = {
    "no-stdout": ({"IPKernelApp": {"no_stdout": True}}, "show nothing of what is printed"),
    "no-stderr": ({"IPKernelApp": {"no_stderr": True}}, "show nothing of what is printed to stderr"),
}


class _Section(Config):
    """`get_ipython().config["IPKernelApp"]`: libraries look there for the connection file."""

    def __contains__(self, key: object) -> bool:
        return key == "connection_file" or super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        return connect.get_connection_file() if key == "connection_file" else super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """See dict."""
        return self[key] if key == "connection_file" else super().get(key, default)


class IPKernelApp(BaseIPythonApplication, InteractiveShellApp):
    """Reads the profile and the flags a kernel was started with, then makes kernel and shell.

    Its name is that of its section in configuration files, and what libraries look for.
    """

    name = "ipython-kernel"  # the profile's ipython_kernel_config.py belongs to it, as to ipykernel
    aliases = {**base_aliases, **shell_aliases}  # noqa: RUF012 - a trait's default, as IPython writes them
    flags = {**base_flags, **shell_flags, **_flags}  # noqa: RUF012
    classes = [IPythonKernel, ZMQInteractiveShell, ProfileDir]  # noqa: RUF012
    shell_traits: Any = AnyTrait()
    kernel_parts: Any = AnyTrait()
    kernel: Any = AnyTrait()
    no_stdout = Bool(False, help="show nothing of what is printed").tag(config=True)
    no_stderr = Bool(False, help="show nothing of what is printed to stderr").tag(config=True)
    interactive = True

    @default("exec_PYTHONSTARTUP")  # type: ignore[untyped-decorator] # traitlets is Any here
    def _no_python_startup(self) -> bool:
        return True

    def init_path(self) -> None:
        """Let user code import from its folder, after Python's own modules.

        IPython would not: this process runs with `-P`. That is our wish; the user's is PYTHONSAFEPATH.
        """
        if "" in sys.path or self.ignore_cwd or os.environ.get("PYTHONSAFEPATH"):
            return
        places = [place for place, path in enumerate(sys.path) if Path(path).name in _PACKAGES]
        sys.path.insert(places[0] if places else 0, "")

    @property
    def connection_file(self) -> str:
        """Path of the connection file of the client that runs this cell, or of the session's own."""
        return connect.get_connection_file()

    @property
    def abs_connection_file(self) -> str:
        """The same."""
        return self.connection_file

    @property
    def connection_dir(self) -> str:
        """The folder it is in."""
        return str(Path(self.connection_file).parent)

    def init_io(self) -> None:
        """Silence what is not wanted."""
        for name, silent in (("stdout", self.no_stdout), ("stderr", self.no_stderr)):
            if silent:
                setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as the process lives

    def init_shell(self) -> None:
        """Make kernel and shell with the configuration that has been read."""
        self.config["IPKernelApp"] = _Section(self.config.get("IPKernelApp", {}))
        self.kernel = IPythonKernel.instance(
            parent=self, profile_dir=self.profile_dir, **(self.kernel_parts or {})
        )
        self.shell = ZMQInteractiveShell.instance(
            parent=self, profile_dir=self.profile_dir, kernel=self.kernel, **self.shell_traits
        )
        self.kernel.shell = self.shell
        self.shell.configurables.append(self)
        if notebook := os.environ.get("JPY_SESSION_NAME"):  # set by Jupyter: the notebook's path
            self.shell.user_ns["__session__"] = notebook

    def excepthook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Show what a callback of C code raised, mostly a GUI's. IPython's asks for a report of a bug."""
        traceback.print_exception(kind, error, trace)

    def start_up(self, arguments: list[str]) -> list[str]:
        """Read the profile and `arguments`, make the shell, run start-up files; returns notes for the user.

        Arguments no trait of ours knows are left unused, as ipykernel does: frontends pass what they like.
        """
        notes: list[str] = []
        self.log_level = "ERROR"  # a profile folder made anew is nothing to announce
        try:
            self.initialize(arguments)
        except SystemExit:  # traitlets' way to say "unknown option"
            notes.append(f"options not understood, and left out: {' '.join(arguments)}")
            self.initialize([])
        self.init_io()
        self.init_path()
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        self.init_code()
        return notes
