"""Holdfast: an interactive Python in two processes, whose sessions survive.

What this module exports is what Holdfast promises; everything else may change between releases.
It must stay light: every process of ours imports it first.
"""

__version__ = "0.1.0"


def embed(*, name: str | None = None) -> None:
    """Stop here, and let clients into the calling program until one of them lets it go on.

    How to attach is said on standard error. Cells see the names of the place where `embed` was called:
    assigning changes its globals; a function's locals can be read, and are copies. While a cell runs, its
    output goes to its clients; otherwise the program's streams are its own, and its threads run on.

    The call returns after `exit` in a cell, `holdfast stop NAME` or a client's shutdown_request, and leaves
    the process as it was. Ctrl-C on the program's terminal ends it too, with KeyboardInterrupt. What ran is
    kept as the session `name` (default: "embed-<script>-<n>").

    The program is not copied as a session's worker is: a crash ends it, and the clients are told.
    HoldfastError if it can't be done here: in another thread than the main one, or inside asyncio.
    """
    import sys  # noqa: PLC0415 - every process of ours imports this module

    from holdfast.client import start  # noqa: PLC0415
    from holdfast.worker.embedding.embed import embed_at, program_name  # noqa: PLC0415

    embed_at(sys._getframe(1), lambda link: start.host(link, name, program_name()))
