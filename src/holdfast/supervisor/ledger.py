"""Journal and history as the supervisor uses them.

A cell that can't be written is refused before it runs. When anything else can't be written, the session goes
on and says so, once, to everybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast.errors import JournalError
from holdfast.journal.history import History
from holdfast.journal.journal import Journal
from holdfast.journal.records import Status
from holdfast.protocol.content import HistoryRequest
from holdfast.supervisor.loop import Loop, Timer

NAMESPACE_AFTER = "namespace_after"
"""Key of a fact: the worker holds effects of cells after this one only."""

PROCESSES_LOST = "the session's processes were lost"

_NAMED, _RESTORED_AFTER = "named", "restored_after"
"""Keys of facts: whether the session outlives its launchers, and up to which cell it came back from disk."""


class Ledger:
    """What must not be lost."""

    def __init__(self, journal: Journal, history: History, loop: Loop, commit_ms: float) -> None:
        self.journal = journal
        self.history = history
        self._loop = loop
        self._commit_seconds = commit_ms / 1e3
        self._commit: Timer | None = None  # until waiting output is committed
        self.number = 0  # of this namespace in the history: IPython's session number
        self.restored_after = int(journal.get(_RESTORED_AFTER) or 0)
        """The last cell whose effects are back from disk; 0: nothing is."""
        self.unread = False  # what is on disk could not be read back
        self.on_trouble: Callable[[JournalError], None]  # told when writing begins to fail
        self.before_commit: Callable[[], None] = lambda: None  # what was read is published, not half of it
        self._failing = False

    def accept(
        self,
        *,
        msg_id: str,
        header: bytes,
        code: str,
        client: str,
        silent: bool,
        store_history: bool,
        count: int | None,
        turn: int,
        request: bytes,
    ) -> int:
        """Write a cell down before it may run. JournalError if that can't be done: it must not run then.

        With a `count` it starts at once, with that number, as the given turn.
        """
        return self.journal.accept(
            msg_id=msg_id,
            header=header,
            code=code,
            client=client,
            silent=silent,
            store_history=store_history,
            at=time.time(),
            started=count is not None,
            count=count,
            turn=turn,
            request=request,
        )

    def start(self, cell: int, count: int, turn: int) -> None:
        """A cell starts as number `count`."""
        self._try(lambda: self.journal.start(cell, count, time.time(), turn))

    def finish(
        self,
        cell: int,
        status: Status,
        ename: str = "",
        evalue: str = "",
        *,
        reply: bytes | None = None,
        held: bool | None = None,
    ) -> None:
        """A cell has ended; its output is committed with it, and the reply that it is about to get."""
        self.before_commit()
        now = time.time()
        self._try(lambda: self.journal.finish(cell, status, now, ename, evalue, reply=reply, held=held))

    def answered(self, cell: int) -> None:
        """The reply is on its way to the client. Written when it has left."""
        self.journal.answered(cell)

    def output(self, cell: int | None, seq: int, msg_type: str, content: bytes) -> None:
        """Something was published; `commit` writes it."""
        self._try(lambda: self.journal.output(cell, seq, msg_type, content, time.time()))

    def commit(self) -> None:
        """Write what was published, before it is sent."""
        self.before_commit()
        self._try(self.journal.flush)

    def commit_soon(self) -> None:
        """Write what can wait a little."""
        if self._commit is None:
            self._commit = self._loop.later(self._commit_seconds, self._commit_now)

    def event(self, kind: str, cell: int | None = None, **details: object) -> None:
        """Something happened to the session."""
        self._try(lambda: self.journal.event(kind, time.time(), cell, **details))

    def restart(self) -> None:
        """The namespace is thrown away on purpose: a barrier, and numbering begins anew."""
        self.event("restart")
        self.set("numbered_after", str(self.journal.count_cells()))
        self.set(NAMESPACE_AFTER, str(self.journal.count_cells()))

    def begin_anew(self, ename: str, *, named: bool) -> None:
        """No process is left of what there was. A `named` session outlives its launchers."""
        self.end_what_was_running(ename)
        for each in self.journal.unanswered():
            self.answered(each.id)  # whoever waited does so no more: it is nobody's to take up
        self.journal.left()
        self.set(_NAMED, "yes" if named else "no")
        self.set(_RESTORED_AFTER, str(self.restored_after))
        self.drop_effects(max(self.namespace_after, self.restored_after))
        count = self.journal.count_cells()
        self.set("began_after", str(count))
        if not self.restored_after:
            self.set(NAMESPACE_AFTER, str(count))

    @property
    def is_named(self) -> bool:
        """Whether the session, which goes on, was begun as a named one."""
        return self.journal.get(_NAMED) == "yes"

    def end_what_was_running(self, ename: str) -> None:
        """Give cells an end that a supervisor before us did not see the end of."""
        for cell in self.journal.unfinished():
            self.finish(cell.id, "crashed", ename, PROCESSES_LOST)

    @property
    def namespace_after(self) -> int:
        """The last cell before the namespace that the worker has."""
        return int(self.journal.get(NAMESPACE_AFTER) or 0)

    def drop_effects(self, after: int) -> None:
        """The worker does not hold what cells after `after` did."""
        self._try(lambda: self.journal.drop_effects(after))

    def hold_effects(self, cells: list[tuple[int, bool]]) -> None:
        """Of this namespace the worker holds what these cells did; whether somebody typed each."""
        self._try(lambda: self.journal.hold_effects(self.namespace_after, cells))

    def last_count(self) -> int:
        """The execution count that was given last in this numbering; 0 if none was."""
        first = int(self.journal.get("numbered_after") or 0)
        counts = (cell.count for cell in self.journal.cells(after=first) if cell.store_history)
        return max((count for count in counts if count), default=0)

    def set(self, key: str, value: str) -> None:
        """Remember a value over restarts of the supervisor."""
        self._try(lambda: self.journal.set(key, value))

    def add_input(self, count: int, code: str) -> None:
        """A line for the history of all sessions."""
        self._try(lambda: self.history.add(self.number, count, code, code, time.time()))
        self.commit_soon()

    def add_result(self, count: int, text: str) -> None:
        """The text of that line's result."""
        self._try(lambda: self.history.add_output(self.number, count, text))
        self.commit_soon()

    def begin_namespace(self, name: str) -> None:
        """A namespace begins: a session of its own in IPython's counting."""
        if self.number:
            self._try(lambda: self.history.end(self.number, time.time()))
        self._try(lambda: self._number(self.history.begin(name, time.time())))
        self.set("history_number", str(self.number))

    def resume_namespace(self) -> str:
        """The namespace goes on under another supervisor; its header.session."""
        self.number = int(self.journal.get("history_number") or 0)
        return self.journal.get("session_id") or ""

    def past(self, request: HistoryRequest) -> list[object]:
        """Lines of the history, as `history_reply` holds them. JournalError if it can't be read."""
        if request.hist_access_type == "range":
            return self._range(request)
        if request.hist_access_type == "search":
            pattern = request.pattern or "*"
            return [*self.history.search(pattern, request.raw, request.output, request.n, request.unique)]
        latest = request.include_latest
        return [*self.history.tail(request.n, request.raw, request.output, latest, session=self.number)]

    def close(self, reason: str) -> None:
        """The session ends as it should."""
        self._try(lambda: self.history.end(self.number, time.time()))
        self._try(lambda: self.journal.end(reason))
        self._try(self.journal.close)
        self._try(self.history.close)

    def _range(self, request: HistoryRequest) -> list[object]:
        start = 1 if request.start is None else request.start
        lines = self.history.range(
            request.session, start, request.stop, request.raw, request.output, current=self.number
        )
        if request.session != self.number:
            return [*lines]
        return [(self.number, line, text) for _, line, text in lines]  # asked by number, answered by number

    def _number(self, number: int) -> None:
        self.number = number

    def _commit_now(self) -> None:
        self._commit = None
        self.commit()
        self._try(self.history.flush)

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except JournalError as error:
            if not self._failing:
                self._failing = True
                self.on_trouble(error)
        else:
            self._failing = False
