"""The user's IPython profile: its configuration, start-up files, extensions and command-line traits.

IPython's own application classes do the work, so a profile means here what it means in `ipython`.
"""

from __future__ import annotations

from typing import Any

from IPython.core.application import BaseIPythonApplication, base_aliases, base_flags
from IPython.core.profiledir import ProfileDir
from IPython.core.shellapp import InteractiveShellApp, shell_aliases, shell_flags
from traitlets import Any as AnyTrait
from traitlets import default

from holdfast.worker.shell import ZMQInteractiveShell


class WorkerApp(BaseIPythonApplication, InteractiveShellApp):
    """Reads the profile and the flags a kernel was started with, then makes the shell."""

    name = "ipython-kernel"  # the profile's ipython_kernel_config.py belongs to it, as to ipykernel
    aliases = {**base_aliases, **shell_aliases}  # noqa: RUF012 - a trait's default, as IPython writes them
    flags = {**base_flags, **shell_flags}  # noqa: RUF012
    classes = [ZMQInteractiveShell, ProfileDir]  # noqa: RUF012
    shell_traits: Any = AnyTrait()
    interactive = True

    @default("exec_PYTHONSTARTUP")  # type: ignore[untyped-decorator] # traitlets is Any here
    def _no_python_startup(self) -> bool:
        return True

    def init_shell(self) -> None:
        """Make the shell with the configuration that has been read."""
        self.shell = ZMQInteractiveShell.instance(
            parent=self, profile_dir=self.profile_dir, **self.shell_traits
        )
        self.shell.configurables.append(self)

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
        self.init_path()
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        self.init_code()
        return notes
