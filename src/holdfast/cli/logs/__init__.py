"""What was run in a session: found, shown, followed, exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Ask = Callable[..., Mapping[str, Any]]
"""The operation `log`, of whoever can answer it: a session that runs, or the journal of one that does not."""
