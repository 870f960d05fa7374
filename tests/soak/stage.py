"""Plays acts in the session and in the plain interpreter, and compares. What may not be is found here."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections import defaultdict

from kit.wire import Cell, Message, Silence
from soak.acts import CELL, LOOK, RESTART, Act
from soak.faults import FAULTS, HERE, Fault
from soak.notices import HEAD, IN_PLACE, Notice, of_reply, of_story, of_text, of_way_back
from soak.oracle import Oracle
from soak.session import BACK_SECONDS, Session
from soak.verdicts import BROKEN, DIED, HANG, LEFT, LOST, WRONG, Found, Tally

CELL_SECONDS = 60.0
"""For a cell that lives: first imports of big libraries, on a machine that has other work."""
LOOK_SECONDS = 30.0
UNDO_SECONDS = 20.0

PROCESSES = 30
"""More than these at once are left behind: a launcher, a supervisor, a template, a worker, its standbys."""

SOW = """__import__('random').seed(1)
if 'numpy' in __import__('sys').modules: __import__('numpy').random.seed(1)"""
"""What a process holds that is in no variable of the user's."""

_WIDTH = 200
"""Of a line about something that was found."""


class Surprise(Exception):
    """Something that may not be: the two sides are not comparable any more."""

    def __init__(self, what: str, details: str) -> None:
        super().__init__(details)
        self.what = what


