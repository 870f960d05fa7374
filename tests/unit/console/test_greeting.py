"""The head of a console."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import __version__
from holdfast.console.greeting import duration, head
from holdfast.protocol.operations import Info, Running


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def info(**more: Any) -> Info:
    fields: dict[str, Any] = {
        "name": "work",
        "state": "idle",
        "pid": 1,
        "python": "3.13.2",
        "execution_count": 14,
        "cells": 14,
        "started": 1000.0,
        "cwd": "/",
        "connection_file": "",
        "epoch": 1,
        "restore_point": "after In[14], resume; on disk: nothing",
    }
    return Info(**(fields | more))


def said(about: Info | None, *, created: bool = False, others: tuple[str, ...] = ()) -> str:
    return head("work", about, created=created, own="ana", others=others, now=12_000.0)


def test_a_new_session_greets() -> None:
    assert said(info(), created=True) == (
        f"holdfast {__version__} · session work · Python 3.13.2 · ? for help, Ctrl-D to leave"
    )


def test_an_old_one_tells_its_age_and_who_else_is_there() -> None:
    assert said(info(), others=("bo (jupyter)", "ana 3f2a (console)")) == (
        "session work · Python 3.13.2 · up 3.1 h · 14 cells · with bo (jupyter), ana 3f2a (console)"
        " · Ctrl-D leaves"
    )


def test_a_running_cell_is_named() -> None:
    about = said(info(cells=1, running=Running(15, "lab", 11_990.0)))
    assert about.endswith("1 cell · Ctrl-D leaves\nIn [15] of lab has been running for 10 s")


def test_a_running_cell_of_a_namesake_is_told_apart_by_its_session() -> None:
    about = said(info(running=Running(15, "ana", 11_990.0, "3f2a0000")))
    assert about.endswith("\nIn [15] of ana 3f2a has been running for 10 s")


def test_of_a_kernel_that_tells_nothing_the_name_is_said() -> None:
    assert said(None) == "session work · Ctrl-D leaves"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (99, "99 s"), (100, "2 min"), (6000, "1.7 h"), (200_000, "2.3 days")]
)
def test_a_duration_is_said_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
