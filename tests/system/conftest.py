"""Kernels for system tests: one for each test, or one that tests share until one of them fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kit.kernel import Kernel, running, scratch
from kit.shell import Shell
from kit.wire import Client

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember of each test whether a phase of it failed, for `shared`."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A fresh kernel for this test alone."""
    with running() as kernel:
        yield kernel


@pytest.fixture
def client(kernel: Kernel) -> Client:
    """A client of the fresh kernel."""
    return kernel.client()


@pytest.fixture
def shell() -> Iterator[Shell]:
    """The command line, with sessions of its own."""
    with scratch() as home:
        shell = Shell(home)
        yield shell
        shell.close()


class _Sharing:
    """Holds the kernel that the tests of one module share."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._kernel: Kernel | None = None

    def kernel(self) -> Kernel:
        if self._kernel is None:
            self._kernel = self._stack.enter_context(running())
        return self._kernel

    def end(self) -> None:
        self._kernel = None
        self._stack.close()


@pytest.fixture(scope="module")
def _sharing() -> Iterator[_Sharing]:
    sharing = _Sharing()
    yield sharing
    sharing.end()


@pytest.fixture
def shared(_sharing: _Sharing, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """A kernel for all tests of the module, which leave it as they found it; a new one after a failure."""
    yield _sharing.kernel()
    if request.node.stash.get(_FAILED, False):
        _sharing.end()


@pytest.fixture
def guest(shared: Kernel) -> Iterator[Client]:
    """A new client of the shared kernel."""
    client = shared.client()
    yield client
    client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place for the files of a test's cells."""
    return tmp_path
