"""Widgets (ipywidgets) as text: a line says what each one shows. They can be watched here, not used.

Follows the comm messages by which widgets tell their state, so that a progress bar of `tqdm.notebook` moves.
Pure; where the text goes is the business of `view`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.console import ansi
from holdfast.console.extent import columns
from holdfast.visible import visible

VIEW = "application/vnd.jupyter.widget-view+json"
"""MIME type of a widget that is displayed."""

MODELS = 2_000
"""Widgets that are remembered; the oldest are forgotten. A progress bar has six."""

DRAWN = 200
"""Widgets in one display that are drawn: more than a screen has lines."""

VALUE_CHARACTERS = 2_000
"""Of what one widget says."""

BAR_COLUMNS = 40
"""Of a progress bar, at most."""

_TARGET = "jupyter.widget"
_KEPT = frozenset(
    {"_model_name", "value", "min", "max", "description", "children", "bar_style", "index"}
    | {"_options_labels", "outputs"}
)
"""Of a widget's state, what is shown here."""

_REFERENCE = "IPY_MODEL_"
"""Before the id of a widget in the state of another (jupyter-widgets/schema/messages.md)."""

_BAR = "━"
_BAR_COLOURS = {"danger": ansi.ERROR, "success": ansi.IN, "warning": ansi.WARNING}

_State = Mapping[str, Any]


class Widgets:
    """What the widgets of a session have told of themselves."""

    def __init__(self) -> None:
        self._models: dict[str, dict[str, Any]] = {}

    def take(self, msg_type: str, content: Mapping[str, Any]) -> str | None:
        """Take a comm message; the widget that looks otherwise now, if any."""
        identity, data = str(content.get("comm_id", "")), content.get("data")
        if msg_type == "comm_close":
            state = self._models.get(identity)
            if state is not None:
                self._models[identity] = {"children": []}  # it shows nothing any more
            return None if state is None else identity
        told = data.get("state") if isinstance(data, Mapping) else None
        news = {name: told[name] for name in _KEPT & told.keys()} if isinstance(told, Mapping) else {}
        if msg_type == "comm_open" and content.get("target_name") == _TARGET:
            while len(self._models) >= MODELS:
                del self._models[next(iter(self._models))]
            self._models[identity] = news
        elif msg_type == "comm_msg" and news and identity in self._models:
            self._models[identity] |= news
            return identity
        return None

    def shown_in(self, bundle: Mapping[str, Any]) -> str | None:
        """The widget that a display shows, if it is a display of one that is known."""
        view = bundle.get(VIEW)
        identity = str(view.get("model_id", "")) if isinstance(view, Mapping) else ""
        return identity if identity in self._models else None

    def involves(self, identity: str, part: str) -> bool:
        """Whether the widget `part` is to be seen in the widget `identity`."""
        return any(each == part for each, _ in self._tree(identity))

    def text(self, identity: str, width: int) -> str:
        """What the widget shows, `width` columns wide; empty if that is nothing."""
        tree = dict(self._tree(identity))
        return _drawn(identity, tree, width)

    def _tree(self, identity: str) -> Iterator[tuple[str, _State]]:
        """The widget and all in it, each once."""
        found, waiting = {identity}, deque([identity])
        while waiting and len(found) <= DRAWN:
            each = waiting.popleft()
            state = self._models.get(each, {})
            yield each, state
            new = [child for child in _children(state) if child not in found]
            found.update(new)
            waiting.extend(new)


def _children(state: _State) -> list[str]:
    children = state.get("children")
    return [str(each).removeprefix(_REFERENCE) for each in children] if isinstance(children, list) else []


def _drawn(identity: str, tree: dict[str, _State], width: int) -> str:
    """A widget; each is taken out of the tree when it is drawn, so that none is in itself."""
    state = tree.pop(identity, {})
    name = str(state.get("_model_name", "")).removesuffix("Model")
    if "children" not in state:
        return _alone(name, state, width)
    children = [each for each in _children(state) if each in tree]
    if name != "HBox":
        return "\n".join(filter(None, [_drawn(each, tree, width) for each in children]))
    bars = [each for each in children if _is_bar(tree[each])]
    parts = {each: _drawn(each, tree, width) for each in children if each not in bars}
    rest = width - sum(columns(part) + 1 for part in parts.values()) - len(bars)
    parts |= {each: _drawn(each, tree, max(1, rest // len(bars))) for each in bars}
    return " ".join(filter(None, [parts[each] for each in children]))


def _is_bar(state: _State) -> bool:
    return str(state.get("_model_name", "")).endswith("ProgressModel")


def _alone(name: str, state: _State, width: int) -> str:
    """A widget that has no others in it."""
    label = _words(state.get("description"))
    if _is_bar(state):
        return " ".join(filter(None, [label, _bar(state, width - len(label))]))
    if name == "Button":
        return f"[ {label} ]"
    if name == "Output":
        return _outputs(state.get("outputs"))
    if name.startswith("HTML"):
        from holdfast.console.readable import html  # noqa: PLC0415 - most sessions have no widgets

        shown = html.text(str(state.get("value", ""))[:VALUE_CHARACTERS], width)
    elif name in ("Checkbox", "Valid"):
        shown = "[x]" if state.get("value") else "[ ]"
    else:
        shown = _words(_chosen(state))
    return ": ".join(filter(None, [label, shown]))


def _bar(state: _State, width: int) -> str:
    value, least, most = (state.get(name) for name in ("value", "min", "max"))
    numbers = [each for each in (value, least, most) if isinstance(each, int | float)]
    if len(numbers) < 3 or numbers[2] <= numbers[1]:
        return ""
    long = max(1, min(BAR_COLUMNS, width))
    share = min(1.0, max(0.0, (numbers[0] - numbers[1]) / (numbers[2] - numbers[1])))
    full = round(long * share)
    colour = _BAR_COLOURS.get(str(state.get("bar_style")), ansi.BAR)
    return ansi.paint(_BAR * full, colour) + (
        ansi.paint(_BAR * (long - full), ansi.NOTE) if full < long else ""
    )


def _chosen(state: _State) -> object:
    """What the user of a widget has chosen or typed."""
    labels, index = state.get("_options_labels"), state.get("index")
    if not isinstance(labels, list):
        return state.get("value")
    places = index if isinstance(index, list) else [index]
    return ", ".join(
        str(labels[each]) for each in places if isinstance(each, int) and 0 <= each < len(labels)
    )


def _outputs(outputs: object) -> str:
    """What was printed in a widget for output."""
    each = [one for one in outputs if isinstance(one, Mapping)] if isinstance(outputs, list) else []
    return "".join(str(one.get("text", "")) for one in each)[-VALUE_CHARACTERS:].rstrip("\n")


def _words(value: object) -> str:
    return "" if value is None else visible(str(value))[:VALUE_CHARACTERS]
