"""`python -m tests.fuzz --target frames --seconds 60`: exit 1 if something does not hold of an input."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it (pyproject.toml, pythonpath)

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".fuzz"
"""What was found lies here, a folder for each target; git does not see it."""

SHOWN = 2000
"""Bytes of an input that are printed."""

WORDS = 25
"""Lines of what the engine has said last."""


class Result(NamedTuple):
    """What came of one target."""

    row: str
    finds: list[Path]
    said: str


def main() -> int:
    """Fuzz one target after the other, or replay."""
    targets = importlib.import_module("fuzz.targets")
    options = _options(targets.NAMES)
    if options.replay:
        return _replay(options.replay, options.target or options.replay.parent.parent.name)
    print(f"{'target':18}{'inputs':>10}{'a second':>10}{'edges':>8}{'features':>10}{'corpus':>8}", flush=True)
    found = False
    for name in [options.target] if options.target else targets.NAMES:
        result = _fuzz(name, options.seconds)
        print(f"{name:18}{result.row}", flush=True)
        for find in result.finds:
            found = True
            print(f"\n{result.said}\n\n{_told(find)}\n", flush=True)
    return int(found)


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", choices=names, help="default: all, one after the other")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: %(default)s)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="what was found: does it still fail?")
    return parser.parse_args()


def _fuzz(name: str, seconds: int) -> Result:
    corpus, finds = FOLDER / name / "corpus", FOLDER / name / "found"
    for folder in (corpus, finds):
        folder.mkdir(parents=True, exist_ok=True)
    for data in importlib.import_module("fuzz.targets").inputs(name):
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    before = set(finds.iterdir())
    command = [sys.executable, str(Path(__file__).with_name("engine.py")), name, str(corpus), str(finds)]
    ended = subprocess.run(
        [*command, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=FOLDER, check=False
    )
    said = ended.stdout.decode(errors="replace")
    new = sorted(set(finds.iterdir()) - before)
    if ended.returncode and not new:
        raise SystemExit(f"the engine has ended with {ended.returncode}:\n{said}")
    return Result(_row(said), new, "\n".join(said.splitlines()[-WORDS:]))


def _row(said: str) -> str:
    """The last figures that libFuzzer gave."""
    places = re.findall(r"^#\d+.* cov: (\d+) ft: (\d+) corp: (\d+)", said, re.MULTILINE)
    edges, features, corpus = places[-1] if places else ("", "", "")
    totals = dict(re.findall(r"^stat::(\w+):\s+(\d+)", said, re.MULTILINE))
    inputs, rate = (totals.get(each, "") for each in ("number_of_executed_units", "average_exec_per_sec"))
    return f"{inputs:>10}{rate:>10}{edges:>8}{features:>10}{corpus:>8}"


def _told(find: Path) -> str:
    """What was found, and how to see it again."""
    shown = importlib.import_module("fuzz.targets").shown(find.read_bytes())
    more = f"… ({find.stat().st_size} bytes)" if len(shown) > SHOWN else ""
    return f'{find.name}:\n{shown[:SHOWN]}{more}\nagain: make fuzz ARGS="--replay {find.relative_to(ROOT)}"'


def _replay(file: Path, name: str) -> int:
    """Say whether it holds now."""
    targets = importlib.import_module("fuzz.targets")
    if name not in targets.NAMES:
        raise SystemExit(f"which target is it of? --target {{{','.join(targets.NAMES)}}}")
    try:
        targets.load(name).holds(file.read_bytes())
    except Exception:  # noqa: BLE001 - whatever it is, it is what was found
        traceback.print_exc()
        print(f"\n{name}: this does not hold")
        return 1
    print(f"{name}: all holds")
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
