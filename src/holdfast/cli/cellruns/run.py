"""`holdfast run FILE` for files of cells: cell by cell in a session of its own, and on from where it stopped.

    holdfast run analysis.py              all cells; the first that fails is undone, and the session stays
    holdfast run --resume analysis.py     on from the first cell that is new or changed, or has not run

Exit status: 0; 1 after an exception, 128 + signal if the interpreter died, 124 after --timeout, 130 after
Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from holdfast.cellfiles import files, parameters, plan
from holdfast.cellfiles.document import PARAMETERS, Document, Step, source
from holdfast.cellfiles.plan import Plan, Ran
from holdfast.cli.cellruns import session as cellsession
from holdfast.cli.cellruns.session import CellSession
from holdfast.cli.cellruns.show import Show, seconds
from holdfast.cli.cellruns.task import CellTask, Ended, Outcome
from holdfast.cli.cellruns.writing import Record
from holdfast.cli.usage import UsageError
from holdfast.client import start
from holdfast.config import layers
from holdfast.errors import HoldfastError


def run(options: Namespace) -> int:
    """Run what there is to run; the exit status."""
    path = Path(options.file)
    document, place = files.read(path)
    _inject(document, options)
    if options.output is not None:
        place = files.place_for(Path(options.output))
    if place is not None:
        place.check()
    steps = document.steps()
    if not steps:
        raise HoldfastError(f"{path} has no cell that runs")
    out = sys.stderr if options.json else sys.stdout
    show = Show(len(steps), out, sys.stderr, layers.look(None, start.given).tree().console.images)
    path = Path(os.path.realpath(path))
    name = options.session or cellsession.name_for(path)
    label = f"run {path.name}"
    # One that may be somebody else's is brought back first, to be looked at.
    fresh = options.fresh and (options.session is not None or cellsession.has_run(name, label))
    with cellsession.opened(name, path.parent, label, fresh=fresh, tell=show.tell) as session:
        record = Record(document, place, show.tell, anew=options.output is not None)
        return _Run(options, session, steps, record, show).through()


class _Run:
    """One run of one file."""

    def __init__(
        self, options: Namespace, session: CellSession, steps: list[Step], record: Record, show: Show
    ) -> None:
        self._options = options
        self._session = session
        self._steps = steps
        self._record = record
        self._show = show
        self._skipped = 0
        self._outcomes: list[Outcome] = []

    def through(self) -> int:
        """From the first cell that is to run to the last one, or to the one that fails."""
        self._session.settle(self._show.tell)
        status = 0
        try:
            self._skipped = self._prepare()
            for step in self._steps[self._skipped :]:
                outcome = self._cell(step)
                self._outcomes.append(outcome)
                if outcome.fails or outcome.exits:
                    status = outcome.exit_status
                    break
        finally:
            self._show.close()
            self._record.close()
        self._conclude(status)
        if self._record.trouble is not None:
            raise self._record.trouble
        return status

    # Before

    def _prepare(self) -> int:
        """Bring the session to where the run begins; how many cells it holds already."""
        held = self._session.held()
        if not self._options.resume:
            self._refuse_foreign(held)
            if not self._options.fresh:
                self._tell_of_older(held)
            elif held:
                self._session.restart()
            return 0
        found = plan.made(self._steps, held)
        if not found.done:
            self._refuse_foreign(held)
        if len(found.done) < len(self._steps) and found.stale:
            found = self._go_back(found)
        self._tell_skipped(found)
        if found.done and (missing := self._session.missing()):
            self._show.tell(f"but these did not come back with {self._session.name}: {', '.join(missing)}")
        self._record.skip(self._session, self._steps, found.done)
        return len(found.done)

    def _refuse_foreign(self, held: Sequence[Ran]) -> None:
        """A session that only happens to have the file's name is left alone."""
        if held and self._options.session is None and not any(ran.ours for ran in held):
            name = self._session.name
            raise UsageError(
                f"the session {name!r} is not this file's: {_listed(held)} of others ran in it",
                self._command(*self._mode(), "-s", name) + "   (runs there; or with another name)",
            )

    def _tell_of_older(self, held: Sequence[Ran]) -> None:
        ours = [ran for ran in held if ran.ours]
        if ours:
            self._show.tell(
                f"{self._session.name} holds what {_listed(ours)} of an earlier run did; all cells run again,"
                " on top of that (--resume goes on from there, --fresh begins with an empty namespace)"
            )

    def _go_back(self, found: Plan) -> Plan:
        """To where the next cell of the file belongs; where that is."""
        what = f"cell {len(found.done) + 1} is new or changed"
        later = f"{self._session.name} holds what {_listed(found.stale)} did after the cell before it"
        try:
            undone, went = self._session.go_back(found.stale[0].id, disk=True)
        except HoldfastError as error:
            raise HoldfastError(f"{what}, but {later}: {error.what}", self._command("--fresh")) from error
        self._show.tell(f"{what}. {undone}\n{went}")
        reached = plan.made(self._steps, self._session.held())
        if reached.stale:  # the state that was meant did not wake up, nor did an older one that would do
            raise HoldfastError(f"{what}, but {later}", self._command("--fresh"))
        return reached

    def _tell_skipped(self, found: Plan) -> None:
        total, done = len(self._steps), len(found.done)
        if done < total:
            begins = f"begins with cell {done + 1} of {total}"
            have = "cell 1 has" if done == 1 else f"cells 1-{done} have"
            why = (
                f"{have} run and {'is' if done == 1 else 'are'} unchanged"
                if done
                else "nothing of it has run"
            )
            self._show.tell(f"{why}: {begins}")
            return
        self._show.tell(f"nothing to do: all {total} cells have run and are unchanged")
        if found.stale:
            self._show.tell(
                f"{self._session.name} also holds what {_listed(found.stale)} did, which is not in it"
            )

    # The cells

    def _cell(self, step: Step) -> Outcome:
        outcome = CellTask(self._session, step, self._show, self._record, self._options.timeout).run()
        self._record.ended()
        if outcome.fails:
            self._show.tell(self._undone(outcome))
        return outcome

    def _undone(self, outcome: Outcome) -> str:
        """Take back what a cell that failed has done in part; how that went."""
        name, number = self._session.name, outcome.step.number
        here = f"{name} is as before cell {number}, but for what it did to files, databases and the network"
        if outcome.is_as_before:
            return here
        held = self._session.held()
        place = next((at for at, ran in enumerate(held) if ran.count == outcome.count and ran.ours), None)
        if place is None:
            return f"what is back of {name} is said above" if outcome.ended is Ended.DIED else here
        later = held[place + 1 :]
        if later:
            return f"what cell {number} did is not undone: {_listed(later)} ran in {name} meanwhile"
        try:
            _, went = self._session.go_back(held[place].id, disk=False)
        except HoldfastError as error:
            return f"what cell {number} did so far is in {name} and can't be undone: {error.what}"
        is_here = [ran.id for ran in self._session.held()] == [ran.id for ran in held[:place]]
        return f"{went}\n{here}" if is_here else went

    # After

    def _conclude(self, status: int) -> None:
        name = self._session.name
        took = sum(outcome.seconds for outcome in self._outcomes)
        if status:
            look = f"(when it is mended; to look around: holdfast attach {name})"
            self._show.tell(f"try: {self._command('--resume')}   {look}")
        elif self._outcomes:
            if self._outcomes[-1].exits:
                self._show.tell(f"cell {self._outcomes[-1].step.number} has ended the run")
            self._show.tell(
                f"{_many(len(self._outcomes))} in {seconds(took)}; {name} goes on: holdfast attach {name}"
            )
        if self._options.json:
            print(json.dumps(self._described(status, took), indent=1))

    def _described(self, status: int, took: float) -> dict[str, object]:
        cells = [
            {"number": step.number, "title": step.title, "status": "skipped"}
            for step in self._steps[: self._skipped]
        ]
        cells += [outcome.described() for outcome in self._outcomes]
        cells += [
            {"number": step.number, "title": step.title, "status": "not run"}
            for step in self._steps[len(cells) :]
        ]
        last = self._outcomes[-1].ended.value if status and self._outcomes else "ok"
        return {
            "session": self._session.name,
            "file": self._options.file,
            "status": last,
            "exit_status": status,
            "elapsed": round(took, 3),
            "cells": cells,
        }

    def _mode(self) -> list[str]:
        """Where this run begins, as an option."""
        return [f"--{name}" for name in ("resume", "fresh") if getattr(self._options, name)]

    def _command(self, *more: str) -> str:
        """The command of this run, with other options."""
        options = self._options
        words = ["holdfast", "run", *more]
        if options.session is not None and "-s" not in more:
            words += ["-s", options.session]
        if options.timeout is not None:
            words += ["--timeout", f"{options.timeout:g}"]
        for name, value in options.parameters or []:
            words += ["-p", name, value]
        for flag, value in (("-f", options.parameters_file), ("--output", options.output)):
            words += [flag, value] if value is not None else []
        return shlex.join([*words, options.file])


def _inject(document: Document, options: Namespace) -> None:
    """Put the parameters into the notebook, if any are given."""
    found: dict[str, object] = {}
    if options.parameters_file is not None:
        try:
            text = Path(options.parameters_file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise HoldfastError(f"can't read {options.parameters_file}: {reason}") from error
        found |= parameters.of_file(options.parameters_file, text)
    found |= {name: parameters.typed(value) for name, value in options.parameters or []}
    if not found:
        return
    defaults = document.tagged(PARAMETERS)
    if defaults is not None:
        for name in parameters.unknown(found, source(document.cells[defaults])):
            print(f"{name} is not set in the cell tagged {PARAMETERS}", file=sys.stderr)
    document.inject(parameters.code(found))


def _listed(cells: Sequence[Ran]) -> str:
    """`In[3]`, `In[3] to In[9]`: these and what lies between them."""
    first, last = cells[0].count, cells[-1].count
    return f"In[{first}]" if len(cells) == 1 else f"In[{first}] to In[{last}]"


def _many(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"
