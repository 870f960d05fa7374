"""The provisioner by which a Jupyter server starts or finds a session. Imported by jupyter_client only.

A notebook's session outlives the server that it was begun under:

    a notebook is opened       a launcher joins the notebook's session (`notebooks.py`), or starts it
    the server dies            the launcher leaves; the session goes on, also in the middle of a cell
    the server is stopped      the same: its farewell is neither an interrupt nor an end for the session
    "Shut Down", culling       the session's processes end, unless another notebook has it open; its variables
                               are gone
    all is killed, a reboot    the notebook's session begins again with what is on disk
    "Restart"                  a fresh namespace in the same session

What has no notebook (nbclient, papermill, a script) has a session of its connection file, as without this
provisioner. A kernelspec's `--session NAME` is left alone: such a session belongs to nobody alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from holdfast.client import start
from holdfast.errors import HoldfastError
from holdfast.jupyter import notebooks

SESSION_FLAG = "--session"


class HoldfastProvisioner(LocalProvisioner):
    """A launcher as the process that Jupyter watches, and the session behind it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._session: str | None = None  # which this notebook has of its own
        self._shared = False  # the kernelspec names a session
        self._notebook: str | None = None
        self._python = ""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the launcher join the notebook's session."""
        # Jupyter sends its interrupt_request past the provisioner, also when it only says goodbye: a signal
        # comes by `send_signal`, where the two can be told apart.
        self.kernel_spec.interrupt_mode = "signal"
        prepared = await super().pre_launch(**kwargs)
        command: list[str] = prepared["cmd"]
        self._shared = any(part.partition("=")[0] == SESSION_FLAG for part in command)
        if not self._shared:
            self._python = command[0]
            self._find_session(prepared["env"].get("JPY_SESSION_NAME"))
            if self._session is not None:
                prepared["cmd"] = [*command, SESSION_FLAG, self._session]
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the launcher."""
        info = await super().launch_kernel(cmd, **kwargs)
        self.log.info("holdfast: kernel %s is session %s", self.kernel_id, self._session or "of its own file")
        return info

    async def poll(self) -> int | None:
        """Whether the launcher lives. Asked every few seconds: a good moment to look for a renaming."""
        self._follow_renaming()
        return await super().poll()

    async def send_signal(self, signum: int) -> None:
        """Pass a signal on, but an interrupt that would hit a session that goes on."""
        if signum == signal.SIGINT and self._is_farewell() and not self._ends_with_us():
            return
        await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the launcher. The namespace behind it is given up too, as Jupyter expects of a kill.

        A launcher that has died already is only replaced: its session is as it was.
        """
        if self._session is not None and self._is_farewell() and self.process and self.process.poll() is None:
            request = self.parent.request_shutdown(restart=True)
            if asyncio.iscoroutine(request):
                await request
        await super().kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """The launcher is gone; so is the session, if it was shut down."""
        if not restart and self._session is not None and self._ends_with_us():
            await asyncio.get_running_loop().run_in_executor(None, self._end_session, self._session)
        await super().cleanup(restart=restart)

    def _find_session(self, name: str | None) -> None:
        """The session of this kernel: found once, kept over restarts."""
        if self._session is not None or not name:
            return
        if os.path.isabs(name) and (name.endswith(".ipynb") or os.path.isfile(name)):
            self._notebook = name
            self._session = notebooks.session_of(name, self._python)
        elif self.kernel_id:  # a code console: what it is called is not its own
            self._session = f"kernel-{self.kernel_id[:8]}"

    def _follow_renaming(self) -> None:
        """If the notebook was renamed (the server changes its kernel's environment then), so is its link."""
        environment = (getattr(self.parent, "_launch_args", None) or {}).get("env") or {}
        name = environment.get("JPY_SESSION_NAME")
        if self._notebook is not None and name and name != self._notebook and os.path.isabs(name):
            with contextlib.suppress(HoldfastError, OSError):
                notebooks.moved(self._notebook, name, self._python)
            self._notebook = name

    def _is_farewell(self) -> bool:
        return bool(getattr(self.parent, "shutting_down", False))

    def _ends_with_us(self) -> bool:
        """Whether a farewell is the session's end: somebody shut down this kernel, not the whole server."""
        return not self._shared and not (self._session is not None and self._server_stops())

    def _server_stops(self) -> bool:
        """Whether the application that holds our kernel is on its way out (jupyter_server's ServerApp)."""
        above = self.parent
        while above is not None:
            if getattr(above, "_stopping", False):
                return True
            above = getattr(above, "parent", None)
        return False

    def _end_session(self, name: str) -> None:
        try:
            with start.ring(name) as bell:
                process = os.pidfd_open(bell.ask("info")["pid"])
                try:
                    if bell.ask("stop", unless_held=True, for_good=True)["ends"]:
                        gone = select.poll()  # a busy server has more descriptors than select(2) takes
                        gone.register(process, select.POLLIN)
                        gone.poll(start.STOP_SECONDS * 1e3)
                finally:
                    os.close(process)
        except (HoldfastError, ProcessLookupError) as error:
            self.log.debug("holdfast: session %s: %s", name, error)
