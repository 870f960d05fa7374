"""A standby whose supervisor was killed sleeps on: it tells the template where it is, for the next one."""

from __future__ import annotations

import os
import socket

from holdfast.link.channel import Channel
from holdfast.link.messages import Sleeping


def find_template(control: Channel, meeting: str, sleeping: Sleeping) -> bool:
    """Put a connection to the meeting at `meeting` in the place of the control socket, and say who is here.

    False if nobody is there: the session is over.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as found:
            found.connect(meeting)
            os.dup2(found.fileno(), control.fileno(), inheritable=False)
    except OSError:
        return False
    control.restart()
    control.send(sleeping)
    return not control.ended
