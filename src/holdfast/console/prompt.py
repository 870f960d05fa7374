"""The prompt: prompt_toolkit, set up for Python. What is typed comes out; no kernel is known here."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_session
from prompt_toolkit.completion import Completer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus, is_done
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText, StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.layout.processors import ConditionalProcessor, HighlightMatchingBracketProcessor
from prompt_toolkit.lexers import DynamicLexer, Lexer, PygmentsLexer
from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from holdfast.console.colours import lexer_class, prompt_style
from holdfast.console.keys import bindings, question_bindings
from holdfast.console.render import continuation
from holdfast.console.screen import Screen
from holdfast.settings import Console as Settings

_STYLE = {
    "in": "ansigreen",
    "in.number": "ansibrightgreen bold",
    "continuation": "ansigreen",
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
        history: History,
        on_idle_interrupt: Callable[[], None],
        on_leave: Callable[[], None] = lambda: None,
        settings: Settings,
    ) -> None:
        r"""`count` tells the next cell's number; `on_idle_interrupt` is called for Ctrl-C on an empty line.

        `on_leave`: for Ctrl-\ at a question.
        """
        self._screen = screen
        self._count = count
        self._on_leave = on_leave
        self._lexer: Lexer | None = None
        self._output = _output()
        self._session: PromptSession[str] = PromptSession(
            output=self._output,
            message=self._message,
            multiline=True,
            lexer=DynamicLexer(lambda: self._lexer),
            style=Style.from_dict(_STYLE | prompt_style()),
            include_default_pygments_style=False,
            completer=completer,
            complete_while_typing=False,
            history=history,
            enable_history_search=True,
            search_ignore_case=True,
            key_bindings=bindings(on_idle_interrupt),
            prompt_continuation=_continuation,
            input_processors=[
                ConditionalProcessor(
                    HighlightMatchingBracketProcessor(chars="[](){}"), has_focus(DEFAULT_BUFFER) & ~is_done
                )
            ],
            vi_mode=settings.editing_mode == "vi",
            enable_suspend=True,
            enable_open_in_editor=True,
            tempfile_suffix=".py",
        )
        self._session.app.after_render += self._load_lexer

    async def read(self, default: str = "") -> str:
        """The next cell. EOFError if the user leaves."""
        with self._screen.prompting():
            return await self._session.prompt_async(default=default, handle_sigint=False)

    async def ask(self, question: str, *, password: bool) -> str:
        """An answer to `input(question)` or `getpass`. EOFError for Ctrl-D, KeyboardInterrupt for Ctrl-C."""
        above, newline, last = question.rpartition("\n")
        self._screen.write(above + newline)
        begun = self._screen.half_line() + last
        sys.stdout.write("\r")  # the prompt draws the half written line again, and the question: who sees it
        # finds the terminal ready for the answer
        with self._screen.prompting():
            return await self._plain.prompt_async(ANSI(begun), is_password=password, handle_sigint=False)

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
            if session.app.is_running:
                session.app.exit(exception=EOFError)

    def redraw(self) -> None:
        """The number of the next cell may have changed."""
        self._session.app.invalidate()

    def _sessions(self) -> list[PromptSession[str]]:
        return [self._session, *([self._plain] if "_plain" in self.__dict__ else [])]

    @functools.cached_property
    def _plain(self) -> PromptSession[str]:
        return PromptSession(output=self._output, key_bindings=question_bindings(self._on_leave))

    def _message(self) -> StyleAndTextTuples:
        # The empty line belongs to the prompt, so that what others run comes above it.
        return [
            ("", "\n"),
            ("class:in", "In ["),
            ("class:in.number", str(self._count())),
            ("class:in", "]: "),
        ]

    def _load_lexer(self, _sender: object) -> None:
        if self._lexer is None:
            self._lexer = PygmentsLexer(lexer_class(), sync_from_start=True)


def _output() -> Output:
    """The terminal, which is not asked where its cursor is with each line that others print.

    Answers that come late (ssh) would scroll the screen away, or end as garbage in a program that reads.
    """
    output = get_app_session().output
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output


def _continuation(width: int, _line: int, _wraps: int) -> AnyFormattedText:
    return [("class:continuation", continuation(width))]
