"""Tab completion: asked of the kernel, shown with the kinds of things. No static analysis here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from holdfast.errors import NoAnswer
from holdfast.visible import in_line

Ask = Callable[[str, int], Awaitable[tuple[Mapping[str, Any], Mapping[str, Any]]]]
"""Code and cursor position (in code points) -> content and metadata of a `complete_reply`."""

TYPES = "_jupyter_types_experimental"
"""Where kernels put the kinds of matches (metadata of `complete_reply`; ipykernel began it)."""


class KernelCompleter(Completer):
    """What the kernel proposes at the cursor."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def get_completions_async(
        self, document: Document, _complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """The proposals; none if the kernel does not answer in time."""
        try:
            reply, about = await self._ask(document.text, document.cursor_position)
        except NoAnswer:
            return
        for proposal in proposals(reply, document.text, document.cursor_position, age(about)):
            yield proposal

    def get_completions(self, _document: Document, _complete_event: CompleteEvent) -> Iterable[Completion]:
        """Nothing: only the asynchronous way is used."""
        return ()


def age(about: Mapping[str, Any]) -> str:
    """Of which cell the reply knows, as its metadata says: while one runs, not of that one."""
    ours = about.get("holdfast")
    if not isinstance(ours, Mapping) or "as_of" not in ours:
        return ""
    return f"as of In[{ours['as_of']}]" if isinstance(ours["as_of"], int) else "as of the start"


def proposals(reply: Mapping[str, Any], code: str, cursor: int, note: str = "") -> list[Completion]:
    """The matches of a `complete_reply` to `code`, with their kinds where the kernel tells them.

    `note` stands beside the first of them.
    """
    typed = _typed_matches(reply)
    if not typed:
        start, end = reply.get("cursor_start", cursor), reply.get("cursor_end", cursor)
        typed = [{"text": text, "start": start, "end": end} for text in reply.get("matches", ())]
    typed = [match for match in typed if in_line(match["text"]) == match["text"]]  # else it can't be seen
    return [
        Completion(
            match["text"],
            start_position=min(0, match["start"] - cursor),
            display=_short(match["text"], code[match["start"] : cursor]),
            display_meta=_kind(match) if number or not note else f"{_kind(match)} ({note})".strip(),
        )
        for number, match in enumerate(typed)
    ]


def _typed_matches(reply: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    metadata = reply.get("metadata")
    matches = metadata.get(TYPES) if isinstance(metadata, Mapping) else None
    if not isinstance(matches, list):
        return []
    return [match for match in matches if isinstance(match, Mapping) and _can_be_shown(match)]


def _can_be_shown(match: Mapping[str, Any]) -> bool:
    return isinstance(match.get("text"), str) and isinstance(match.get("start"), int)


def _short(text: str, typed: str) -> str:
    """What the menu shows: without the path that stands on the line already."""
    path = max(typed.rfind("."), typed.rfind("/")) + 1
    return text[path:] if path and text.startswith(typed[:path]) else text


def _kind(match: Mapping[str, Any]) -> str:
    """`function(a, b)`, `module`: kind and signature; nothing if the kernel does not know."""
    kind = str(match.get("type") or "").replace("<unknown>", "")
    return f"{kind}{match.get('signature') or ''}"
