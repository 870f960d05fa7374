"""The prompt: prompt_toolkit, set up for Python. What is typed comes out; no kernel is known here."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_session, in_terminal
from prompt_toolkit.completion import Completer
from prompt_toolkit.cursor_shapes import ModalCursorShapeConfig
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus, is_done
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText, StyleAndTextTuples
from prompt_toolkit.history import DummyHistory
from prompt_toolkit.key_binding import KeyBindingsBase, merge_key_bindings
from prompt_toolkit.layout.processors import ConditionalProcessor, HighlightMatchingBracketProcessor
from prompt_toolkit.lexers import DynamicLexer, Lexer
from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import BaseStyle, DynamicStyle, Style, merge_styles

from holdfast.console import ansi, editor, keys, pairs, render, suggestion
from holdfast.console.colours import TERMINAL, prompt_style, sixteen
from holdfast.console.history import SessionHistory
from holdfast.console.screen import Screen
from holdfast.errors import HoldfastError
from holdfast.settings import Console as Settings

ESCAPE_SECONDS = 0.05
"""For the rest of an arrow key's sequence to come after its Escape, over a slow line too."""

_MENUS = {"column": CompleteStyle.COLUMN, "multicolumn": CompleteStyle.MULTI_COLUMN}

_READLINES = {1: None, 2: None}
"""What readline wants around colours in a prompt; prompt_toolkit writes what is between them as it is."""

_STYLE = {
    "in": "ansigreen",
    "in.number": "ansibrightgreen bold",
    "continuation": "ansigreen",
    "mode": "ansiyellow",
    "auto-suggestion": "ansibrightblack",
    "completion-menu": "bg:ansibrightblack ansiwhite",
    "completion-menu.completion.current": "bg:ansigreen ansiblack noreverse",
    "completion-menu.meta.completion": "bg:ansiblack ansiwhite",
    "completion-menu.meta.completion.current": "bg:ansigreen ansiblack",
    "matching-bracket.cursor": "bold",
    "matching-bracket.other": "bold underline",
}