class Stage:
    """One session beside one plain interpreter, for as many chapters as it lives."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.names: set[str] = set()
        """What is bound, as of the last look or death."""
        self._session = Session()
        self._oracle = self._new_oracle()
        self._earlier: dict[str, set[str]] = defaultdict(set)  # digests by name, of earlier looks

    def close(self) -> None:
        """End both sides; what the session leaves behind is found."""
        self._oracle.close()
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the kernel's last words
                self._session.close()
        except AssertionError as error:
            self.tally.found.append(Found(LEFT, "the end", str(error)))

    def play(self, act: Act) -> bool:
        """Let it happen. False if something was found: the next act has to be a restart."""
        try:
            if act.kind == CELL:
                self._cell(act.code)
            elif act.kind == LOOK:
                self._look()
            elif act.kind == RESTART:
                self._restart()
            else:
                self._fault(FAULTS[act.kind], act)
        except Surprise as surprise:
            self.tally.found.append(Found(surprise.what, str(act), str(surprise)))
        except Silence as error:
            self.tally.found.append(Found(HANG, str(act), _shortened(str(error))))
            self._begin_anew()
        else:
            return True
        return False

    def _cell(self, code: str) -> None:
        cell = self._session.client.run(code, within=CELL_SECONDS)
        if _died(cell):
            raise Surprise(DIED, cell.reply["evalue"])
        self._happened(cell)

    def _happened(self, cell: Cell) -> None:
        """The same, on the other side."""
        self.tally.cells += 1
        error = self._oracle.run(cell.reply["execution_count"], cell.code)
        if error != cell.reply.get("ename", ""):
            said = f"{cell.reply.get('ename')}: {cell.reply.get('evalue')}"
            raise Surprise(WRONG, f"{said}, but {error or 'no error'} in a plain interpreter")

    def _look(self) -> None:
        """Every variable, and who shares what."""
        self.tally.looks += 1
        is_there, must_be = self._digests(), self._oracle.digests()
        self.names = set(must_be)
        strange = {name for name in is_there | must_be if is_there.get(name) != must_be.get(name)}
        lost = {
            name
            for name in strange
            if (name in must_be and name not in is_there) or is_there.get(name) in self._earlier[name]
        }
        for name, digest in must_be.items():
            self._earlier[name].add(digest)
        self._measure()
        if strange:
            raise Surprise(LOST if lost else WRONG, "; ".join(map(self._both, sorted(strange))))

    def _digests(self) -> dict[str, str]:
        """Of the session's variables."""
        cell = self._session.look(LOOK_SECONDS)
        if _died(cell):
            raise Surprise(DIED, cell.reply["evalue"])
        assert cell.status == "ok", f"no digest: {cell.reply}"
        found: dict[str, str] = json.loads(cell.text())
        return found

    def _both(self, name: str) -> str:
        """A variable as it is and as it must be, in words."""
        return f"{name} is {self._session.show(name)}, must be {self._oracle.show(name)}"

    def _measure(self) -> None:
        about = self._session.about()
        self.tally.memory.append(self._session.memory(about["pid"]))
        processes = self._session.processes()
        self.tally.processes = max(self.tally.processes, processes)
        if processes > PROCESSES:
            raise Surprise(LEFT, f"{processes} processes")

    def _restart(self) -> None:
        self._session.restart()
        self._oracle.close()
        self._oracle = self._new_oracle()
        self._earlier.clear()
        self.names = set()

    def _begin_anew(self) -> None:
        """Nothing answers any more: all processes are new."""
        self.close()
        self.tally.memory.clear()
        self._session = Session()
        self._oracle = self._new_oracle()
        self._earlier.clear()
        self.names = set()

    def _new_oracle(self) -> Oracle:
        return Oracle(self._session.oracle_environment, self._session.folder)

    # --- faults

    def _fault(self, fault: Fault, act: Act) -> None:
        if fault.at == "undo":
            self._undo(fault)
            return
        if fault.victim == "worker":
            for _ in range(fault.times):
                self._die(fault, act)
        else:
            self._lose_the_supervisor(fault, act)
        self._look()

    def _die(self, fault: Fault, act: Act) -> None:
        client, about = self._session.client, None
        code = fault.cell(act.code)
        message = client.start(code) if fault.at != "idle" else ""
        if fault.ending:
            client.text(message, HERE, CELL_SECONDS)
        began = time.monotonic()
        if fault.at != "itself":
            self._session.wait(message, act.moment)
            began = time.monotonic()
            about = self._session.kill("worker")
        cell = client.finish(message, code, BACK_SECONDS) if message else None
        if cell is not None and not _died(cell):
            self._survived(fault, cell)
        if cell is not None and _died(cell):
            self._take_in(_of_cell(cell), about)
        elif about is None or about["state"] != "starting":  # who dies while it starts is replaced: no notice
            self._take_in(self._session.notice(), about)
        self.tally.killed(fault.name, time.monotonic() - began)

    def _survived(self, fault: Fault, cell: Cell) -> None:
        """The cell has ended before its death."""
        if fault.at != "racing":
            raise Surprise(WRONG, f"a cell that had to die has ended: {cell.reply}")
        self._happened(cell)

    def _take_in(self, notice: Notice, about: Message | None) -> None:
        """What it names as lost does not count; it may be lost if the session had said that it is not kept.

        `about`: what it said right before the death; None if the death came with a cell, before which all is
        kept.
        """
        counts = set(self._oracle.counts())
        kept = max(counts, default=0) if about is None else ((about["standby"] or {}).get("after") or 0)
        lost = self._lose(notice)
        if any(count <= kept for count in lost) and not notice.excused:
            raise Surprise(BROKEN, f"{notice}; what was kept was the state after In[{kept}]")

    def _lose(self, notice: Notice) -> set[int]:
        """What it names does not count any more; the numbers of the cells."""
        self.tally.levels[notice.level] += 1
        counts = set(self._oracle.counts())
        lost = counts if notice.level in ("fresh", "none") else counts & notice.lost
        if lost or notice.missing:
            self.tally.named.append(str(notice))
        self._oracle.without(lost)
        if notice.level not in IN_PLACE:
            self._sow()
        self._oracle.forget(notice.missing)
        return lost

    def _sow(self) -> None:
        """Values are back, in another process: what is in none of them begins anew, on both sides."""
        self._cell(SOW)

    def _undo(self, fault: Fault) -> None:
        client, counts = self._session.client, self._oracle.counts()
        began = time.monotonic()
        cell = client.run(fault.ending, within=UNDO_SECONDS)
        if _died(cell):
            raise Surprise(DIED, cell.reply["evalue"])
        if cell.status != "ok":
            return  # there is nothing to undo, or it is not kept: said, and nothing has changed
        client.text(cell.msg_id, "holdfast: ", UNDO_SECONDS)
        self.tally.killed(fault.name, time.monotonic() - began)
        self._oracle.without({counts[-1]})
        texts = [each["content"].get("text", "") for each in client.of_parent[cell.msg_id]]
        self._lose(of_way_back("".join(texts)))
        self._look()

    def _lose_the_supervisor(self, fault: Fault, act: Act) -> None:
        """Its cell goes on or is lost; what the session says of itself afterwards is what may be lost."""
        client = self._session.client
        before = {cell["id"] for cell in self._session.held()} if fault.at == "racing" else set()
        running = client.start(act.code) if fault.at == "racing" else ""
        self._session.wait(running, act.moment)
        began, killed_at = time.monotonic(), time.time()
        self._session.kill(fault.victim)
        goes_on = self._session.rejoin(BACK_SECONDS)
        answered = goes_on or running in client.replies
        if running and answered:
            self._happened(client.finish(running, act.code, BACK_SECONDS))
        self.tally.killed(fault.name, time.monotonic() - began)
        about = self._session.about()
        if about["story"] is not None and fault.victim == "supervisor":
            raise Surprise(BROKEN, f"its interpreter lives, but: {about['story']}")
        if about["story"] is not None:
            self._lose(of_story(about, self._oracle.counts()))
        elif fault.victim == "everything":
            self._take_in_twice_killed(killed_at)
        if running and not answered:
            self._take_in_unanswered(act, before)

    def _take_in_twice_killed(self, killed_at: float) -> None:
        """The dying launcher may have begun another supervisor, which was there before the others had ended.

        It has taken the interpreter over then, and seen it end: whoever comes next is told of that.
        """
        cell = self._session.client.run("pass", within=CELL_SECONDS)  # the death is known when it has ended
        if _died(cell):
            self._lose(_of_cell(cell))
            return
        self._happened(cell)
        crash = self._session.about()["last_crash"]
        if crash is not None and crash["at"] > killed_at:
            self._lose(self._session.notice())

    def _take_in_unanswered(self, act: Act, before: set[int]) -> None:
        """A cell's client is gone, but its socket may have handed the cell to the next supervisor, too."""
        for cell in self._session.held():
            if cell["id"] not in before and cell["code"] == act.code:
                self.tally.cells += 1
                self._oracle.run(cell["count"], act.code)


def _died(cell: Cell) -> bool:
    return bool(cell.reply.get("ename") == HEAD)


def _of_cell(cell: Cell) -> Notice:
    """Of a cell that died; its object and its words must say the same."""
    told, read = of_reply(cell.reply_message), of_text("\n".join(cell.reply["traceback"]))
    if told is None or told != read:
        raise Surprise(LOST, f"the reply's metadata say {told}, its words {read}")
    return told


def _shortened(text: str) -> str:
    """What was awaited, and the last that came."""
    lines = [line[:_WIDTH] for line in text.splitlines()]
    return "\n    ".join(lines if len(lines) < 4 else [lines[0], *lines[-2:]])
