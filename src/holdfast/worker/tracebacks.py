"""Which frames of a traceback a user sees: their own and their libraries', none of ours. Formats nothing."""

from __future__ import annotations

from types import TracebackType

_OURS = ("holdfast.worker", "holdfast.link", "holdfast.protocol")
"""What runs in a worker below a user's line: our handlers, how we ask and send, our streams."""

_DEBUGGER = ("pydevd", "_pydevd")
"""In whose frames a cell waits at a breakpoint. The line that it waits at comes twice before them."""

CHAINED = 100
"""Exceptions, each raised because of the one before it, that are looked at: nobody reads more."""


def only_the_users(error: BaseException | None) -> None:
    """Take our frames out of an exception's traceback, and out of those that led to it.

    One that was raised and caught among our own lines only is not told of.
    """
    for _ in range(CHAINED):
        if error is None:
            return
        error.__traceback__ = without_ours(error.__traceback__)
        before = error.__cause__ or error.__context__
        if before is not None and before.__traceback__ and without_ours(before.__traceback__) is None:
            error.__cause__ = error.__context__ = None
            return
        error = before


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """What is left of a traceback without our frames; None if all of it is ours.

    A signal may also be heard where a function has no line yet, which IPython's formatter can't take.
    """
    first = last = None
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith(_DEBUGGER):
            break
        ours = name.startswith(_OURS) or trace.tb_lineno is None
        again = last is not None and (last.tb_frame, last.tb_lineno) == (trace.tb_frame, trace.tb_lineno)
        if not ours and not again:
            if last is None:
                first = trace
            else:
                last.tb_next = trace
            last = trace
        trace = trace.tb_next
    if last is not None:
        last.tb_next = None
    return first
