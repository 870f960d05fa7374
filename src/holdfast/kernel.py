"""`python -m holdfast.kernel -f FILE`: how Jupyter starts a session. See `jupyter/launcher.py`.

Nothing lives here but the command's first step: `python -m` puts the current folder in front of everything,
so a notebook beside the user's own `json.py` would break us before its first cell. User code gets that folder
back in the worker. (`-P` in our kernelspec closes the moment before this line too.)
"""

import os
import sys


def _leave_the_users_folder() -> None:
    try:
        here = os.getcwd()
    except FileNotFoundError:
        here = ""
    if sys.path and not sys.flags.safe_path and sys.path[0] in ("", here):
        del sys.path[0]


if __name__ == "__main__":
    _leave_the_users_folder()
    from holdfast.jupyter.launcher import main

    sys.exit(main(sys.argv[1:]))
