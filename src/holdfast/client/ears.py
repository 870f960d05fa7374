"""What the owner of a client may want to hear of its connection."""

from __future__ import annotations

from holdfast.client.catchup import Missed
from holdfast.client.succession import Successor


class Ears:
    """What an owner may want to hear of the connection. To be overridden; nobody need listen."""

    def returned(self, seconds: float, found: Successor) -> None:
        """The session is reached again, after so many seconds without a way to it."""

    def sought(self, what: str) -> None:
        """It is not found at once, and why; it is looked for further."""

    def silence(self, seconds: float | None) -> None:
        """The kernel does not answer, though the connection stands; or does again, after so many seconds."""

    def missed(self, what: Missed) -> None:
        """Not all that was missed can be told any more."""

    def unfit(self, _what: str) -> bool:
        """The session sends what can't be used. Whether its user was told: then that was all."""
        return False
