"""Each kind of fault that can be made here is survived as it is promised."""

from __future__ import annotations

import pytest

from faults.kind import Kind
from faults.runner import cannot, play
from faults.table import FIRST, KINDS, LAST
from kit.kernel import only_holdfast

pytestmark = only_holdfast


def _marked(kind: Kind) -> object:
    marks = [pytest.mark.timeout(max(120, 20 * kind.within))]
    if kind.slow:
        marks.append(pytest.mark.slow)
    if kind.not_tested or (why := cannot(kind)):
        marks.append(pytest.mark.skip(reason=kind.not_tested or why))
    return pytest.param(kind, id=str(kind), marks=marks)


@pytest.mark.parametrize("kind", [_marked(kind) for kind in KINDS])
def test_a_session_survives(kind: Kind) -> None:
    play(kind)


def test_every_number_has_its_kind_and_every_kind_its_name() -> None:
    assert {kind.number for kind in KINDS} == set(range(FIRST, LAST + 1))
    assert len({str(kind) for kind in KINDS}) == len(KINDS)
