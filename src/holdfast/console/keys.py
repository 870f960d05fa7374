"""What keys do at the prompt, where that is not what prompt_toolkit does anyway (see also `suggestion`).

Enter runs what is complete and begins a line where more must come; up-arrow goes to what was typed before;
Tab completes, at the beginning of a line it indents. A paste comes in as one block and runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import (
    Condition,
    emacs_insert_mode,
    has_completions,
    has_focus,
    vi_insert_mode,
)
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.bindings.named_commands import get_by_name
from prompt_toolkit.keys import Keys

from holdfast.completeness import INDENT, check, without_prompts

typing = has_focus(DEFAULT_BUFFER) & (vi_insert_mode | emacs_insert_mode)
"""Keys become text: not in a search, not in vi's navigation mode."""

_READLINE_IN_VI = {
    "c-a": "beginning-of-line",
    "c-b": "backward-char",
    "c-e": "end-of-line",
    "c-y": "yank",
    "c-_": "undo",
}
"""What IPython lends vi's insert mode. No Alt keys: there Escape and a letter is a command."""


@Condition
def _in_margin() -> bool:
    """The cursor has nothing but white space before it on its line, and no menu is open."""
    buffer = get_app().current_buffer
    return buffer.complete_state is None and not buffer.document.current_line_before_cursor.strip()


@Condition
def _behind_indent() -> bool:
    before = get_app().current_buffer.document.current_line_before_cursor
    return bool(before) and not before.strip(" ")


def bindings(on_idle_interrupt: Callable[[], None], edit: Callable[[bool], None]) -> KeyBindings:
    """The keys of the prompt.

    `on_idle_interrupt`: Ctrl-C was pressed on an empty line. `edit`: open the user's editor on what is typed;
    True: and run it when that is closed.
    """
    keys = KeyBindings()
    keys.add("enter", filter=typing)(_enter)
    keys.add("escape", "enter", filter=typing & emacs_insert_mode)(_run)
    keys.add("c-o", filter=typing)(_open_line)
    keys.add("tab", filter=typing)(_complete)
    keys.add("tab", filter=typing & _in_margin)(_indent)
    keys.add("s-tab", filter=typing)(_complete_back)
    keys.add("backspace", filter=typing & _behind_indent, save_before=lambda event: not event.is_repeat)(
        _dedent
    )
    keys.add(Keys.BracketedPaste, filter=typing)(_paste)
    keys.add("c-g", filter=typing & has_completions)(_close_menu)
    keys.add("c-\\")(_leave)
    _add_vi(keys)

    @keys.add("f2", filter=has_focus(DEFAULT_BUFFER))
    def _edit(_event: KeyPressEvent) -> None:
        edit(False)

    @keys.add("c-x", "c-e", filter=typing)
    def _edit_and_run(_event: KeyPressEvent) -> None:
        edit(True)

    @keys.add("c-c", filter=has_focus(DEFAULT_BUFFER))
    def _clear(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state:
            buffer.cancel_completion()
        elif buffer.text:
            buffer.reset()
        else:
            on_idle_interrupt()

    return keys


def _add_vi(keys: KeyBindings) -> None:
    inserting = typing & vi_insert_mode
    for key, command in _READLINE_IN_VI.items():
        keys.add(key, filter=inserting & ~has_completions)(get_by_name(command))
    keys.add("c-p", filter=inserting)(_up)
    keys.add("c-n", filter=inserting)(_down)


def question_bindings(on_leave: Callable[[], None]) -> KeyBindings:
    r"""The keys of a question. `on_leave`: Ctrl-\ was pressed, which answers nothing."""
    keys = KeyBindings()
    keys.add("c-\\")(lambda _: on_leave())
    return keys


def _enter(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    menu = buffer.complete_state
    if menu is not None:
        buffer.complete_state = None
        if menu.current_completion is not None:
            return  # the choice is on the line; it is not run yet
    if _ends_input(buffer.document):
        buffer.validate_and_handle()
    else:
        _open_line(event)


def _ends_input(document: Document) -> bool:
    """Enter runs a single line wherever the cursor is, several lines only from the last one."""
    if document.line_count > 1 and document.text_after_cursor.strip():
        return False
    return check(document.text).status != "incomplete"


def _run(event: KeyPressEvent) -> None:
    """Run it, complete or not."""
    event.current_buffer.validate_and_handle()


def _open_line(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    indent = check(buffer.document.text_before_cursor).indent
    buffer.delete(len(buffer.document.text_after_cursor) - len(buffer.document.text_after_cursor.lstrip(" ")))
    buffer.insert_text("\n" + indent)


def _complete(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.start_completion(insert_common_part=True)


def _complete_back(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_previous()
    elif not buffer.document.current_line_before_cursor.strip():
        _dedent(event)


def _close_menu(event: KeyPressEvent) -> None:
    event.current_buffer.cancel_completion()


def _up(event: KeyPressEvent) -> None:
    event.current_buffer.auto_up()


def _down(event: KeyPressEvent) -> None:
    event.current_buffer.auto_down()


def _indent(event: KeyPressEvent) -> None:
    column = event.current_buffer.document.cursor_position_col
    event.current_buffer.insert_text(" " * (len(INDENT) - column % len(INDENT)))


def _dedent(event: KeyPressEvent) -> None:
    """Delete white space back to the last indent."""
    column = event.current_buffer.document.cursor_position_col
    if column:
        event.current_buffer.delete_before_cursor((column - 1) % len(INDENT) + 1)


def _paste(event: KeyPressEvent) -> None:
    text = event.data.replace("\r\n", "\n").replace("\r", "\n")
    event.current_buffer.insert_text(without_prompts(text))


def _leave(event: KeyPressEvent) -> None:
    event.app.exit(exception=EOFError, style="class:exiting")
