"""A log as a file: whatever was printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.holds.log_files import put_out
from holdfast.cli.logs import export

LONG = "x" * 1_500_000


@pytest.mark.parametrize(
    "printed",
    [LONG, "\r" * len(LONG), "`" * len(LONG), "\x1b[" * len(LONG)],
    ids=["letters", "returns", "fences", "escapes"],
)
def test_a_line_of_megabytes_is_exported_at_once(printed: str) -> None:
    put_out([{"msg_type": "stream", "content": {"name": "stdout", "text": printed}}])


def test_of_a_progress_bar_the_last_state_is_kept_and_of_other_lines_all(tmp_path: Path) -> None:
    text = "one\n 50 %\r100 %\rdone\ntwo\r\n"
    outputs = [{"msg_type": "stream", "content": {"name": "stdout", "text": text}}]
    cell = {"id": 1, "count": 1, "code": "f()", "client": "ana", "status": "ok", "started": 1, "ended": 2}
    export.writer(tmp_path / "log.md")("work", [{**cell, "outputs": outputs}])
    assert "```text\none\ndone\ntwo\r\n```" in (tmp_path / "log.md").read_bytes().decode()
