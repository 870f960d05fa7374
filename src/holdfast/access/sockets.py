"""The five ZeroMQ sockets of a door: whether they may be opened, how, and that nothing of them is left.

Source: kernels.rst of jupyter_client (connection files), zmq_setsockopt(3).
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Final

import msgspec
import zmq

from holdfast import listening, settings
from holdfast.access import porter
from holdfast.errors import ConnectionFileError, RefusedPath
from holdfast.protocol.connection import CHANNELS, Channel, ConnectionInfo

_KINDS: Final[dict[Channel, int]] = {
    "shell": zmq.ROUTER,
    "control": zmq.ROUTER,
    "stdin": zmq.ROUTER,
    "iopub": zmq.XPUB,
    "hb": zmq.ROUTER,
}
_LINGER_MS = 1_000
"""For the last replies to leave when a door is closed, as jupyter_client's sockets."""


class Sockets:
    """Of the door that is opened from `file`."""

    def __init__(
        self,
        file: Path,
        asked: ConnectionInfo,
        context: zmq.Context[zmq.Socket[bytes]],
        limits: settings.Wire,
    ) -> None:
        """Open all five. ConnectionFileError if one can't be, or may not be."""
        _check_policy(asked, file)
        self._file = file
        self.by_channel: dict[Channel, zmq.Socket[bytes]] = {}
        self._files: dict[Path, int] = {}  # of unix sockets, and which inode each has
        try:
            ports: dict[str, int] = {}
            for channel in CHANNELS:
                opened = self.by_channel[channel] = context.socket(_KINDS[channel])
                _configure(opened, channel, asked, limits)
                ports[f"{channel}_port"] = self._bind(opened, channel, asked)
        except ConnectionFileError:
            self.close()
            raise
        self.info = msgspec.structs.replace(asked, **ports)
        """As asked, with the ports that were chosen."""

    def mend(self) -> None:
        """Listen again where a socket's file is gone. ConnectionFileError if it can't be."""
        if self.info.transport == "ipc":
            for channel, opened in self.by_channel.items():
                if not (path := _path(self.info, channel)).exists():
                    self._files[path] = _listen_at(opened, path, channel, self._file)

    def close(self) -> None:
        """Close them; unix sockets' files go with them."""
        for opened in self.by_channel.values():
            opened.close(linger=_LINGER_MS)
        self.by_channel.clear()
        for path, inode in self._files.items():
            listening.put_away(path, inode)

    def _bind(self, opened: zmq.Socket[bytes], channel: Channel, asked: ConnectionInfo) -> int:
        """Have it listen; the port, or the number at the end of the path."""
        if asked.transport == "tcp":
            return _listen_on(opened, channel, asked, self._file)
        number = asked.port(channel) or next(
            n for n in range(1, 65536) if not os.path.exists(f"{asked.ip}-{n}")
        )
        path = Path(f"{asked.ip}-{number}")
        self._files[path] = _listen_at(opened, path, channel, self._file)
        return number


def _configure(
    opened: zmq.Socket[bytes], channel: Channel, asked: ConnectionInfo, limits: settings.Wire
) -> None:
    opened.linger = _LINGER_MS
    opened.maxmsgsize = limits.max_bytes
    opened.zap_enforce_domain = True  # else who asks while nobody answers is let in
    if asked.transport == "ipc":
        opened.zap_domain = porter.LOCAL
    opened.ipv6 = ":" in asked.ip
    if channel == "iopub":
        opened.xpub_verboser = True  # every subscription and every end of one, not only a topic's first
        opened.sndhwm = limits.subscriber_messages
    elif channel != "hb":
        opened.router_handover = True  # a client that reconnects keeps its identity (libzmq#2892)
        opened.sndhwm = limits.subscriber_messages
        opened.router_mandatory = True  # say so when nobody is there
    if asked.curve_publickey and asked.curve_secretkey:
        opened.curve_secretkey = asked.curve_secretkey.encode()
        opened.curve_publickey = asked.curve_publickey.encode()
        opened.curve_server = True


def _check_policy(asked: ConnectionInfo, file: Path) -> None:
    """The one place that decides whether an endpoint may be opened."""
    if not asked.key:
        raise ConnectionFileError(f"{file} has an empty key: anybody could run code", "give it a key")
    if asked.transport == "ipc" and asked.ip.startswith("@"):
        raise ConnectionFileError(
            f"{file} asks for a socket without a file, which has no owner: {asked.ip}",
            'set "ip" to a path in a folder of your own',
        )
    if asked.transport == "tcp":
        try:
            local = asked.ip == "localhost" or ipaddress.ip_address(asked.ip).is_loopback
        except ValueError:
            local = False
        if not local:
            raise ConnectionFileError(
                f"{file} asks for {asked.ip}: only loopback addresses are served so far",
                'set "ip": "127.0.0.1"',
            )


def _path(info: ConnectionInfo, channel: Channel) -> Path:
    return Path(f"{info.ip}-{info.port(channel)}")


def _listen_at(opened: zmq.Socket[bytes], path: Path, channel: Channel, file: Path) -> int:
    """Have it listen at a unix socket that is ours alone; the inode of that."""
    try:
        listener = listening.unix(path)
    except RefusedPath as error:
        raise ConnectionFileError(
            f"can't open the {channel} channel of {file}: {error.what}", error.remedy
        ) from error
    inode = path.lstat().st_ino
    _hand_over(opened, listener, f"ipc://{path}")
    return inode


def _listen_on(opened: zmq.Socket[bytes], channel: Channel, asked: ConnectionInfo, file: Path) -> int:
    """Have it listen on a port, a free one if none is named; which."""
    address = "127.0.0.1" if asked.ip == "localhost" else asked.ip.strip("[]")
    try:
        listener = listening.tcp(address, asked.port(channel))
    except OSError as error:
        raise ConnectionFileError(
            f"can't open the {channel} channel of {file} at {asked.url(channel)}: {error.strerror}",
            "let its port be 0, so that a free one is chosen",
        ) from error
    port = int(listener.getsockname()[1])
    _hand_over(opened, listener, asked.url(channel))
    return port


def _hand_over(opened: zmq.Socket[bytes], listener: socket.socket, url: str) -> None:
    """Let ZeroMQ accept who comes there, and close it in the end. `url` is for its books alone."""
    opened.setsockopt(zmq.USE_FD, listener.detach())
    opened.bind(url)
