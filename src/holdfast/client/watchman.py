"""`python -P -m holdfast.client.watchman NAME < PIDFD`: has a supervisor that was killed succeeded.

Whoever is attached on this host starts the next one. Who is attached from another host can't, and there may
be nobody else: so a session that can be joined over TCP has this process, which sleeps until its supervisor
has ended. Where that has taken its leave, nothing is left to be taken over, and nothing is done.
"""

from __future__ import annotations

import contextlib
import select
import sys

from holdfast.client import start
from holdfast.errors import HoldfastError


def main() -> None:
    """Of one supervisor; the next one has a watchman of its own."""
    select.select([sys.stdin.fileno()], [], [])
    with contextlib.suppress(HoldfastError):  # in supervisor.log is why
        bell = start.revive(sys.argv[1])
        if bell is not None:
            bell.close()


if __name__ == "__main__":
    main()
