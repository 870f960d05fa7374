"""What of a shell's namespace goes into a checkpoint, and how it comes back.

A double writes, a fresh worker reads. What a checkpoint is, is `checkpoint`'s business.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import select
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from holdfast.errors import HoldfastError
from holdfast.link.messages import Load, Loaded, Loading, LostName, NotLoaded, NotWritten, Write, Written
from holdfast.worker.outlet import Outlet

_INPUTS: Final = "<inputs>"
"""No name of a variable, as `In` may be: what was typed."""
_STATE: Final = "<state of the interpreter>"
"""Nor is this: generators of random numbers, which libraries keep for everybody."""
_NO_VARIABLES: Final = frozenset({"", _INPUTS, _STATE})
_RESULT: Final = re.compile(r"_(\d+)")
_HISTORY: Final = re.compile(r"_{1,3}|_i{1,3}|_i?\d+")
"""What IPython hides from %who, though the user's values are in it."""
_OF_A_MODULE: Final = frozenset(
    {"__builtin__", "__builtins__", "__doc__", "__loader__", "__name__", "__package__", "__spec__"}
)


class Keeping:
    """Of one shell."""

    def __init__(self, shell: Any, outlet: Outlet) -> None:
        self._shell = shell
        self._outlet = outlet
        self._path = list(sys.path)

    def write(self, asked: Write) -> None:
        """Write a checkpoint, and tell."""
        from holdfast.checkpoint.pruning import prune  # noqa: PLC0415 - only doubles need these
        from holdfast.checkpoint.writing import write  # noqa: PLC0415

        folder = Path(asked.folder)
        facts = {**msgspec.json.decode(asked.facts), "cwd": _cwd(), "path": self._added_to_path()}
        try:
            made = write(
                folder,
                self._variables(),
                home=self._shell.user_ns,
                facts=facts,
                limits=asked.limits,
                durable=asked.durable,
            )
            if asked.keep is not None and self._is_wanted():
                with contextlib.suppress(HoldfastError, OSError):  # then there is more on disk than needed
                    prune(folder, [*_readable(folder, asked.keep), made.id])
            for each in asked.gone:
                shutil.rmtree(each, ignore_errors=True)
        except HoldfastError as error:
            self._outlet.send(NotWritten(error.what, error.remedy or ""))
            return
        self._outlet.send(
            Written(
                made.id,
                _shown(each.name for each in made.kept),
                _lost(made.lost),
                made.bytes_total,
                made.bytes_written,
            )
        )

    def load(self, asked: Load) -> None:
        """Take a checkpoint's variables into the namespace, and tell."""
        from holdfast.checkpoint.loading import load  # noqa: PLC0415 - a worker that begins anew needs none
        from holdfast.checkpoint.manifest import read  # noqa: PLC0415

        def tell(name: str) -> None:
            self._outlet.send(Loading(self._outlet.position, name))

        def put(name: str, value: object) -> None:
            if name not in _NO_VARIABLES:
                namespace[name] = value

        namespace = self._shell.user_ns
        try:
            manifest = read(Path(asked.folder), asked.checkpoint)
            _go_to(manifest.facts)
            skip = frozenset(asked.skip)
            loaded = load(Path(asked.folder), manifest, namespace, skip=skip, on_variable=tell, on_made=put)
        except (HoldfastError, OSError) as error:
            self._outlet.send(NotLoaded(self._outlet.position, str(error)))
            return
        values = loaded.values
        written, back = _shown(each.name for each in manifest.kept), _shown(values)
        if written and (not back or (asked.most and 2 * len(back) < len(written))):
            many, why = len(written) - len(back), _lost(loaded.lost)[0].reason
            what = f"{many} of {len(written)} variables could not be read ({why})"
            self._outlet.send(NotLoaded(self._outlet.position, what, bool(back)))
            return
        self._take_inputs(values.pop(_INPUTS, [""]))
        _restore_generators(values.pop(_STATE, None))
        for name in values:
            namespace.pop(name, None)
        namespace.update(values)  # in the order that they had
        for name, value in values.items():
            if match := _RESULT.fullmatch(name):
                self._shell.history_manager.output_hist[int(match[1])] = value
        for name in ("_", "__", "___"):
            setattr(self._shell.displayhook, name, values.get(name, ""))
        lost = _lost([*manifest.lost, *loaded.lost])
        self._outlet.send(Loaded(self._outlet.position, _shown(values), lost))

    def _is_wanted(self) -> bool:
        """Whether who asked is still there: a successor of theirs may be at work in the folder."""
        poll = select.poll()
        poll.register(self._outlet.channel, 0)  # POLLHUP comes unasked
        return not poll.poll(0)

    def _variables(self) -> dict[str, object]:
        """The user's, and some of IPython's that they see."""
        namespace, hidden = self._shell.user_ns, self._shell.user_ns_hidden
        own = {
            name: value
            for name, value in namespace.items()
            if name not in _OF_A_MODULE
            and (not (name in hidden and hidden[name] is value) or _HISTORY.fullmatch(name))
        }
        inputs = list(self._shell.history_manager.input_hist_parsed)
        return {**own, _INPUTS: inputs, _STATE: _generators()}

    def _take_inputs(self, inputs: Any) -> None:
        history = self._shell.history_manager
        history.input_hist_parsed[:] = inputs
        history.input_hist_raw[:] = inputs

    def _added_to_path(self) -> list[str]:
        return [each for each in sys.path if each not in self._path and _is_text(each)]


