"""When an examination is needed, what it finds without trying, and that what it tries fits the libraries."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.link.messages import RESTLESS
from holdfast.worker.standby import canary
from holdfast.worker.standby.probes import PROBES, Probe
from kit.alone import alone


@alone
def test_a_plain_session_needs_no_examination(tmp_path: Path) -> None:
    assert canary.fingerprint().text == ""
    assert canary.examine({"a": 1}, []) == ("resume", [])


@alone
def test_a_pool_that_rests_is_examined_once(tmp_path: Path) -> None:
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()
    before = canary.fingerprint()

    assert before.text != ""
    assert canary.fingerprint() == before
    other = ThreadPoolExecutor(1)
    other.submit(int).result()
    assert canary.fingerprint() != before


@alone
def test_forks_beside_a_thread_that_runs_code_of_the_users_are_alike_and_marked(tmp_path: Path) -> None:
    begun = threading.Event()
    threading.Thread(target=lambda: (begun.set(), threading.Event().wait()), daemon=True).start()
    begun.wait()

    text = canary.fingerprint().text
    assert text.startswith(RESTLESS)
    assert canary.fingerprint().text == text


@alone
def test_a_trace_function_is_no_good_sign(tmp_path: Path) -> None:
    sys.settrace(lambda *_: None)
    noted = canary.fingerprint()
    verdict = canary.examine({}, [])
    sys.settrace(None)

    assert noted.text != ""
    assert verdict == ("salvage", ["a debugger or another trace function is active"])


@alone
def test_a_library_that_fails_where_it_is_tried_can_not_go_on(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("it was another process")

    sys.modules["duckdb"] = types.SimpleNamespace(connect=fail)  # type: ignore[assignment]

    assert canary.examine({}, []) == ("salvage", ["duckdb: RuntimeError: it was another process"])


@alone
def test_what_is_tried_is_told_first(tmp_path: Path) -> None:
    told: list[str] = []
    sys.modules["duckdb"] = types.SimpleNamespace()  # type: ignore[assignment]

    assert canary.examine({}, [], told.append).grade == "resume", "the probe does not suit this version"
    assert told == ["duckdb"]


@alone
def test_a_gpu_in_use_can_not_be_forked(tmp_path: Path) -> None:
    assert canary.unforkable() is None
    in_use = [False]
    cuda = types.SimpleNamespace(is_initialized=lambda: in_use[0])
    sys.modules["torch"] = types.SimpleNamespace(cuda=cuda)  # type: ignore[assignment]
    assert canary.unforkable() is None
    in_use[0] = True

    assert canary.unforkable() == "a GPU is in use, whose driver does not follow forks"


@pytest.mark.parametrize("probe", PROBES, ids=lambda each: each.module)
def test_what_is_tried_needs_only_what_is_loaded_with_the_library(probe: Probe) -> None:
    pytest.importorskip(probe.module.partition(".")[0])

    tops = sorted({each.module.partition(".")[0] for each in PROBES})
    code = (
        f"import sys, {probe.module}\n"
        f"eval({probe.work!r}, {{name: sys.modules[name] for name in {tops!r} if name in sys.modules}})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
