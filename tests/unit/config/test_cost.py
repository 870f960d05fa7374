"""With no settings given nothing is parsed, and a list of sessions does without any of this."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOOK = "from holdfast.config import layers; layers.look(None).tree()"
LIST = "from holdfast.cli.main import main; main(['ls'])"

FOR_MISTAKES_AND_FILES = {"tomllib", "difflib", "holdfast.config.words"}


def loaded(code: str, home: Path) -> set[str]:
    """The modules that it leaves loaded."""
    (home / "work").mkdir()
    (home / "work" / "pyproject.toml").write_text("[project]\nname = 'ledger'\n")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; known = set(sys.modules); {code}; print(*set(sys.modules) - known)",
        ],
        env={"HOLDFAST_HOME": str(home), "PATH": os.environ["PATH"]},
        cwd=home / "work",
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_where_nothing_is_set_nothing_is_parsed(tmp_path: Path) -> None:
    assert not loaded(LOOK, tmp_path) & FOR_MISTAKES_AND_FILES


def test_a_list_of_sessions_reads_no_settings(tmp_path: Path) -> None:
    found = loaded(LIST, tmp_path)
    assert "holdfast.cli.commands.ls" in found
    assert not {
        name for name in found if name.startswith(("holdfast.config", "holdfast.settings", "msgspec"))
    }
