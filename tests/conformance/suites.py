"""What of each suite is run, what is left out, and why. Only data lives here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Suite:
    """The part of a project's tests that asks something of a kernel."""

    paths: tuple[str, ...]
    """Files of its checkout, in the order in which they run."""
    left_out: dict[str, str] = field(default_factory=dict)
    """pytest's id of a test, or a beginning of it -> why it is not run."""
    wants_an_end: tuple[str, ...] = ()
    """Tests whose kernel must be gone after a crash: run apart, with `standby.on_crash = "exit"`."""
    options: tuple[str, ...] = ()
    """More options for pytest."""


SUITES = {
    "ipykernel": Suite(paths=("tests/test_kernel.py", "tests/test_message_spec.py")),
    "nbclient": Suite(
        paths=("tests",),
        wants_an_end=(
            "tests/test_client.py::TestExecute::test_kernel_death_during_execution",
        ),
    ),
    "papermill": Suite(paths=("papermill/tests/test_execute.py",)),
    "jupyter_client": Suite(paths=("tests/test_client.py",)),
}
