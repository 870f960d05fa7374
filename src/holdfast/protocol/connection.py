"""Jupyter connection files: read, checked, written. The only module of the protocol that touches files.

Source: kernels.rst of jupyter_client, "Connection files"; Curve keys as in jupyter_client 8.9.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Any, Literal

import msgspec

from holdfast import files, z85
from holdfast.errors import ConnectionFileError, MalformedMessage
from holdfast.protocol import codec
from holdfast.protocol.signing import known_scheme

Channel = Literal["shell", "iopub", "stdin", "control", "hb"]
CHANNELS: tuple[Channel, ...] = ("shell", "iopub", "stdin", "control", "hb")

LAST_BASE = 65_531
"""The highest first port of five."""

FIRST_PORT = 5555
"""Of sessions that can be joined over TCP: as the first prototype of such a kernel had it (2010), and most
examples of ZeroMQ since."""

BLOCKS = 100
"""Of ports, one for each channel: so many such sessions a host may have."""

MAX_FILE = 256 * 1024
"""Bytes of a connection file. A real one has some 400."""

_MAX_PORT = 65_535


class ConnectionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Five endpoints, a key and its scheme. Port 0 means: the kernel chooses, and writes it back."""

    transport: Literal["tcp", "ipc"] = "tcp"
    ip: str = "127.0.0.1"
    shell_port: int = 0
    iopub_port: int = 0
    stdin_port: int = 0
    control_port: int = 0
    hb_port: int = 0
    key: str = ""
    signature_scheme: str = "hmac-sha256"
    kernel_name: str = ""
    curve_publickey: str | None = None
    curve_secretkey: str | None = None
    curve_serverkey: str | None = None
    """Ours, of a door over TCP as its clients see it: then the pair is the client's own."""
    jupyter_session: str | None = None

    def __repr__(self) -> str:
        # Keys don't belong in logs and tracebacks.
        return f"ConnectionInfo({self.transport}, {self.ip!r}, {[self.port(name) for name in CHANNELS]})"

    def port(self, channel: Channel) -> int:
        """The port of a channel; for ipc the number at the end of its path."""
        return getattr(self, f"{channel}_port")  # type: ignore[no-any-return]  # all five are int

    def url(self, channel: Channel) -> str:
        """The endpoint of a channel, as zmq_bind(3) and zmq_connect(3) take it."""
        if self.transport == "ipc":
            return f"ipc://{self.ip}-{self.port(channel)}"
        host = f"[{self.ip}]" if ":" in self.ip and not self.ip.startswith("[") else self.ip
        return f"tcp://{host}:{self.port(channel)}"


def bases() -> range:
    """The first ports of all blocks."""
    return range(FIRST_PORT, FIRST_PORT + BLOCKS * len(CHANNELS), len(CHANNELS))


def with_ports(info: ConnectionInfo, base: int) -> ConnectionInfo:
    """The same at a block of ports."""
    ports = {f"{channel}_port": base + number for number, channel in enumerate(CHANNELS)}
    return msgspec.structs.replace(info, **ports)


def new_key() -> str:
    """A new signing key: 256 bits, in hex."""
    return secrets.token_hex(32)


def new_ipc(prefix: Path) -> ConnectionInfo:
    """A connection by unix sockets `prefix-1` to `prefix-5`, with a new key."""
    ports = {f"{channel}_port": number for number, channel in enumerate(CHANNELS, 1)}
    return ConnectionInfo(transport="ipc", ip=str(prefix), key=new_key(), **ports)  # type: ignore[arg-type]


def read(path: Path) -> ConnectionInfo:
    """The connection in the file `path`; ConnectionFileError says what is wrong with it, and what to do."""
    remedy = f"mend or remove {path}"
    try:
        info = codec.decode(_content(path), ConnectionInfo, f"connection file {path}")
    except MalformedMessage as error:
        raise ConnectionFileError(error.what, remedy) from error
    for wrong, complaint in _complaints(info):
        if wrong:
            raise ConnectionFileError(f"connection file {path}: {complaint}", remedy)
    return info


def write(path: Path, info: ConnectionInfo) -> None:
    """Write `info` to the file `path`: whole or not at all (rename(2)), mode 0600.

    Keys of a file that is there already and that are not ours are kept. ConnectionFileError if it can't be.
    """
    try:
        kept = codec.decode(_content(path), dict[str, Any], "connection file")
    except (ConnectionFileError, MalformedMessage):
        kept = {}  # none there, or none that anybody could use
    ours = {name: value for name, value in msgspec.structs.asdict(info).items() if value is not None}
    try:
        files.replace(path, codec.encode(kept | ours))
    except (OSError, ValueError) as error:  # ValueError: a path with a null in it, from a peer's request
        raise ConnectionFileError(
            f"can't write the connection file {path}: {_reason(error)}", f"check the folder {path.parent}"
        ) from error


def _content(path: Path) -> bytes:
    """The bytes of a connection file; ConnectionFileError if there is none that can be read."""
    try:
        # Not blocking: a pipe under that name would wait for its writer.
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConnectionFileError(f"{path} is not a file", "give the path of a connection file")
            content = file.read(MAX_FILE + 1)
    except FileNotFoundError as error:
        raise ConnectionFileError(f"there is no connection file {path}", "check the path") from error
    except (OSError, ValueError) as error:
        raise ConnectionFileError(
            f"can't read the connection file {path}: {_reason(error)}", "check its path, owner and mode"
        ) from error
    if len(content) > MAX_FILE:
        raise ConnectionFileError(f"{path} is too long for a connection file", "check the path")
    return content


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _complaints(info: ConnectionInfo) -> list[tuple[bool, str]]:
    """What may be wrong with a connection whose types are right: (is it so, how to say it)."""
    keys = (info.curve_publickey, info.curve_secretkey, info.curve_serverkey)
    return [
        (not info.ip or not info.ip.isprintable(), "ip is not an address or a path"),
        *(
            (not 0 <= info.port(channel) <= _MAX_PORT, f"{channel}_port is not a port: {info.port(channel)}")
            for channel in CHANNELS
        ),
        (not info.key, "it has no key, so anybody could run code"),
        (not known_scheme(info.signature_scheme), f"signature_scheme {info.signature_scheme!r} is not known"),
        ((keys[0] is None) != (keys[1] is None), "it has one Curve key of two"),
        (any(key is not None and not z85.is_key(key) for key in keys), "a Curve key is not in Z85"),
    ]
