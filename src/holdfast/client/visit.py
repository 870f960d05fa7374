"""A visit to a session of another host over TCP: come in once, found again whenever the connection was cut.

the host does not answer       it is tried again until the user leaves, with longer and longer pauses
it answers, nobody listens     a supervisor that was killed is soon succeeded; a session that has ended is not
we are not let in any more     it is not tried again
"""

from __future__ import annotations

import threading
import time

from holdfast.client import abroad
from holdfast.client.succession import Search, Successor
from holdfast.errors import HoldfastError, KeysError, NoAnswer
from holdfast.settings import Remote

FIRST_PAUSE_SECONDS = 0.5
"""Between the first two tries: a supervisor that was killed is succeeded within a second."""

GONE_SECONDS = 60.0
"""So long a session is waited for whose host is there, and says that it is not: a reboot, with somebody there
who begins it again."""

MOVED_SECONDS = 5.0
"""Until then it is looked for where it was; then at all ports that a session may have, which takes a while if
the host is far away."""


class Visit:
    """Of one session."""

    def __init__(self, there: abroad.Place, host_key: str | None, settings: Remote) -> None:
        """Come in (`abroad.enter`). `host_key`: what the host is to be known by, the first time."""
        self._there = there
        self._settings = settings
        self._left = threading.Event()
        self.ended = False
        """The session has said that it ends, and has."""
        self.connection, told = abroad.enter(there, host_key)
        self._port = self.connection.shell_port
        self._epoch = told["epoch"]

    def find(self, search: Search) -> Successor | None:
        """Who serves it now; None: nobody does, or we may not come in."""
        pause, absent, told, refused = 0.0, 0.0, "", False
        while not self._left.wait(pause):
            begun = time.monotonic()
            try:
                port = None if absent > MOVED_SECONDS else self._port
                return self._successor(abroad.enter(self._there, port=port))
            except HoldfastError as error:
                if _is_final(error) and refused:  # the first time the list may just be written
                    return None
                refused = _is_final(error)
                present = not isinstance(error, NoAnswer) or isinstance(error, abroad.Refused)
                absent = absent + pause + time.monotonic() - begun if present else 0.0
                if present and (search.ended or absent > GONE_SECONDS):
                    self.ended = search.ended
                    return None
                if told != error.what and not refused and (pause or not present):
                    told = error.what
                    search.say(f"{told}; it is tried again until you leave (Ctrl-\\)")
            pause = max(FIRST_PAUSE_SECONDS, min(2 * pause, self._settings.retry_seconds))
        return None

    def close(self) -> None:
        """Leave."""
        self._left.set()

    def _successor(self, found: abroad.Entrance) -> Successor:
        told = found.told
        self._port = found.connection.shell_port
        same, self._epoch = told["epoch"] == self._epoch, told["epoch"]
        story = None
        if not same and not told.get("adopted"):
            story = str(told.get("story") or "nothing of before is in it")
        gone = f"the connection to {self._there.host}" if same else "the supervisor"
        return Successor(found.connection, story, self._epoch, gone, may_be_cut=True)


def _is_final(error: HoldfastError) -> bool:
    """Whether it is we who are not let in; somebody else may have the session's ports for a while."""
    return isinstance(error, KeysError) and not isinstance(error, abroad.Stranger)
