"""What each door means, in a line: who can come in by it, and who can read along."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.access.doors import Door


def described(doors: Iterable[Door]) -> list[str]:
    """All but the session's own, by which only processes of the same user come in."""
    return [
        _over_tcp(door) if door.remote is not None else _of_file(door) for door in doors if _is_told(door)
    ]


def _is_told(door: Door) -> bool:
    return door.remote is not None or not door.ours


def _over_tcp(door: Door) -> str:
    assert door.remote is not None
    info, guests = door.info, door.remote.guests
    where = f"{info.url('shell')} (five ports, to {info.hb_port})"
    if guests.trouble is not None:
        return f"{where}: nobody can come in, as {guests.trouble.what}"
    count = guests.count
    who = f"{count} key{'s' * (count != 1)} may come in (holdfast keys ls)"
    return f"{where}, encrypted: {who}"


def _of_file(door: Door) -> str:
    if door.info.transport == "ipc":
        return f"{door.file}: unix sockets; only your own processes come in"
    if door.info.curve_secretkey:
        return f"{door.file}: TCP on this host, encrypted; who can read that file comes in"
    return (
        f"{door.file}: TCP on this host; every user of it can read what is put out (Jupyter's "
        "transport_encryption would keep that in), who can read that file can run code"
    )
