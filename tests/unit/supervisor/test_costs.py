"""What a sleeping process holds, read from real ones."""

from __future__ import annotations

import subprocess
import sys

from holdfast.supervisor.travel import costs
from holdfast.supervisor.travel.costs import Cost, Costs

MEGABYTE = 1_000_000

HOLDS = f"x = b'1' * {50 * MEGABYTE}; print(flush=True); input()"


def test_a_process_costs_what_it_holds_alone_and_nothing_once_it_is_gone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        known = Costs()
        known.look([process.pid], 1.0)
        cost = known.of(process.pid)
        assert cost is not None
        assert 50 * MEGABYTE < cost.own <= cost.part <= cost.whole == costs.at_most([process.pid])
        process.kill()
    known.look([], 1.0)
    assert known.of(process.pid) is None
    known.look([process.pid], 1.0)
    assert known.of(process.pid) is None


def test_what_is_the_workers_too_is_not_counted_and_what_sleepers_share_counts_once() -> None:
    shared, changed, own = 900, 60, 10  # by all three; before a write of the worker; each one's own
    worker = Cost(own=changed + own, part=shared // 3 + changed + own, whole=shared + changed + own)
    sleeper = Cost(own=own, part=shared // 3 + changed // 2 + own, whole=shared + changed + own)
    assert costs.held([sleeper, sleeper], worker) == changed + 2 * own
    assert costs.held([sleeper, None], worker) == costs.held([sleeper, sleeper], worker)
    assert costs.held([sleeper, sleeper], None) == 2 * own


def test_other_copies_of_the_interpreter_take_nothing_off_what_sleepers_hold() -> None:
    shared, changed, own = 900, 60, 10  # by all four; before a write of the worker; each one's own
    worker = Cost(own=changed + own, part=shared // 4 + changed + own, whole=shared + changed + own)
    sleeper = Cost(own=own, part=shared // 4 + changed // 3 + own, whole=shared + changed + own)
    double = Cost(own=shared, part=shared // 4 + changed // 3 + shared, whole=2 * shared + changed)
    assert costs.held([sleeper, sleeper], worker, [double]) == changed + 2 * own
