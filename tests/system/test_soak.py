"""A short soak with a fixed seed: killed again and again, the session is what a plain interpreter is.

`make soak` goes on for hours, with more libraries. What it would miss is tried here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from kit.kernel import only_holdfast
from soak.acts import CELL, LOOK, RESTART, Act, read
from soak.faults import FAULTS
from soak.run import Drawn, Run
from soak.stage import Stage
from soak.verdicts import DIED, LOST, WRONG, Tally

pytestmark = only_holdfast

ACTS = 120
"""Some seven seconds on a machine of its own."""


def test_a_session_that_is_killed_at_random_never_differs_from_one_that_is_not(tmp_path: Path) -> None:
    run = Run(tmp_path)
    tally = run.play(
        islice(Drawn(4, list(FAULTS), ["numpy"]).acts(lambda: run.stage.names), ACTS), lambda: True
    )

    assert not tally.found, "\n".join(tally.summary())
    assert tally.kills.total() > ACTS * 0.05, tally.summary()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage(Tally())
    yield stage
    stage.close()


ONLY_THERE = "'IPython' in __import__('sys').modules"
"""True in the session, and not in the plain interpreter: what goes wrong goes wrong in the session."""


def test_a_value_that_is_not_what_it_must_be_is_found(stage: Stage) -> None:
    assert stage.play(Act(CELL, "x = [1]"))
    assert stage.play(Act(CELL, f"x.append({ONLY_THERE})"))

    assert not stage.play(Act(LOOK))
    assert [found.what for found in stage.tally.found] == [WRONG]
    assert "x is [1, True], must be [1, False]" in stage.tally.found[0].details


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(f"if not {ONLY_THERE}: x.append(2)", id="it is older"),
        pytest.param(f"if {ONLY_THERE}: del x", id="it is gone"),
    ],
)
def test_what_is_lost_and_not_named_is_found(stage: Stage, cell: str) -> None:
    assert stage.play(Act(CELL, "x = [1]"))
    assert stage.play(Act(LOOK))
    assert stage.play(Act(CELL, cell))

    assert not stage.play(Act(LOOK))
    assert [found.what for found in stage.tally.found] == [LOST]


def test_two_names_of_one_object_that_became_two_objects_are_found(stage: Stage) -> None:
    assert stage.play(Act(CELL, f"x = [1]; y = list(x) if {ONLY_THERE} else x"))

    assert not stage.play(Act(LOOK))


def test_a_death_that_was_not_asked_for_is_found(stage: Stage) -> None:
    assert not stage.play(Act(CELL, "import os; os.abort()"))
    assert [found.what for found in stage.tally.found] == [DIED]


def test_a_death_in_a_look_is_found_and_the_run_goes_on(stage: Stage) -> None:
    deadly = f"    def __iter__(self):\n        if {ONLY_THERE}: os.abort()\n        return iter(())"
    assert stage.play(Act(CELL, f"import os\nclass Deadly(list):\n{deadly}\nx = Deadly()"))

    assert not stage.play(Act(LOOK))
    assert [found.what for found in stage.tally.found] == [DIED]
    assert stage.play(Act(RESTART))
    assert stage.play(Act(LOOK))


def test_what_a_run_has_found_can_be_played_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    acts = [Act(RESTART), Act(CELL, "x = 1"), Act("segfault", "x = 2"), Act(CELL, "import os; os.abort()")]
    tally = run.play(acts, lambda: True)

    assert tally.counted(DIED) == 1
    assert list(read(tmp_path / "found-1.jsonl")) == acts


def test_each_way_to_die_is_survived(stage: Stage) -> None:
    for kind in FAULTS:
        assert stage.play(Act(CELL, "x = [1]\ny = x"))
        code = "x.append(2)" if FAULTS[kind].at not in ("idle", "undo") else ""
        assert stage.play(Act(kind, code, 0.05)), stage.tally.summary()

        assert stage.tally.kills[kind] == FAULTS[kind].times
