"""What a program finds around itself as under python, and what is put back when it has ended.

A worker is a shell in the middle of a cell: IPython's names, hooks and singleton, a running event loop, a
SIGINT handler of ours, streams that lead to the clients. A program meets none of it.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import getpass
import os
import pdb  # noqa: T100 - kept as python has it
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from holdfast.worker.embedding.costume import Costume
from holdfast.worker.interrupts import Interrupts

_HOOKS = ("displayhook", "excepthook", "breakpointhook", "ps1", "ps2", "ps3")
_BUILTINS = ("input", "exit", "quit", "get_ipython", "display", "__IPYTHON__")

_PYTHONS_OWN = frozenset(
    f"__{name}__" for name in ("annotations", "builtins", "doc", "loader", "name", "package", "spec")
)
"""Names that every `__main__` has."""

_pythons = Costume(
    *((sys, name) for name in _HOOKS),
    *((builtins, name) for name in _BUILTINS),
    (getpass, "getpass"),
    (pdb, "Pdb"),
    (pdb, "set_trace"),
    (threading.Thread, "start"),
    (ThreadPoolExecutor, "submit"),
)
"""As they are when the template imports this, before there is a shell."""


@contextlib.contextmanager
def without_a_loop() -> Iterator[None]:
    """No event loop runs, as far as code in this block can tell: `asyncio.run` works."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task is not None
    asyncio.tasks._leave_task(loop, task)  # see "Extending asyncio"
    asyncio._set_running_loop(None)
    try:
        with _without_a_current_loop():
            yield
    finally:
        asyncio._set_running_loop(loop)
        asyncio.tasks._enter_task(loop, task)


@contextlib.contextmanager
def with_pythons_exit(shell: Any) -> Iterator[None]:
    """`exit` and `quit` end the program, wherever in it they are called; the shell's own are put away."""
    names: dict[str, Any] = shell.user_ns
    shells = {name: names.pop(name) for name in ("exit", "quit") if names.get(name) is shell.exiter}
    for name in shells:  # not site's: that closes standard input, which is the session's here
        setattr(builtins, name, sys.exit)
    try:
        yield
    finally:
        for name, exiter in shells.items():
            vars(builtins).pop(name, None)
            names.setdefault(name, exiter)


@contextlib.contextmanager
def _without_a_current_loop() -> Iterator[None]:
    """`asyncio.get_event_loop` does not find ours either."""
    if sys.version_info < (3, 14):
        policy = asyncio.get_event_loop_policy()
        asyncio.set_event_loop_policy(None)
        try:
            yield
        finally:
            asyncio.set_event_loop_policy(policy)
    else:
        loop = asyncio.get_event_loop()
        asyncio.set_event_loop(None)
        try:
            yield
        finally:
            asyncio.set_event_loop(loop)


@contextlib.contextmanager
def as_under_python(
    shell: Any, interrupts: Interrupts, environment: Mapping[str, str], *, hidden: bool
) -> Iterator[None]:
    """For a program that has the process for itself. `hidden`: it sees nothing of IPython."""
    with (
        interrupts.as_python_has_them(),
        without_a_loop(),
        _environment(environment),
        _without_ipython(shell) if hidden else contextlib.nullcontext(),
    ):
        yield


@contextlib.contextmanager
def _without_ipython(shell: Any) -> Iterator[None]:
    """Libraries look for it, and take what they find for a notebook."""
    names = shell.user_ns
    hidden = {name: names.pop(name) for name in shell.user_ns_hidden.keys() - _PYTHONS_OWN if name in names}
    kinds: list[Any] = [kind for kind in type(shell).__mro__ if vars(kind).get("_instance") is shell]
    for kind in kinds:
        kind._instance = None  # what `IPython.get_ipython` looks at
    _pythons.put_on()
    try:
        yield
    finally:
        _pythons.take_off()
        for kind in kinds:
            kind._instance = shell
        for name, value in hidden.items():
            names.setdefault(name, value)


@contextlib.contextmanager
def _environment(environment: Mapping[str, str]) -> Iterator[None]:
    """As the launcher has it: the shell tells what cells start that there is no terminal."""
    changed = {
        name: os.environ.get(name)
        for name in os.environ.keys() | environment.keys()
        if os.environ.get(name) != environment.get(name)
    }
    _apply({name: environment.get(name) for name in changed})
    try:
        yield
    finally:  # what the program has changed itself stays
        _apply({name: was for name, was in changed.items() if os.environ.get(name) == environment.get(name)})


def _apply(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
