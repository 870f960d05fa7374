"""IPython's shell in a process without a terminal: where its output goes, how it asks, what `exit` means.

The class is named ZMQInteractiveShell because libraries recognise a notebook by that name (protocol.md 1.14).
"""

from __future__ import annotations

import asyncio
import os
import pdb  # noqa: T100 - replaced by the debugger that asks through `input`
import sys
import traceback
from collections.abc import Callable
from typing import Any

from IPython.core import debugger, page, payloadpage
from IPython.core.interactiveshell import InteractiveShell, InteractiveShellABC
from traitlets import Any as AnyTrait
from traitlets import CBool, Instance, Type, default

from holdfast.worker.ipython.display import DisplayChannel, Publisher, ResultHook
from holdfast.worker.ipython.exits import Exit
from holdfast.worker.ipython.formats import QuickFormatter
from holdfast.worker.ipython.gui import Guis
from holdfast.worker.ipython.history import JournalHistory
from holdfast.worker.ipython.magics import register as register_kernel_magics
from holdfast.worker.ipython.system import System
from holdfast.worker.parents import ParentApi, Parents, Request
from holdfast.worker.tracebacks import only_the_users, without_ours


def words_of(error: BaseException | None) -> str:
    """What an error says of itself; its own code may fail."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's
        return "<exception str() failed>"  # as Python's own tracebacks have it


class ZMQInteractiveShell(ParentApi, InteractiveShell):
    """The shell of a worker. `publisher` and `ask` are its ways to the supervisor."""

    displayhook_class = Type(ResultHook)
    display_pub_class = Type(DisplayChannel)
    publisher: Publisher = AnyTrait()
    ask: Callable[..., Any] = AnyTrait()
    programs: System = AnyTrait()
    guis: Guis = AnyTrait()
    kernel: Any = AnyTrait()
    exiter = Instance(Exit)
    readline_use = CBool(False)
    autoindent = CBool(False)

    last_error: dict[str, Any] | None = None
    """ename, evalue, traceback of the exception shown last; None since the last cell began."""

    failed = False
    """The running cell has failed though it raised nothing: a result whose `repr` raised, a program."""

    interrupted = False
    """An interrupt cancelled the running cell's task: its CancelledError is really a KeyboardInterrupt."""

    @default("exiter")  # type: ignore[untyped-decorator] # traitlets is Any here
    def _make_exiter(self) -> Exit:
        return Exit(self)

    def init_environment(self) -> None:
        """Tell programs that we start what they write to: colours yes, a pager no."""
        os.environ.update(
            TERM="xterm-color",
            CLICOLOR="1",
            FORCE_COLOR="1",
            CLICOLOR_FORCE="1",
            PAGER="cat",
            GIT_PAGER="cat",
        )
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")

    def init_hooks(self) -> None:
        """Let long help go to the client's pager."""
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(payloadpage.page), 99)

    def init_history(self) -> None:
        """Use the supervisor's history."""
        self.history_manager = JournalHistory(self.ask, shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def init_display_formatter(self) -> None:
        """Show results as IPython does, by a shorter way."""
        self.display_formatter = QuickFormatter(parent=self)
        self.configurables.append(self.display_formatter)

    def init_display_pub(self) -> None:
        """Make displays go to the link."""
        self.display_pub = self.display_pub_class(parent=self, shell=self, publisher=self.publisher)
        self._connect(self.display_pub)
        self.configurables.append(self.display_pub)

    def init_displayhook(self) -> None:
        """Make results go to the link."""
        super().init_displayhook()
        self.displayhook.publisher = self.publisher
        self._connect(self.displayhook)

    def init_traceback_handlers(self, custom_exceptions: Any) -> None:
        """Show every error, also one that IPython's formatter stumbles over, or is interrupted at."""
        super().init_traceback_handlers(custom_exceptions)
        formatter = self.InteractiveTB
        thorough = formatter.structured_traceback

        def structured(kind: Any, value: Any, trace: Any = None, *args: Any, **kwargs: Any) -> list[str]:
            try:
                return thorough(kind, value, trace, *args, **kwargs)  # type: ignore[no-any-return]
            except (Exception, KeyboardInterrupt):  # noqa: BLE001 - Python's own form, which can't fail
                lines = traceback.format_exception(kind, value, trace)
                return [line.removesuffix("\n") for line in lines]

        formatter.structured_traceback = structured

    def init_pdb(self) -> None:
        """Make `breakpoint()` and pdb use IPython's debugger, which asks through `input`."""
        super().init_pdb()
        pdb.Pdb = debugger.InterruptiblePdb  # type: ignore[misc]
        pdb.set_trace = debugger.set_trace
        debugger.Pdb = debugger.InterruptiblePdb

    def init_magics(self) -> None:
        """Add the magics that mean something else where the clients are elsewhere."""
        super().init_magics()
        register_kernel_magics(self)

    def init_virtualenv(self) -> None:
        """Do nothing: the interpreter that runs is the one that was chosen."""

    def enable_gui(self, gui: str | None = None) -> None:
        """`%gui`, `%matplotlib`: serve a toolkit's windows between cells; None: no more."""
        self.guis.enable(gui)
        self.active_eventloop = gui

    def ask_exit(self) -> None:
        """`exit`: the client that ran it leaves; the session goes on."""
        self.payload_manager.write_payload({"source": "ask_exit", "keepkernel": True})

    def set_next_input(self, s: str, replace: bool = False) -> None:
        """Offer `s` as the client's next input."""
        self.payload_manager.write_payload({"source": "set_next_input", "text": s, "replace": replace})

    def system_piped(self, cmd: str) -> None:
        """`!cmd`: on a terminal of its own."""
        self.programs.run(self, self.var_expand(cmd, depth=1))

    system = system_piped

    def reset(self, new_session: bool = True, aggressive: bool = False) -> None:
        """`%reset`: empty the namespace. No recovery brings back what was thrown away."""
        super().reset(new_session, aggressive)
        self.ask("reset")

    def run_cell(self, *args: Any, **kwargs: Any) -> Any:
        """Run a cell from within a cell (extensions do); what it raises is the outer cell's to tell."""
        self.last_error = None
        return super().run_cell(*args, **kwargs)

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show an exception without our frames; a cancellation that was an interrupt reads as one."""
        kind, value, trace = exc_tuple or sys.exc_info()
        only_the_users(value)
        if self.interrupted and isinstance(value, asyncio.CancelledError):
            kind, value = KeyboardInterrupt, KeyboardInterrupt()
        trace = without_ours(trace) or trace
        super().showtraceback((kind, value, trace) if kind else None, *args, **kwargs)

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        """Send a formatted exception to the clients and keep it for the reply."""
        self.last_error = {"ename": etype.__name__, "evalue": words_of(evalue), "traceback": list(stb)}
        self.publisher.publish("error", self.last_error)

    def _connect(self, hook: DisplayChannel | ResultHook) -> None:
        """Give a display hook what libraries look for in it."""
        hook.session = self.kernel.session
        hook.pub_socket = self.kernel.iopub_socket

    @property
    def parent_header(self) -> dict[str, Any]:
        """The request that output made now belongs to: here, as in ipykernel, not its header alone."""
        return self.get_parent()

    @parent_header.setter
    def parent_header(self, request: Request) -> None:
        self.set_parent(request)

    def _speaker(self) -> Parents:
        return self.publisher.parents


InteractiveShellABC.register(ZMQInteractiveShell)
