"""How a result is shown: as IPython does it, with a short way for what can only be text.

IPython asks a dozen formatters of each result. For a plain number or a list eleven of them answer "nothing",
which takes a third of the time of a short cell. They would answer otherwise only if somebody had registered a
printer for just that type, or for all objects, and whether somebody has is quickly seen.
"""

from __future__ import annotations

import contextlib
from typing import Any

from IPython.core import formatters
from IPython.core.formatters import BaseFormatter, DisplayFormatter
from IPython.lib import pretty

_PLAIN: frozenset[type] = frozenset(
    {int, float, complex, bool, str, bytes, list, tuple, dict, set, frozenset, range}
)
"""Types without `_repr_*_` methods. Not their subclasses, which may have some."""
_ONE_LINE: frozenset[type] = frozenset({int, bool, str, bytes})
"""Those of them that IPython's printer shows as repr() does."""


class QuickFormatter(DisplayFormatter):
    """Representations of a result by MIME type, and their metadata."""

    def format(
        self, obj: object, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """See IPython's DisplayFormatter."""
        if include or exclude or type(obj) not in _PLAIN or not self._is_text_only(obj):
            shown: tuple[dict[str, Any], dict[str, Any]] = super().format(obj, include, exclude)
            return shown
        formatter = self.formatters["text/plain"]
        if type(obj) in _ONE_LINE and formatter.pprint and _shown_by_repr(formatter, obj):
            with contextlib.suppress(ValueError):  # an int of many digits: the long way tells
                return {"text/plain": repr(obj)}, {}
        text = formatter(obj)
        return ({} if text is None else {"text/plain": text}), {}

    def _is_text_only(self, obj: object) -> bool:
        """Whether no formatter but that of plain text has anything for `obj`, which is of a plain type."""
        return (
            not _may_show(self.ipython_display_formatter, obj)
            and not _may_show(self.mimebundle_formatter, obj)
            and not any(_may_show(each, obj) for key, each in self.formatters.items() if key != "text/plain")
        )


def _shown_by_repr(formatter: BaseFormatter, obj: object) -> bool:
    return (
        formatter.type_printers.get(type(obj)) is pretty._repr_pprint
        and id(obj) not in formatter.singleton_printers
    )


def _may_show(formatter: BaseFormatter, obj: object) -> bool:
    """Whether a printer is registered that takes `obj`; True as well for who is not IPython's own."""
    kind = type(obj)
    values = formatter.__dict__.get("_trait_values", {})  # traitlets' descriptors take ten times as long
    try:
        printers = values["type_printers"]
        return (
            type(formatter).__module__ != formatters.__name__
            or kind in printers
            or object in printers
            or id(obj) in values["singleton_printers"]
            or ("builtins", kind.__name__) in values["deferred_printers"]
        )
    except KeyError:  # not yet used: its registers come into being when it is asked
        return True
