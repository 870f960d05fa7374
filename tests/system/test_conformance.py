"""jupyter_kernel_test's suite: what every Jupyter kernel must do, as others see it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import jupyter_kernel_test as suite
import pytest

from kit.deadline import Deadline
from kit.kernel import COMMAND, END_SECONDS, HOLDFAST, environment, scratch
from kit.processes import kill, left_over

SPEC = {
    "argv": [*COMMAND, "{connection_file}"],
    "display_name": "Under test",
    "language": "python",
    "kernel_protocol_version": "5.5",
}


@pytest.fixture(scope="module", autouse=True)
def _kernelspec() -> Iterator[None]:
    """Our kernel under the name `undertest`, found through JUPYTER_PATH; nothing of it is left behind."""
    mark = secrets.token_hex(8)
    with scratch() as folder, pytest.MonkeyPatch.context() as patch:
        spec = folder / "share" / "kernels" / "undertest" / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps(SPEC))
        for name, value in environment(folder, mark).items():
            patch.setenv(name, value)
        patch.setenv("JUPYTER_PATH", str(folder / "share"))
        try:
            yield
            assert left_over(mark, Deadline(END_SECONDS)) == {}
        finally:
            kill(mark)


class TestKernel(suite.KernelTests):
    """Samples for each part of the suite."""

    kernel_name = "undertest"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; sys.stderr.write('oh no')"
    completion_samples = [  # noqa: RUF012 - the suite's own shape
        {"text": "isinst", "matches": {"isinstance"}},
        {"text": "enumer", "matches": {"enumerate"}},
    ]
    complete_code_samples = ["2 + 2", "for i in range(3):\n    print(i)\n\n", "%timeit 1"]  # noqa: RUF012
    incomplete_code_samples = ["x = (1,", "'''open", "def double(x):\n    return 2 * x"]  # noqa: RUF012
    invalid_code_samples = ["1 = x = 2", "for = 7q"]  # noqa: RUF012
    code_page_something = "sorted?"
    code_generate_error = "1 / 0"
    code_execute_result = [  # noqa: RUF012
        {"code": "6 * 7", "result": "42"},
        {"code": "'hold' + 'fast'", "result": "'holdfast'"},
        {"code": "{n: n * n for n in range(3)}", "result": "{0: 0, 1: 1, 2: 4}"},
    ]
    code_display_data = [  # noqa: RUF012
        {"code": "from IPython.display import HTML, display; display(HTML('<i>x</i>'))", "mime": "text/html"},
        {"code": "from IPython.display import SVG, display; display(SVG('<svg/>'))", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "6 ?*7"
    # ipykernel calls its own session 0 in a range, which the suite's range check does not expect
    supported_history_operations = ("tail", "search", "range") if HOLDFAST else ("tail", "search")
    code_inspect_sample = "sorted"
    code_clear_output = "from IPython.display import clear_output; clear_output()"


class TestWelcome(suite.IopubWelcomeTests):
    """The first message that a subscriber gets."""

    kernel_name = "undertest"
    support_iopub_welcome = True
