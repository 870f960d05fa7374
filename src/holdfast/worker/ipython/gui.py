"""Windows (`%gui`): a toolkit's events are served whenever the worker's loop has nothing else to do.

asyncio's loop stays the only one. Where it would wait in epoll_wait(2), the toolkit waits instead, and
watches the loop's epoll set as one more descriptor: such a set is readable when anything in it is ready. So a
cell starts as soon as it comes, tasks go on, windows live, and an idle worker sleeps. After each batch of
events the loop looks whether a callback has given it something to do.

Which toolkits there are, and how each waits, is in `toolkits`; here is when.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import selectors
import signal
import time
import traceback
from collections.abc import Callable

from IPython.core.error import UsageError

from holdfast.worker.ipython.toolkits import Qt, Tk, Toolkit

WITHOUT_LOOP = frozenset({None, "asyncio", "inline", "ipympl", "nbagg", "notebook", "webagg", "widget"})
"""What needs no loop but the one that runs anyhow. The names are ipykernel's."""

TOOLKITS: dict[str, Callable[[int], Toolkit]] = {
    "tk": Tk,
    "qt": Qt,
    "qt5": lambda fd: Qt(fd, version=5),
    "qt6": lambda fd: Qt(fd, version=6),
}
"""Each is told which descriptor to watch."""

ELSEWHERE = frozenset({"gtk", "gtk3", "gtk4", "macosx", "osx", "wx"})
"""What IPython knows and Holdfast does not serve."""

BUSY_SECONDS = 0.01
"""While the loop has work without end, a toolkit gets its turn so often: 100 frames a second."""

_Events = list[tuple[selectors.SelectorKey, int]]


class Guis:
    """Which toolkit is served, and that it is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, selector: selectors.EpollSelector) -> None:
        self._selector = selector
        self._ready = selector.select  # as epoll does it
        # A signal puts a byte here, and so ends a wait: toolkits wait on when one interrupts them (EINTR).
        self._wakeup: int = loop._csock.fileno()  # type: ignore[attr-defined]
        self._name: str | None = None
        self._toolkit: Toolkit | None = None
        self._made: dict[str, Toolkit] = {}  # they stay while they are off: windows refer to them
        self._gone: set[str] = set()  # kinds whose windows ended with a process before this one
        self._last = 0.0  # when a toolkit had its turn, or was told to wait for one
        self._served = False  # callbacks of the user's may have run

    def enable(self, name: str | None) -> None:
        """Serve this toolkit from now on; None: none. UsageError if that can't be."""
        if name is None or name in WITHOUT_LOOP:
            self._switch_off()
            return
        if name in ELSEWHERE:
            raise UsageError(f"%gui {name} does not work in Holdfast; tk, qt and asyncio do")
        if name not in TOOLKITS:
            names = ", ".join(sorted({*filter(None, WITHOUT_LOOP), *TOOLKITS}))
            raise UsageError(f"Invalid GUI request {name!r}, valid ones are: {names}")
        if self._name is not None and _kind(self._name) != _kind(name):
            raise UsageError(f"%gui {self._name} is on, and only one can be: %gui alone switches it off")
        if _kind(name) in self._gone:
            raise UsageError(
                f"%gui {name} can't be on again: the connection to the display ended in a crash, and this "
                "process can't make another one. Restart the kernel to open windows"
            )
        if name not in self._made:
            self._made[name] = TOOLKITS[name](self._selector.fileno())
        self._name, self._toolkit = name, self._made[name]
        self._selector.select = self._select  # type: ignore[method-assign]

    def served(self) -> bool:
        """Whether callbacks of the user's may have run since this was asked last."""
        served, self._served = self._served, False
        return served

    def wait_a_moment(self) -> None:
        """Something begins that no callback may come before."""
        self._last = time.monotonic()

    def woken(self) -> list[str]:
        """This process was a standby. What is off from now on, in words."""
        lost = {_kind(name) for name, each in self._made.items() if each.woken()}
        new, name = lost - self._gone, self._name
        self._gone |= lost
        if new:
            _end_at_once()
        if name is None or _kind(name) not in new:
            return []
        self._switch_off()
        return [f"%gui {name} is off: its windows are gone, and new ones need a restart"]

    def _switch_off(self) -> None:
        self._name = self._toolkit = None
        self._selector.select = self._ready  # type: ignore[method-assign]

    def _select(self, timeout: float | None = None) -> _Events:
        """In the place of the selector's own: wait with the toolkit."""
        ready = self._ready(0)
        hurry = bool(ready) or (timeout is not None and timeout <= 0)
        if hurry and time.monotonic() - self._last < BUSY_SECONDS:
            return ready
        self._serve(0 if hurry else timeout)
        self._last = time.monotonic()
        return ready or self._ready(0)

    def _serve(self, seconds: float | None) -> None:
        if self._toolkit is None:
            return
        self._served = True
        before = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        try:
            self._toolkit.serve(seconds)
        except Exception:  # noqa: BLE001 - the user's windows and callbacks take part
            traceback.print_exc()
            self._switch_off()
        finally:
            signal.set_wakeup_fd(before)


def _kind(name: str) -> str:
    """The toolkit that goes by this name: all versions of Qt are one."""
    return name[:2]


def _end_at_once() -> None:
    """A process whose display is gone may be ended by its library with exit(3), in the middle of a cell.

    On the way that would wait for threads that are gone, too; so what is done first is the last (on_exit(3)).
    """
    libc = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):  # another C library than glibc
        libc.on_exit(libc._exit, None)
