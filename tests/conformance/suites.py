"""What of each suite is run, what is left out, and why. Only data lives here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Suite:
    """The part of a project's tests that asks something of a kernel."""

    paths: tuple[str, ...]
    """Files or folders of its checkout."""
    left_out: dict[str, str] = field(default_factory=dict)
    """pytest's id of a test, or a beginning of it -> why it is not run."""
    wants_an_end: tuple[str, ...] = ()
    """Tests whose kernel must be gone after a crash: run apart, with `standby.on_crash = "exit"`."""


SUITES = {
    "ipykernel": Suite(
        paths=("tests/test_kernel.py", "tests/test_message_spec.py", "tests/test_async.py"),
        left_out={
            "tests/test_kernel.py::test_print_to_correct_cell_from_thread[none]": "wants a thread's output "
            "in whichever cell runs; here it belongs to the cell that started the thread",
            "tests/test_kernel.py::test_print_to_correct_cell_from_thread[thread-local]": "the same, once "
            "the thread has given back the parent that it was given (up to there it passes)",
            "tests/test_kernel.py::test_parent_header_and_ident": "a cell asks for the latest request on the "
            "control channel; the supervisor answers those, and the worker does not hear of them (what the "
            "test asks of the shell channel passes)",
            "tests/test_message_spec.py::test_kernel_info_request": "wants the feature `kernel subshells`, "
            "which we leave out on purpose: frontends then run widget callbacks in threads, which corrupts "
            "plots. (It also wants IPython's version number where ours stands.)",
            "tests/test_message_spec.py::test_subshell": "subshells, as above",
            "tests/test_message_spec.py::test_non_execute_stop_on_error": "reads replies in the order of the "
            "requests; here kernel_info and comm_info are answered at once, while the cell sent before runs",
        },
    ),
    "nbclient": Suite(
        paths=("tests",),
        wants_an_end=(
            "tests/test_client.py::TestExecute::test_kernel_death_during_execution",
            "tests/test_client.py::TestExecute::test_error_notebook_hook",
        ),
    ),
    "papermill": Suite(
        paths=("papermill/tests/test_execute.py",),
        left_out={
            "papermill/tests/test_execute.py::TestBrokenNotebook2": "its notebook imports a name that "
            "IPython 9 no longer has (IPython.core.display.display); it fails with ipykernel just so",
        },
    ),
    "jupyter_client": Suite(
        paths=("tests/test_client.py",),
        left_out={
            "tests/test_client.py::TestAsyncKernelClient::test_execute_interactive": "runs the cell `hello`, "
            "which is no Python: it is meant for a toy kernel that echoes",
        },
    ),
}
"""By the name of the project."""