def _readable(folder: Path, ids: Iterable[str]) -> Iterator[str]:
    """Of these checkpoints, those that can say what they need: the others keep nothing from going."""
    from holdfast.checkpoint.manifest import read  # noqa: PLC0415

    for each in ids:
        with contextlib.suppress(HoldfastError):
            read(folder, each)
            yield each


def _cwd() -> str | None:
    with contextlib.suppress(OSError):  # it was removed
        folder = os.getcwd()
        return folder if _is_text(folder) else None
    return None


def _is_text(path: object) -> bool:
    """Whether JSON can hold it: sys.path takes anything (a Path, say), a file system any bytes."""
    if not isinstance(path, str):
        return False
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _go_to(facts: dict[str, Any]) -> None:
    """Before anything is imported: where the session was, and where it looked for modules."""
    with contextlib.suppress(OSError, TypeError):  # gone since
        os.chdir(facts["cwd"])
    sys.path[:0] = [each for each in facts.get("path", ()) if each not in sys.path]


def _generators() -> dict[str, object]:
    numpy = sys.modules.get("numpy")
    states: dict[str, object] = {"random": random.getstate()}
    if numpy is not None and "numpy.random" in sys.modules:
        with contextlib.suppress(Exception):  # of some kinds it warns, which may be an error
            states["numpy"] = numpy.random.get_state()
    return states


def _restore_generators(states: Any) -> None:
    if isinstance(states, dict):
        random.setstate(states["random"])
        if "numpy" in states:
            # Gone, another version, or a generator of another kind: no reason to lose the variables.
            with contextlib.suppress(Exception):
                import numpy  # noqa: ICN001, PLC0415 - it was in use

                numpy.random.set_state(states["numpy"])


def _shown(names: Iterable[str]) -> list[str]:
    """Those that a user counts."""
    return [name for name in names if not name.startswith(("_", "<"))]


def _lost(verdicts: Iterable[Any]) -> list[LostName]:
    """Those that a user misses; a result under its own name."""
    found = []
    for each in verdicts:
        match = _RESULT.fullmatch(each.name)
        if match or not each.name.startswith(("_", "<")):
            found.append(LostName(f"Out[{match[1]}]" if match else each.name, each.reason, each.last_repr))
    return found
