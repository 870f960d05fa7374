"""`%holdfast`: what a crash would cost now, and what the last one did cost. It only asks the supervisor."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class


@magics_class
class StatusMagics(Magics):
    """The magic, for a shell whose `ask` reaches the supervisor."""

    @line_magic  # type: ignore[untyped-decorator] # IPython is Any here
    def holdfast(self, line: str) -> None:
        """Which state a crash would leave, and what is on disk.

        %holdfast         one line: the state that is kept in memory, how it would come back, the one on disk
        %holdfast last    what the last crash did, what came back, and what did not
        """
        wanted = line.strip()
        if wanted not in ("", "last"):
            raise UsageError(f"%holdfast {wanted}? There are: %holdfast, %holdfast last")
        answer: dict[str, str] = self.shell.ask("last_recovery" if wanted else "restore_point")
        print(answer["text"])


def register(shell: Any) -> None:
    """Give the shell its `%holdfast`."""
    shell.register_magics(StatusMagics(shell))
