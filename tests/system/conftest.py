"""Kernels for system tests: one for each test, or one for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.kernel import Kernel, running
from kit.wire import Client


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A fresh kernel for this test alone."""
    with running() as kernel:
        yield kernel


@pytest.fixture
def client(kernel: Kernel) -> Client:
    """A client of the fresh kernel."""
    return kernel.client()


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    """One kernel for all tests of the module, which must leave it as they found it."""
    with running() as kernel:
        yield kernel


@pytest.fixture
def guest(shared: Kernel) -> Client:
    """A new client of the shared kernel."""
    return shared.client()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place for the files of a test's cells."""
    return tmp_path
