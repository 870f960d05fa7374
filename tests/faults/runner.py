"""Plays one kind and asserts what is true of all: the answer in time, the state, the notice, nothing left."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from faults import machine
from faults.kind import Kind, Level
from faults.scene import KEPT, LEVELS, MESS, Scene, recovery_of
from kit.kernel import running
from kit.wire import Cell

SETTINGS = f"checkpoint.rest_seconds = 0.3\nstandby.keep = {KEPT}\n"

LONGEST_MOMENT = 0.06
"""Seconds: from sending a short cell until its standby is asleep, about twice."""

RANDOM_KILLS = 5
"""Before and after the fault, where moments are random."""


def cannot(kind: Kind) -> str | None:
    """Why the kind can't be made on this machine; None if it can."""
    missing = [name for name in kind.libraries if importlib.util.find_spec(name) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    return next((why for need in kind.needs if (why := need())), None)


def play(kind: Kind, *, seed: int = 0, random_moments: bool = False) -> float:
    """Run the kind; the longest that a client waited for an answer. AssertionError: what was not so."""
    dice = random.Random(f"{seed} {kind}")
    with ExitStack() as stack:
        stack.enter_context(machine.own_shared_memory())
        kernel = stack.enter_context(running(place=lambda folder: _prepared(folder, kind)))
        scene = Scene(kernel, kind, dice, random_moments=random_moments)
        with scene.things:
            scene.set_up()
            for number in range(kind.rounds):
                _disturb(scene)
                _hit(scene, first=number == 0)
            _disturb(scene)
        scene.same_as_before()
        scene.nothing_left_behind()
    return scene.slowest


@contextmanager
def _prepared(folder: Path, kind: Kind) -> Iterator[None]:
    with kind.place(folder):
        (folder / "config").mkdir(mode=0o700, exist_ok=True)
        (folder / "config" / "settings.toml").write_text(SETTINGS + kind.settings)
        yield


def _hit(scene: Scene, *, first: bool) -> None:
    """The fault once, and what must be true then."""
    kind = scene.kind
    worker = scene.family.worker
    if isinstance(kind.fault, str):
        mess = MESS if kind.mess and kind.level is not Level.GOES_ON else ""
        begun = time.monotonic()
        cell: Cell | None = scene.client.run(mess + kind.fault, within=kind.within)
        scene.slowest = max(scene.slowest, time.monotonic() - begun)
    else:
        begun = time.monotonic()
        cell = kind.fault(scene)
        scene.slowest = max(scene.slowest, cell.seconds if cell else time.monotonic() - begun)
    if cell is not None:
        _look_at(scene, cell)
        if first and kind.lost:
            _names_what_is_lost(kind.lost, cell)
    if kind.level is Level.GOES_ON:
        assert scene.family.worker == worker, "the worker is another one"
    scene.same_as_before()
    for probe in kind.probes:
        _probe(scene, probe)
    scene.client.settle()


def _look_at(scene: Scene, cell: Cell) -> None:
    """What the client saw of the cell."""
    kind = scene.kind
    assert cell.seconds < kind.within
    if kind.level is Level.GOES_ON:
        said = f"{cell.reply.get('ename', '')}: {cell.reply.get('evalue', '')}"
        assert cell.status == ("error" if kind.cause else "ok"), said
        assert re.search(kind.cause, said), f"{kind.cause!r} is not in {said!r}"
        return
    assert cell.status == "error"
    assert cell.kinds[-2:] == ["error", "status"], cell.kinds
    last = cell.of("error")[-1]  # it may just have told of an interrupt when it was killed
    assert last == {key: cell.reply[key] for key in ("ename", "evalue", "traceback")}
    notice, recovery = cell.notice, recovery_of(cell)
    scene.said = notice
    assert recovery["level"] == LEVELS[kind.level], recovery
    assert re.search(kind.cause, recovery["cause"]), f"{kind.cause!r} is not in {recovery['cause']!r}"
    assert recovery["cause"] in notice
    assert recovery["count"] == cell.reply["execution_count"]
    if kind.level is Level.RESUME:
        assert recovery["lost"] == [], notice
    _is_told_again(scene, recovery["cause"])


def _names_what_is_lost(names: Sequence[str], cell: Cell) -> None:
    recovery = recovery_of(cell)
    parts = ("not_restored", "children", "not_rolled_back", "lost_names")
    told = [f"{each['name']} {each.get('what')}" for part in parts for each in recovery[part]]
    for name in names:
        assert name in cell.notice, f"{name!r} is not named:\n{cell.notice}"
        assert any(name in each for each in told), recovery


def _is_told_again(scene: Scene, cause: str) -> None:
    """`%holdfast last` says it once more."""
    told = scene.client.do("%holdfast last").text()
    assert cause in " ".join(told.split()), told  # it is folded to the width of a terminal


def _probe(scene: Scene, probe: object) -> None:
    if isinstance(probe, str):
        assert scene.client.value(f"bool({probe})") is True, probe
    elif isinstance(probe, tuple):
        expression, wanted = probe
        assert scene.client.value(expression) == wanted, expression
    else:
        assert callable(probe)
        probe(scene)


def _disturb(scene: Scene) -> None:
    """Kill the worker at random moments of cells that change nothing: none may cost anything."""
    kind = scene.kind
    if not scene.random_moments or kind.level in (Level.SALVAGE, Level.DISK):
        return
    if kind.lost or not kind.steady:
        return  # what the fault is to take would be gone before
    scene.rest()  # else the cell before this one may be lost, and be named as that
    for _ in range(RANDOM_KILLS):
        worker, since = scene.family.worker, len(scene.client.published)
        msg_id = scene.client.start("any(print(number) for number in range(300))")
        scene.client.listen(scene.dice.uniform(0, LONGEST_MOMENT))
        os.kill(worker, signal.SIGKILL)
        cell = scene.client.finish(msg_id, within=scene.kind.within)
        scene.told("SIGKILL", since)
        assert cell.status == "ok" or re.search("SIGKILL", cell.notice), cell.reply
        scene.same_as_before()
