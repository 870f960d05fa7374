"""What the fuzzer begins with, and what it has found once: all of it holds (tests/fuzz)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import targets
from kit.source import ROOT


@pytest.mark.parametrize("name", targets.NAMES)
def test_what_is_begun_with_and_what_was_found_once_holds(name: str) -> None:
    target = targets.load(name)
    inputs = list(targets.inputs(name))
    assert inputs
    for data in inputs:
        target.holds(data)


@st.composite
def nearly(draw: st.DrawFn, inputs: Sequence[bytes]) -> bytes:
    """One of the inputs, hurt at a few places."""
    data = draw(st.sampled_from(inputs))
    for _ in range(draw(st.integers(1, 4))):
        begin, length = draw(st.integers(0, len(data))), draw(st.integers(0, 8))
        piece = draw(st.binary(max_size=8) | st.sampled_from(inputs))
        data = data[:begin] + piece + data[begin + length :]
    return data


@pytest.mark.parametrize("name", targets.NAMES)
@given(data=st.data())
def test_what_is_nearly_right_and_what_is_not_at_all_holds(name: str, data: st.DataObject) -> None:
    inputs = list(targets.inputs(name))
    targets.load(name).holds(data.draw(nearly(inputs) | st.binary(max_size=200)))


@given(st.binary())
def test_an_input_is_one_line_of_a_corpus(data: bytes) -> None:
    line = targets.shown(data)
    assert line.isprintable()
    assert not line.startswith("#")
    assert targets.bytes_of(line) == data


def test_what_was_found_is_played_again_by_its_place(tmp_path: Path) -> None:
    def replayed(file: Path) -> tuple[int, str]:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"{}")
        command = [sys.executable, "-m", "tests.fuzz", "--replay", str(file)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    assert replayed(tmp_path / "cards" / "found" / "crash-1") == (0, "cards: all holds\n")
    status, said = replayed(tmp_path / "elsewhere" / "found" / "crash-1")
    assert status == 1
    assert "which target is it of?" in said
