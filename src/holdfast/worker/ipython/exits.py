"""What `exit` means in a cell: the client that ran it leaves; with a status the cell ends too, as python."""

from __future__ import annotations

import warnings

from IPython.core.autocall import ZMQExitAutocall


class Exit(ZMQExitAutocall):
    """`exit` and `quit`."""

    def __call__(self, keep_kernel: object = False) -> None:
        """`exit()`, `exit(keep_kernel=True)` as ipykernel has them; `exit(4)`, `exit('why')` as python."""
        if keep_kernel is None or isinstance(keep_kernel, bool):
            super().__call__(keep_kernel=bool(keep_kernel))
            return
        super().__call__()
        # IPython's advice for `sys.exit`, which does not leave a shell: this here does.
        warnings.filterwarnings("ignore", message="To exit: use 'exit'", category=UserWarning)
        raise SystemExit(keep_kernel)
