"""Connection files, which anybody's program may have written."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fuzz.holds.parts import home
from holdfast.errors import ConnectionFileError
from holdfast.protocol import connection
from holdfast.protocol.connection import CHANNELS, ConnectionInfo
from holdfast.protocol.signing import Signer

GOOD = {
    "transport": "tcp",
    "ip": "127.0.0.1",
    **{f"{channel}_port": number for number, channel in enumerate(CHANNELS, 1)},
    "key": "secret",
    "signature_scheme": "hmac-sha256",
}
CURVE = {"curve_publickey": "a" * 40, "curve_secretkey": "b" * 40}


def holds(data: bytes) -> None:
    a_file(data)


def seeds() -> Iterator[bytes]:
    yield json.dumps(GOOD).encode()
    yield json.dumps(
        {**GOOD, **CURVE, "kernel_name": "python3", "jupyter_session": "a.ipynb"}, indent=1
    ).encode()
    yield json.dumps({**GOOD, "transport": "ipc", "ip": "/run/x/door"}).encode()
    yield json.dumps({**GOOD, "ip": "::1", "signature_scheme": "hmac-blake2s"}).encode()


def a_file(content: bytes) -> None:
    """It is a usable connection, which can be written and read again, or refused with a remedy."""
    with home() as folder:
        path = folder / "kernel-1.json"
        path.write_bytes(content)
        try:
            info = connection.read(path)
        except ConnectionFileError as error:
            assert error.remedy
            assert str(path) in error.what
            return
        connection.write(path, info)
        assert connection.read(path) == info
        before, after = json.loads(content), json.loads(path.read_bytes())
        assert all(after[name] == value for name, value in before.items() if value is not None)
    assert info.key
    assert len(info.key) < 16 or info.key in info.ip or info.key not in repr(info)
    Signer(info.key.encode(), info.signature_scheme)
    assert all(info.url(channel).isprintable() for channel in CHANNELS)
    assert isinstance(info, ConnectionInfo)
