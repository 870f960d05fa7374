"""What the owner of a client may want to hear of its connection."""

from __future__ import annotations

from holdfast.client.catchup import Missed


class Ears:
    """What an owner may want to hear of the connection. To be overridden; nobody need listen."""

    def returned(self, seconds: float, story: str | None) -> None:
        """There is a supervisor again, after so many seconds without one.

        `story`: the session was begun again, which it tells of; None: what ran went on.
        """

    def silence(self, seconds: float | None) -> None:
        """The kernel does not answer, though the connection stands; or does again, after so many seconds."""

    def missed(self, what: Missed) -> None:
        """Not all that was missed can be told any more."""
