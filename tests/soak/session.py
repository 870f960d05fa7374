"""The real kernel under test: its processes, what it says after a death, its ends and new beginnings."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment, running
from kit.processes import marked, wait_for_end
from kit.wire import Cell, Message, Silence
from soak.faults import Victim
from soak.notices import Notice, of_text
from soak.oracle import DIGEST

BACK_SECONDS = 20.0
"""From a death to the next worker; a machine that is busy with other things is not a hang."""

_DIGEST = f"__import__('runpy').run_path({str(DIGEST)!r})"
_LOOK = f"{_DIGEST}['tell'](globals())"
_AGAIN = 0.5

SETTINGS = """
[checkpoint]
rest_seconds = 0.02
share = 1.0
"""
"""The namespace is written to disk more often than anybody would want: more moments to be killed in."""


class Session:
    """A kernel with one client."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            self.kernel = stack.enter_context(running(settings=SETTINGS))
            self.client = self.kernel.client()
            self._stack = stack.pop_all()
        self._read = 0  # of what is published, as far as notices were looked for
        self.oracle_environment = environment(self.kernel.folder, "soak")
        self.folder = self.kernel.folder / "work"

    def close(self) -> None:
        """End it; AssertionError if a process is left."""
        self._stack.close()

    def about(self) -> Message:
        """What it says of itself."""
        return self.client.ask("holdfast_info_request", {}, "control", within=BACK_SECONDS)

    def look(self, within: float) -> Cell:
        """A cell that nobody sees prints the digests of all variables."""
        cell = self.client.run(_LOOK, silent=True, within=within)
        if cell.status == "aborted":  # it came while a cell was found to have died, as any client's may
            cell = self.client.run(_LOOK, silent=True, within=within)
        return cell

    def show(self, name: str) -> str:
        """A variable, for people."""
        asked = f"{_DIGEST}['show'](globals(), {name!r})"
        return self.client.run(f"print({asked})", silent=True).text().strip()

    def wait(self, message: str, seconds: float) -> bool:
        """Whether a reply comes within so many seconds, which are drawn by chance."""
        with contextlib.suppress(Silence):
            self.client.until(lambda: message in self.client.replies, "reply", seconds)
        return message in self.client.replies

    def kill(self, victim: Victim) -> Message:
        """From outside; what the session said of itself right before."""
        about = self.about()
        if victim == "everything":
            for pid in marked(self.kernel.mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.kernel.process.wait()  # its session ends without it, if a last supervisor of its is there
            return about
        pid = about["worker_pid"] if victim == "worker" else about["pid"]
        with contextlib.suppress(ProcessLookupError, TypeError):  # there is none just now
            os.kill(pid, signal.SIGKILL)
        return about

    def notice(self) -> Notice:
        """Of a death between cells, once it is said: on stderr, below the last cell."""
        found: list[Notice] = []
        self.client.until(lambda: found.extend(self._unread()) or found, "notice", BACK_SECONDS)
        return found[0]

    def restart(self) -> None:
        """A fresh namespace; the supervisor goes on."""
        self.client.close()
        self.kernel.shut_down(restart=True)
        self.kernel.launch()
        self.client, self._read = self.kernel.client(), 0

    def rejoin(self, within: float) -> bool:
        """The supervisor was killed. Whether the client is answered again; else there is a new client."""
        deadline = Deadline(within)
        while self.kernel.process.poll() is None and not deadline.passed:
            # What is sent into the gap may be lost, as with every Jupyter client: it is asked again.
            if self.wait(self.client.send("kernel_info_request"), _AGAIN):
                return True
        if self.kernel.process.poll() is None:
            self.kernel.process.kill()
        wait_for_end(self.kernel.process.pid, Deadline(END_SECONDS))
        self.client.close()
        self.kernel.launch()
        self.client, self._read = self.kernel.client(), 0
        return False

    def _unread(self) -> Iterator[Notice]:
        """Notices on stderr among what was published since the last time."""
        published, self._read = self.client.published[self._read :], len(self.client.published)
        for message in published:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
                notice = of_text(message["content"]["text"])
                if notice is not None:
                    yield notice

    def held(self) -> list[Message]:
        """The cells whose effects are there, once all that came before has ended."""
        self.client.run("", silent=True)
        cells: list[Message] = self.client.ask("holdfast_held_request", {}, "control")["cells"]
        return cells

    def memory(self, pid: int) -> int:
        """Resident bytes of a process (proc(5), statm)."""
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def processes(self) -> int:
        """How many there are."""
        return len(marked(self.kernel.mark))
