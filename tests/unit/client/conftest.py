"""A kernel to talk to, with and without iopub_welcome."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.kernel import scratch
from kit.peer import Peer, serving


@pytest.fixture(params=["welcome", "no welcome"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with scratch() as folder, serving(folder, welcomes=request.param == "welcome") as peer:
        yield peer
