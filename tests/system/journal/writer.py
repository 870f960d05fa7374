"""A process that writes a journal until it is killed, and says on stdout what has been acknowledged to it.

    python writer.py FOLDER process|power

One line an acknowledgement: `epoch N`, `accept CELL`, `output CELL ROWS` (so many are committed), `event N`,
`finish CELL`. A line is written only after the call that it tells of has returned.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from holdfast.journal.journal import Journal
from holdfast.settings import Output

LIMITS = Output(journal_head_bytes=20_000, journal_tail_bytes=20_000, journal_wal_bytes=200_000)


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def main() -> None:
    folder, durability = Path(sys.argv[1]), sys.argv[2]
    say("opening")
    journal = Journal.open(folder, LIMITS, "power" if durability == "power" else "process")
    say("epoch", journal.begin(pid=os.getpid()))
    for number in itertools.count(1):
        cell = journal.accept(
            msg_id=f"m_{number}",
            header=b'{"msg_id":"m"}',
            code="x = 1\n" * (number % 50),
            client="ana",
            silent=False,
            store_history=True,
            at=float(number),
        )
        say("accept", cell)
        journal.start(cell, number, float(number))
        for row in range(1, number % 9):
            journal.output(cell, row, "stream", bytes(500), float(number))
            if row % 3 == 0:
                journal.flush()
                say("output", cell, row)
        journal.event("tick", float(number), number=number)
        say("event", number)
        journal.finish(cell, "ok", float(number))
        say("finish", cell)
        say("output", cell, number % 9 - 1)
        if number % 40 == 0:
            journal.tidy()


main()
