"""The meeting of a template with whoever comes for what a supervisor has left."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from pathlib import Path

from holdfast.link.channel import Channel
from holdfast.link.messages import Orphan, Sleeping, Start
from holdfast.worker.heritage import GUESTS, Heritage


def test_who_comes_and_says_nothing_keeps_nobody_else_away(tmp_path: Path) -> None:
    meeting = str(tmp_path / "meeting")
    with ExitStack() as stack:

        def come() -> socket.socket:
            guest = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            guest.connect(meeting)
            heritage.meet()
            return guest

        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(meeting)
        server.listen()
        heritage = Heritage(Start(-1, -1, -1, -1, meeting=meeting, meets=server.detach()))
        stack.callback(heritage.let_go)
        silent = [come() for _ in range(GUESTS)]
        Channel(come()).send(Sleeping(1, 2, 3, "", 0.0))
        heritage.meet()

        assert not silent[0].recv(1), "the first one is sent away"
        assert not select.select(silent[1:], [], [], 0)[0]
        ours, theirs = map(stack.enter_context, socket.socketpair())
        heritage.pass_on(Channel(ours))
        (orphan,) = Channel(theirs).receive()
        assert isinstance(orphan, Orphan)
        assert orphan.pid == 3
