"""What was not asked for here: other clients' cells, and late output of our own. Shown as it comes.

Also keeps in mind whose cell runs, so that Ctrl-C and waiting can be explained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from holdfast import sizes
from holdfast.console import ansi
from holdfast.console.bundle import Bundles
from holdfast.console.names import called
from holdfast.console.screen import Screen
from holdfast.console.sieve import ONLY_OWN, Trust
from holdfast.console.view import CellView

if TYPE_CHECKING:
    from holdfast.client.exchange import Incoming
    from holdfast.client.past import Asker, Past
    from holdfast.protocol.messages import Header

VIEWS = 64
"""Cells of others whose late output still finds its label."""


class Running(NamedTuple):
    """Another client's cell that runs: its request, and what to call it."""

    msg_id: str
    title: str


class Others:
    """The stream of foreign messages (`Client.foreign`)."""

    def __init__(
        self,
        screen: Screen,
        bundles: Bundles,
        username: str,
        on_count: Callable[[int], None] = lambda _: None,
        trust: Trust = ONLY_OWN,
    ) -> None:
        """`username`: ours; namesakes are told apart."""
        self.running: Running | None = None
        self.ended = False
        """Somebody has ended the session in order."""
        self._screen = screen
        self._bundles = bundles
        self._username = username
        self._trust = trust
        self.on_count = on_count
        """Is told the number of each new cell."""
        self._views: dict[str, CellView] = {}

    def take(self, message: Incoming) -> None:
        """Show one message."""
        parent = message.parent
        if message.msg_type == "execute_input":
            self._begin(message)
        elif message.msg_type == "status":
            self._status(message)
            return
        elif message.msg_type == "shutdown_reply":
            self._shut_down(message)
            return
        self._view(parent, mine=message.mine).show(message.msg_type, message.content)

    def title(self, parent: Header | Asker) -> str:
        """What to call the client that sent `parent`."""
        return called(parent.username, parent.session, self._username)

    def resume(self, cell: Past) -> None:
        """A cell that ran when we came: what it has shown until now; the rest will come as it always does."""
        self.running = Running(cell.parent.msg_id, f"In [{cell.count or ' '}] of {self.title(cell.parent)}")
        view = self._view(cell.parent, mine=False)
        view.show("execute_input", {"code": cell.code, "execution_count": cell.count})
        if cell.omitted:
            self._screen.note(ansi.paint(f"… {sizes.short(cell.omitted)} before", ansi.NOTE))
        for msg_type, content in cell.messages:
            view.show(msg_type, content)

    def _begin(self, message: Incoming) -> None:
        count = message.content.get("execution_count")
        if not isinstance(count, int):
            return
        if not message.mine:
            self.running = Running(message.parent.msg_id, f"In [{count}] of {self.title(message.parent)}")
        self.on_count(count)

    def _status(self, message: Incoming) -> None:
        state, asked = message.content.get("execution_state"), message.parent.msg_id
        if state == "idle" and message.parent.msg_type == "execute_request":
            if self.running is not None and self.running.msg_id == asked:
                self.running = None
            view = self._views.get(asked)
            if view is not None:
                view.finish()
        elif state in ("restarting", "dead"):
            self._screen.note(ansi.paint(f"the interpreter is {state}", ansi.WARNING))

    def _shut_down(self, message: Incoming) -> None:
        self.running = None
        self.ended = not message.content.get("restart")
        if not message.parent.msg_id:  # from the command line, and the farewell says it
            return
        who = "" if message.mine else f" by {self.title(message.parent)}"
        what = "restarted with an empty namespace" if message.content.get("restart") else "ended"
        self._screen.note(ansi.paint(f"the session was {what}{who}", ansi.WARNING))
        if message.content.get("restart"):
            self.on_count(0)

    def _view(self, parent: Header | Asker, *, mine: bool) -> CellView:
        view = self._views.get(parent.msg_id)
        if view is None:
            while len(self._views) >= VIEWS:
                del self._views[next(iter(self._views))]
            who = "" if mine or not parent.msg_id else self.title(parent)
            others = self._trust.others(mine=mine)
            view = self._views[parent.msg_id] = CellView(self._screen, self._bundles, who, others=others)
        return view
