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
from holdfast.access import doorman, guests
from holdfast.access.connections import Address
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

_MOST_TTL_MS = 65_500
"""libzmq 4.3.5 counts it in 16 bits."""

_SHORT = 4_096
"""Bytes that a stranger may send to iopub or the heartbeat: a subscription, a beat."""


class Sockets:
    """Of the door that is opened from `file`."""

    def __init__(
        self,
        file: Path,
        asked: ConnectionInfo,
        context: zmq.Context[zmq.Socket[bytes]],
        limits: settings.Wire,
        listen: settings.Listen | None = None,
    ) -> None:
        """Open all five; `listen`: it is the door over TCP, where nobody is trusted before he is known.

        ConnectionFileError if one can't be, or may not be.
        """
        _check_policy(asked, file, remote=listen is not None)
        self._file = file
        self._context = context
        self._limits = limits
        self._listen = listen
        self._listeners: dict[Channel, socket.socket] = {}  # of TCP: kept, to see when somebody comes
        self.addresses: dict[Channel, Address] = {}
        """Where each listens."""
        self.by_channel: dict[Channel, zmq.Socket[bytes]] = {}
        self._files: dict[Path, int] = {}  # of unix sockets, and which inode each has
        try:
            ports: dict[str, int] = {}
            for channel in CHANNELS:
                ports[f"{channel}_port"] = self._bind(self._new(channel, asked), channel, asked)
        except ConnectionFileError:
            self.close()
            raise
        except (zmq.ZMQError, OSError) as error:  # a key of Curve's that is none, no descriptors
            self.close()
            raise ConnectionFileError(f"can't open the door of {file}: {error.strerror}") from error
        self.info = msgspec.structs.replace(asked, **ports)
        """As asked, with the ports that were chosen."""

    def mend(self) -> None:
        """Listen again where a socket's file is gone. ConnectionFileError if it can't be."""
        if self.info.transport == "ipc":
            for channel, opened in self.by_channel.items():
                if not (path := _path(self.info, channel)).exists():
                    self._listen_at(opened, path, channel)

    @property
    def listening(self) -> tuple[socket.socket, ...]:
        """At TCP ports: libzmq has second descriptors of them."""
        return tuple(self._listeners.values())

    def close(self) -> None:
        """Close them; unix sockets' files go with them."""
        for opened in self.by_channel.values():
            opened.close(linger=_LINGER_MS)
        for listener in self._listeners.values():
            listener.close()
        self.by_channel.clear()
        for path, inode in self._files.items():
            listening.put_away(path, inode)

    def _new(self, channel: Channel, asked: ConnectionInfo) -> zmq.Socket[bytes]:
        opened = self.by_channel[channel] = self._context.socket(_KINDS[channel])
        _configure(opened, channel, asked, self._limits)
        if self._listen is not None:
            _distrust(opened, channel, self._listen)
        return opened

    def _bind(self, opened: zmq.Socket[bytes], channel: Channel, asked: ConnectionInfo) -> int:
        """Have it listen; the port, or the number at the end of the path."""
        if asked.transport == "tcp":
            listener = _listen_on(channel, asked, self._file)
            self._listeners[channel] = listener
            self.addresses[channel] = listener.getsockname()
            _hand_over(opened, listener.dup(), asked.url(channel))
            return int(listener.getsockname()[1])
        number = asked.port(channel) or next(
            n for n in range(1, 65536) if not os.path.exists(f"{asked.ip}-{n}")
        )
        path = Path(f"{asked.ip}-{number}")
        self._listen_at(opened, path, channel)
        return number

    def _listen_at(self, opened: zmq.Socket[bytes], path: Path, channel: Channel) -> None:
        """Have it listen at a unix socket that is ours alone."""
        try:
            listener = listening.unix(path)
            self._files[path] = path.lstat().st_ino
            self.addresses[channel] = os.fspath(path)
            _hand_over(opened, listener, f"ipc://{path}")
        except RefusedPath as error:
            raise ConnectionFileError(
                f"can't open the {channel} channel of {self._file}: {error.what}", error.remedy
            ) from error
        except (zmq.ZMQError, OSError) as error:
            raise ConnectionFileError(
                f"can't open the {channel} channel of {self._file}: {error.strerror}"
            ) from error


def _configure(
    opened: zmq.Socket[bytes], channel: Channel, asked: ConnectionInfo, limits: settings.Wire
) -> None:
    opened.linger = _LINGER_MS
    opened.maxmsgsize = limits.max_bytes
    opened.rcvhwm = max(1, limits.arriving_messages)  # 0: no end
    opened.zap_enforce_domain = True  # else who asks while nobody answers is let in
    if asked.transport == "ipc":
        opened.zap_domain = doorman.LOCAL
    opened.ipv6 = ":" in asked.ip
    if channel == "iopub":
        opened.xpub_verboser = True  # every subscription and every end of one, not only a topic's first
        opened.sndhwm = 0  # what waits is counted in bytes (`laggards`)
    elif channel != "hb":
        opened.router_handover = True  # a client that reconnects keeps its identity (libzmq#2892)
        opened.sndhwm = 0
        opened.router_mandatory = True  # say so when nobody is there
    if asked.curve_publickey and asked.curve_secretkey:
        opened.curve_secretkey = asked.curve_secretkey.encode()
        opened.curve_publickey = asked.curve_publickey.encode()
        opened.curve_server = True


def _distrust(opened: zmq.Socket[bytes], channel: Channel, listen: settings.Listen) -> None:
    """For a door at which strangers can knock: what they may cost before it is known who they are."""
    opened.zap_domain = guests.REMOTE
    opened.maxmsgsize = _SHORT if channel in ("iopub", "hb") else listen.max_bytes
    opened.handshake_ivl = int(listen.handshake_seconds * 1000)
    beat = int(listen.alive_seconds * 1000)
    patience = listen.alive_count * beat
    opened.heartbeat_ivl, opened.heartbeat_timeout = beat, patience
    opened.heartbeat_ttl = min(patience, _MOST_TTL_MS)  # so long the other end waits for the next one
    opened.tcp_maxrt = patience  # no beat leaves while what was sent before it is not taken


def _check_policy(asked: ConnectionInfo, file: Path, *, remote: bool) -> None:
    """Whether an endpoint may be opened that a connection file asks for; of TCP `abroad` has decided."""
    if not asked.key:
        raise ConnectionFileError(f"{file} has an empty key: anybody could run code", "give it a key")
    if asked.transport == "ipc" and asked.ip.startswith("@"):
        raise ConnectionFileError(
            f"{file} asks for a socket without a file, which has no owner: {asked.ip}",
            'set "ip" to a path in a folder of your own',
        )
    if asked.transport == "tcp" and not remote:
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


def _listen_on(channel: Channel, asked: ConnectionInfo, file: Path) -> socket.socket:
    """Listen on a port, a free one if none is named."""
    address = "127.0.0.1" if asked.ip == "localhost" else asked.ip.strip("[]")
    try:
        return listening.tcp(address, asked.port(channel))
    except OSError as error:
        raise ConnectionFileError(
            f"can't open the {channel} channel of {file} at {asked.url(channel)}: {error.strerror}",
            "let its port be 0, so that a free one is chosen",
        ) from error


def _hand_over(opened: zmq.Socket[bytes], listener: socket.socket, url: str) -> None:
    """Let ZeroMQ accept who comes there, and close it in the end. `url` is for its books alone."""
    opened.setsockopt(zmq.USE_FD, listener.detach())
    opened.bind(url)
