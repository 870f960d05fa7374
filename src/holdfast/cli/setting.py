"""`--set NAME=VALUE`: a setting for what this command starts. Before the command, or among its options."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from holdfast.cli.usage import UsageError, complain, tell
from holdfast.client import start

if TYPE_CHECKING:
    from holdfast.settings import Settings

FLAG = "--set"


def add_to(parser: ArgumentParser) -> None:
    """Let a command take it, that starts a session or opens a console."""
    parser.add_argument(
        FLAG, action=_Given, metavar="NAME=VALUE", help="a setting for this once (holdfast config lists them)"
    )


def named(word: str) -> str:
    """An argument that names a setting, or a group of them: what completion offers for it."""
    return word


def taken_from(arguments: list[str]) -> list[str]:
    """What is left of a command line once those at its beginning are taken."""
    rest = arguments
    while rest and rest[0].partition("=")[0] == FLAG:
        first, *rest = rest
        _, equals, value = first.partition("=")
        if not equals:
            if not rest:
                raise UsageError(f"{FLAG} was given no setting", f"holdfast {FLAG} standby.keep=3")
            value, *rest = rest
        _take(value)
    return rest


def told() -> Settings:
    """Those that count here. What is wrong in them is said, and costs nothing: there is what is right."""
    from holdfast.config import layers  # noqa: PLC0415 - 30 ms

    here = layers.look(None, start.given)
    for problem in here.problems:
        complain(problem)
    return here.tree()


def comes_late(name: str) -> None:
    """Say so if one was given for a session that runs already."""
    late = [each for each in start.given if not each.startswith("console.")]
    if late:
        tell(f"{name} runs already, with its own settings; at its next start: {', '.join(late)}")


class _Given(Action):
    """Subclassing is argparse's way to act on an option where it stands."""

    def __call__(
        self, _parser: ArgumentParser, _namespace: Namespace, values: Any, _option: str | None = None
    ) -> None:
        _take(values)


def _take(setting: str) -> None:
    """Remember it for every supervisor that is started; UsageError if there is no such setting or value."""
    checked(setting)
    start.given.append(setting)


def checked(setting: str) -> str:
    """`setting`, if it can be one; UsageError if not."""
    from holdfast.config import variables  # noqa: PLC0415 - 30 ms, which a command line without it saves
    from holdfast.errors import SettingsError  # noqa: PLC0415

    for wrong in variables.in_flags([setting]):
        if isinstance(wrong, SettingsError):
            raise UsageError(wrong.what, wrong.remedy)
    return setting
