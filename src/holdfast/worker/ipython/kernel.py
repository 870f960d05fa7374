"""`get_ipython().kernel`: what libraries ask of ipykernel's kernel object, answered by the worker's parts.

It takes no messages off any socket and runs nothing: requests come to the desk. What is missing here raises
AttributeError, which libraries that try names take for an older or newer ipykernel.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from IPython.core import release
from traitlets import Any as AnyTrait
from traitlets.config import SingletonConfigurable

from holdfast.worker.ipython.display import Publisher
from holdfast.worker.ipython.facade import KernelLoop, KernelSession, PubSocket, PubThread

HELP_LINKS = [
    {"text": "Python Reference", "url": f"https://docs.python.org/{platform.python_version()[:4]}"},
    {"text": "IPython Reference", "url": "https://ipython.readthedocs.io/en/stable/"},
]


class Kernel(SingletonConfigurable):
    """ipykernel's base class, as far as code that runs inside a kernel knows it."""

    implementation = "ipython"
    implementation_version = release.version
    banner = ""
    language_info: ClassVar[Mapping[str, Any]] = {}
    help_links: ClassVar[Sequence[Mapping[str, str]]] = HELP_LINKS

    session: Any = AnyTrait()
    iopub_socket: Any = AnyTrait()
    iopub_thread: Any = AnyTrait()
    stdin_socket: Any = AnyTrait()
    shell_stream: Any = AnyTrait()
    control_stream: Any = AnyTrait()
    control_thread: Any = AnyTrait()
    shell_channel_thread: Any = AnyTrait()
    debugger: Any = AnyTrait()
    profile_dir: Any = AnyTrait()
    eventloop: Any = AnyTrait()
    io_loop: Any = AnyTrait()
    comm_manager: Any = AnyTrait()
    parents: Any = AnyTrait()
    ident: Any = AnyTrait()
    shell: Any = AnyTrait()

    def __init__(self, **parts: Any) -> None:
        parts.setdefault("ident", str(uuid.uuid4()))
        super().__init__(**parts)
        self.log = logging.getLogger("holdfast.kernel")
        self.shell_handlers: dict[str, Any] = {}
        self.control_handlers: dict[str, Any] = {}

    def get_parent(self, channel: str | None = None) -> dict[str, Any]:  # noqa: ARG002 - ipykernel's
        """The request that runs: header, metadata and content."""
        parent: dict[str, Any] = self.parents.message() if self.parents is not None else {}
        return parent

    def set_parent(self, ident: object, parent: Mapping[str, Any], channel: str = "shell") -> None:  # noqa: ARG002
        """Output belongs to `parent` from now on."""
        if self.shell is not None:
            self.shell.set_parent(parent)

    @property
    def _parent_header(self) -> dict[str, Any]:
        """The request that runs: an older name of `get_parent`."""
        return self.get_parent()

    @property
    def _parent_ident(self) -> dict[str, list[bytes]]:
        """ZeroMQ identity of the client whose request runs: clients take their session's id for it."""
        session = self.get_parent().get("header", {}).get("session", "")
        ident = [session.encode()] if session else []
        return {"shell": ident, "control": ident}

    @property
    def execution_count(self) -> int:
        """Number of the cell that runs, or of the next one."""
        return int(self.shell.execution_count) if self.shell is not None else 0

    @execution_count.setter
    def execution_count(self, value: int) -> None:
        """Do nothing: cells are numbered by the supervisor."""

    @property
    def kernel_info(self) -> dict[str, Any]:
        """What `kernel_info_reply` says of the language."""
        return {
            "implementation": self.implementation,
            "implementation_version": self.implementation_version,
            "language_info": dict(self.language_info),
            "banner": self.banner,
            "help_links": list(self.help_links),
        }

    def send_response(
        self,
        stream: object,
        msg_or_type: Any,
        content: Mapping[str, Any] | None = None,
        ident: object = None,
        buffers: Sequence[Any] | None = None,
        track: bool = False,
        header: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        channel: str | None = None,
    ) -> Any:
        """Publish a message as output of the request that runs."""
        parent = self.get_parent(channel)
        return self.session.send(
            stream, msg_or_type, content, parent, ident, buffers, track, header, metadata
        )

    def do_one_iteration(self) -> asyncio.Future[None]:
        """Do nothing that could be done now: requests are served between cells. May be awaited."""
        done: asyncio.Future[None] = self.io_loop.asyncio_loop.create_future()
        done.set_result(None)
        return done

    def _topic(self, topic: str) -> bytes:
        return f"kernel.{self.ident}.{topic}".encode()


class IPythonKernel(Kernel):
    """The kernel of a worker, whose shell is IPython's."""

    language_info: ClassVar[Mapping[str, Any]] = {
        "name": "python",
        "version": platform.python_version(),
        "mimetype": "text/x-python",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "pygments_lexer": "ipython3",
        "nbconvert_exporter": "python",
        "file_extension": ".py",
    }

    @property
    def banner(self) -> str:  # type: ignore[override]
        """What a console shows first."""
        return str(self.shell.banner) if self.shell is not None else ""

    @property
    def user_ns(self) -> dict[str, Any] | None:
        """The namespace of cells."""
        return self.shell.user_ns if self.shell is not None else None

    @property
    def user_module(self) -> Any:
        """The module of cells, `__main__`."""
        return self.shell.user_module if self.shell is not None else None


def parts(
    publisher: Publisher,
    connection: Callable[[], Mapping[str, Any]],
    manager: object,
    loop: asyncio.AbstractEventLoop,
) -> dict[str, Any]:
    """What a kernel is made of in this process."""
    socket = PubSocket(publisher)
    return {
        "session": KernelSession(publisher, connection),
        "iopub_socket": socket,
        "iopub_thread": PubThread(socket),
        "io_loop": KernelLoop(loop),
        "comm_manager": manager,
        "parents": publisher.parents,
    }
