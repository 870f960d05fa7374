"""GUI toolkits, each behind one call: serve your events until there is something else to do.

Nothing here knows asyncio or the link: a toolkit is told which descriptor it watches for us. Each is imported
when somebody wants it, and never before.

A standby has no connection to the display (`privatise`), and the threads that a toolkit had are not there
either. So in a copy that becomes the worker the windows are gone. What is left to do is that whoever still
uses them gets an error, and does not wait for ever.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import importlib.util
import math
import os
import sys
import time
from typing import Any, Protocol

from IPython.core.error import UsageError

SLICE_SECONDS = 0.01
"""So long a toolkit may go on with events that wait already."""

_BINDINGS = {"PySide6": 6, "PyQt6": 6, "PyQt5": 5, "PySide2": 5}
"""Python's ways to Qt, the preferred ones first, and the version of Qt that each is for."""
_WITHOUT_DISPLAY = ("offscreen", "minimal", "linuxfb", "eglfs", "vnc")
"""Platforms of Qt (QT_QPA_PLATFORM) that need no display server."""
_XCB_CONN_ERROR = 1  # xcb.h


class Toolkit(Protocol):
    """A toolkit that is there and can be served."""

    def serve(self, seconds: float | None) -> None:
        """Handle events: at least one batch, or until the descriptor is readable or the time is over.

        None: there is no such time; 0: only what waits already.
        """

    def woken(self) -> bool:
        """This process is a copy of the one that made the windows. Whether they are gone."""


class Tk:
    """Tcl's loop, which serves all windows of Tk. UsageError without tkinter."""

    def __init__(self, fd: int) -> None:
        try:
            c_part, tkinter = importlib.import_module("_tkinter"), importlib.import_module("tkinter")
        except ImportError as error:
            raise UsageError(
                f"%gui tk needs tkinter, which this Python does not have ({error}). It is in the system's "
                "package python3-tk; a Python of your own must be built where Tk's headers are"
            ) from error
        self._fd = fd
        self._readable = tkinter.READABLE
        self._all, self._waiting = c_part.ALL_EVENTS, c_part.DONT_WAIT
        self._tcl = tkinter.Tcl().tk  # without a window: the first `Tk()`, the default root, is the user's

    def serve(self, seconds: float | None) -> None:
        """See Toolkit."""
        if seconds != 0:
            self._wait(seconds)
        end = time.monotonic() + SLICE_SECONDS
        while self._tcl.dooneevent(self._waiting) and time.monotonic() < end:
            pass

    def woken(self) -> bool:
        """See Toolkit. Whether there were windows is not known, and nearly nobody wants Tk without any."""
        return True

    def _wait(self, seconds: float | None) -> None:
        tcl = self._tcl
        # The handler goes at once: in a nested loop, as a dialog's, it would be called for ever.
        tcl.createfilehandler(self._fd, self._readable, lambda fd, _mask: tcl.deletefilehandler(fd))
        timer = None if seconds is None else tcl.createtimerhandler(_milliseconds(seconds), lambda: None)
        try:
            tcl.dooneevent(self._all)
        finally:
            tcl.deletefilehandler(self._fd)
            if timer is not None:
                timer.deletetimerhandler()


class Qt:
    """Qt's loop, with whichever binding is loaded, asked for or installed. UsageError without any."""

    def __init__(self, fd: int, version: int | None = None) -> None:
        binding = _binding(version)
        core = importlib.import_module(f"{binding}.QtCore")
        self._cut_off = False
        atexit.register(self._leave)  # before Qt's own handler, which was registered by the import
        self._app = core.QCoreApplication.instance() or _application(binding)
        self._loop = core.QEventLoop()
        flags, deferred = core.QEventLoop.ProcessEventsFlag, core.QEvent.Type.DeferredDelete
        self._now, self._wait = flags.AllEvents, flags.WaitForMoreEvents
        self._deferred = int(getattr(deferred, "value", deferred))  # an enum since Qt 6
        self._notifier = core.QSocketNotifier(fd, core.QSocketNotifier.Type.Read)
        self._notifier.setEnabled(False)
        # At once: in a nested loop, as a dialog's, it would be activated for ever.
        self._notifier.activated.connect(lambda *_: self._notifier.setEnabled(False))
        self._timer = core.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setTimerType(core.Qt.TimerType.PreciseTimer)

    def serve(self, seconds: float | None) -> None:
        """See Toolkit."""
        if seconds == 0:
            self._loop.processEvents(self._now)
        else:
            self._notifier.setEnabled(True)
            if seconds is not None:
                self._timer.start(_milliseconds(seconds))
            self._loop.processEvents(self._wait)
            self._timer.stop()
            self._notifier.setEnabled(False)
        # What a cell asked to be deleted later, Qt itself deletes only inside of exec().
        self._app.sendPostedEvents(None, self._deferred)

    def woken(self) -> bool:
        """See Toolkit. A platform without a display goes on as before."""
        name = getattr(self._app, "platformName", lambda: "offscreen")()  # none if there is no GUI at all
        self._cut_off = not name.startswith(_WITHOUT_DISPLAY)
        if self._cut_off:
            with contextlib.suppress(Exception):  # not X11, or a binding that does not tell
                _break_xcb(int(self._app.nativeInterface().connection()))
        return self._cut_off

    def _leave(self) -> None:
        """At the end Qt would wait for the threads it had, which are not here: leave without that."""
        if self._cut_off:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def _break_xcb(connection: int) -> None:
    """Let a connection to an X server say that it is broken.

    A thread of Qt's was reading from it when this process was forked off, and libxcb would wait until that
    thread has read the next answer. Its first field is the error of the connection, by libxcb's own rule
    (xcbint.h: "This must be the first field; see _xcb_conn_ret_error()").
    """
    ctypes.c_int.from_address(connection).value = _XCB_CONN_ERROR


def _milliseconds(seconds: float) -> int:
    """Rounded up, so that nobody wakes too early, and not more than C's int holds."""
    return min(math.ceil(seconds * 1e3), 1 << 30)


def _binding(version: int | None) -> str:
    """The name of the binding to use."""
    possible = [name for name, its in _BINDINGS.items() if version in (None, its)]
    loaded = [name for name in _BINDINGS if f"{name}.QtCore" in sys.modules]
    if loaded:
        if loaded[0] not in possible:
            raise UsageError(f"Cannot switch Qt versions for this session; you must use {loaded[0]}")
        return loaded[0]
    installed = [name for name in possible if importlib.util.find_spec(name)]
    if not installed:
        raise UsageError(f"%gui qt needs {' or '.join(possible)}: %pip install {possible[0]}")
    wanted = os.environ.get("QT_API", "").lower()
    return next((name for name in installed if name.lower() == wanted), installed[0])


def _application(binding: str) -> Any:
    """A new QApplication, of which a process has one. Without a display Qt would abort the process."""
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not display and not platform.startswith(_WITHOUT_DISPLAY):
        raise UsageError(
            "%gui qt needs a display, and neither DISPLAY nor WAYLAND_DISPLAY says where one is. "
            "With QT_QPA_PLATFORM=offscreen Qt does without"
        )
    return importlib.import_module(f"{binding}.QtWidgets").QApplication([" "])