class Prompt:
    """Reads cells, and answers to `input()`."""

    def __init__(
        self,
        screen: Screen,
        *,
        count: Callable[[], int],
        completer: Completer,
        history: SessionHistory,
        on_idle_interrupt: Callable[[], None],
        on_leave: Callable[[], None] = lambda: None,
        on_read: Callable[[], None] = lambda: None,
        settings: Settings,
    ) -> None:
        r"""`count` tells the next cell's number; `on_idle_interrupt` is called for Ctrl-C on an empty line.

        `on_leave`: for Ctrl-\ at a question. `on_read`: something was read, or not.
        """
        self._screen = screen
        self._count = count
        self._on_leave = on_leave
        self._on_read = on_read
        self._theme = settings.theme
        self._vi = settings.editing_mode == "vi"
        self._lexer: Lexer | None = None
        self._style: BaseStyle = Style.from_dict(_STYLE | sixteen())
        self._output = _output()
        self._session: PromptSession[str] = PromptSession(
            output=self._output,
            message=self._message,
            multiline=True,
            lexer=DynamicLexer(lambda: self._lexer),
            style=DynamicStyle(lambda: self._style),
            include_default_pygments_style=False,
            completer=completer,
            complete_while_typing=False,
            complete_style=_MENUS[settings.completion_menu],
            history=history,
            enable_history_search=True,
            search_ignore_case=True,
            auto_suggest=suggestion.Suggester(history.lines)
            if settings.suggestions and not ansi.colourless()  # it would look as what is typed
            else None,
            key_bindings=merge_key_bindings(
                [
                    keys.bindings(on_idle_interrupt, self._edit),
                    suggestion.bindings(),
                    *([pairs.bindings()] if settings.auto_close else []),
                ]
            ),
            prompt_continuation=_continuation,
            input_processors=[
                ConditionalProcessor(
                    HighlightMatchingBracketProcessor(chars="[](){}"), has_focus(DEFAULT_BUFFER) & ~is_done
                )
            ],
            vi_mode=self._vi,
            cursor=ModalCursorShapeConfig() if self._vi else None,
            enable_suspend=True,
        )
        self._session.app.ttimeoutlen = ESCAPE_SECONDS
        self._session.app.before_render += self._replace_standing
        self._session.app.after_render += self._load_lexer

    async def read(self, default: str = "") -> str:
        """The next cell. EOFError if the user leaves."""
        with self._reading():
            return await self._session.prompt_async(default=default, handle_sigint=False)

    async def ask(self, question: str, *, password: bool) -> str:
        """An answer to `input(question)` or `getpass`. EOFError for Ctrl-D, KeyboardInterrupt for Ctrl-C."""
        above, newline, last = question.rpartition("\n")
        self._screen.write(above + newline)
        # Not seen before keys are read: until then the terminal itself shows what is typed, also a password.
        begun = ansi.only_colours(self._screen.half_line() + last).translate(_READLINES)
        sys.stdout.write("\r")  # the prompt draws the half written line again
        with self._reading():
            session = self._secret if password else self._plain
            return await session.prompt_async(ANSI(begun), handle_sigint=False)

    def interrupt(self) -> bool:
        """As if Ctrl-C were pressed (SIGINT from elsewhere); false if no prompt stands."""
        from prompt_toolkit.key_binding.key_processor import KeyPress  # noqa: PLC0415 - hardly ever needed
        from prompt_toolkit.keys import Keys  # noqa: PLC0415

        standing = [session.app for session in self._sessions() if session.app.is_running]
        for app in standing:
            app.key_processor.feed(KeyPress(Keys.ControlC))
            app.key_processor.process_keys()
        return bool(standing)

    def end(self) -> None:
        """Let whatever waits for the user give up, with EOFError."""
        for session in self._sessions():
            if session.app.is_running and not session.app.is_done:
                session.app.exit(exception=EOFError)

    def redraw(self) -> None:
        """The number of the next cell may have changed."""
        self._session.app.invalidate()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._screen.prompting():
            try:
                yield
            finally:
                self._on_read()

    def _replace_standing(self, _sender: object) -> None:
        self._output.write_raw(self._screen.standing.taken_away())  # goes out with what is drawn now

    def _sessions(self) -> list[PromptSession[str]]:
        made = (self.__dict__.get(name) for name in ("_plain", "_secret"))
        return [self._session, *(session for session in made if session is not None)]

    @functools.cached_property
    def _plain(self) -> PromptSession[str]:
        return PromptSession(
            output=self._output, vi_mode=self._vi, key_bindings=self._question_keys, enable_suspend=True
        )

    @functools.cached_property
    def _secret(self) -> PromptSession[str]:
        """Up-arrow finds no password, here or at a later question."""
        return PromptSession(
            output=self._output,
            is_password=True,
            history=DummyHistory(),
            key_bindings=self._question_keys,
            enable_suspend=True,
        )

    @property
    def _question_keys(self) -> KeyBindingsBase:
        return keys.question_bindings(self._on_leave)

    def _message(self) -> StyleAndTextTuples:
        # The empty line belongs to the prompt, so that what others run comes above it.
        return [
            ("", "\n"),
            ("class:mode", f"[{self._mode}] " if self._vi else ""),
            ("class:in", "In ["),
            ("class:in.number", str(self._count())),
            ("class:in", "]: "),
        ]

    @property
    def _mode(self) -> str:
        """Vi's mode in three letters, as IPython's prompt has them: ins, nav, rep."""
        return self._session.app.vi_state.input_mode.name[:3].lower()

    def _load_lexer(self, _sender: object) -> None:
        if self._lexer is None:
            from holdfast.console.lexing import CellLexer  # noqa: PLC0415 - slow; the prompt stands by now

            self._lexer = CellLexer()
            if self._theme != TERMINAL:
                self._style = merge_styles([Style.from_dict(_STYLE), prompt_style(self._theme)])

    def _edit(self, run: bool) -> None:
        self._session.app.create_background_task(self._edited(run=run))

    async def _edited(self, *, run: bool) -> None:
        """The user's editor on what is typed; what comes back is run, if that is wanted."""
        buffer = self._session.default_buffer
        async with in_terminal():
            try:
                text = await editor.on_text(buffer.text, self._screen)
            except HoldfastError as error:
                self._screen.note(render.complaint(error))
                return
        if text is not None:
            buffer.save_to_undo_stack()
            buffer.document = Document(text)
            if run and text.strip():
                buffer.validate_and_handle()


def _output() -> Output:
    """The terminal, which is not asked where its cursor is with each line that others print.

    Answers that come late (ssh) would scroll the screen away, or end as garbage in a program that reads.
    """
    output = get_app_session().output
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output


def _continuation(width: int, _line: int, wraps: int) -> AnyFormattedText:
    """Before a line that begins `...:`, before one that only goes on a dotted bar, as in IPython."""
    return [
        ("class:continuation", "\N{VERTICAL ELLIPSIS} ".rjust(width) if wraps else render.continuation(width))
    ]
