"""Something is done with a module as soon as user code has imported it. Nothing is imported because of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from holdfast.worker.ipython.terminal import ClientsTerminal

_Then = Callable[[ModuleType], object]


class _Watch:
    """Asks the other finders for certain modules, and has something done when they have been executed."""

    def __init__(self, then: Mapping[str, _Then]) -> None:
        self._then = dict(then)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module as if we were not here (importlib.abc.MetaPathFinder)."""
        then = self._then.get(name)
        if then is None:
            return None
        finders = [each for each in sys.meta_path if each is not self]
        found = (each.find_spec(name, path, target) for each in finders if hasattr(each, "find_spec"))
        spec = next((each for each in found if each is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_tell(module: ModuleType) -> None:
                execute(module)
                if module.__name__ == name:  # some loaders have more than one
                    then(module)

            spec.loader.exec_module = execute_and_tell  # type: ignore[method-assign] # made for this module
        return spec


def suit_to(terminal: ClientsTerminal) -> None:
    """From now on, what user code imports is suited to the client's terminal."""

    def suit_rich(module: ModuleType) -> None:
        is_notebook = getattr(module, "_is_jupyter", None)
        if callable(is_notebook):  # it would draw with widgets, or warn that there are none
            module._is_jupyter = lambda: not terminal.is_there and is_notebook()  # type: ignore[attr-defined]

    sys.meta_path.insert(0, _Watch({"pandas": terminal.widen, "rich.console": suit_rich}))
