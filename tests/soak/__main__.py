"""`python -m tests.soak --minutes 120 --seed 1`: exit 1 if something was found that may not be."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it (pyproject.toml, pythonpath)


def main() -> int:
    """Run, tell a line a minute, and a summary."""
    acts, faults, libraries, run = (
        importlib.import_module(f"soak.{name}") for name in ("acts", "faults", "libraries", "run")
    )
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: another one each time")
    parser.add_argument(
        "--kinds", type=_names(faults.FAULTS), default=list(faults.FAULTS), metavar="KIND,..."
    )
    parser.add_argument(
        "--libraries", type=_names(libraries.TRICKS), default=libraries.installed(), metavar="NAME,..."
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play what a failing run has left")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    end = time.monotonic() + asked.minutes * 60
    print(f"seed {asked.seed}; kinds: {', '.join(asked.kinds)}; libraries: {', '.join(asked.libraries)}")
    playing = run.Run(folder, lambda line: print(line, flush=True))
    drawn = run.Drawn(asked.seed, asked.kinds, asked.libraries)
    played = acts.read(asked.replay) if asked.replay else drawn.acts(lambda: playing.stage.names)
    tally = playing.play(played, lambda: time.monotonic() < end)
    print("", f"seed {asked.seed}", *tally.summary(), sep="\n")
    return bool(tally.found)


def _names(known: dict[str, object]) -> object:
    """A parser of names with commas between them."""

    def names(text: str) -> list[str]:
        chosen = [name for name in text.split(",") if name]
        unknown = set(chosen) - known.keys()
        if unknown:
            raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return chosen

    return names


if __name__ == "__main__":
    sys.exit(main())
