"""The files of keys on disk: a key pair, and which key each host had when it was first gone to."""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.holds.parts import home
from holdfast import paths, z85
from holdfast.errors import KeysError
from holdfast.keys import kept, known

HOST = "tcp://a:5555"
KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


def holds(data: bytes) -> None:
    a_pair(data)
    known_hosts(data.decode(errors="replace"))


def seeds() -> Iterator[bytes]:
    with home():
        kept.pair_or_new(kept.ID)
        yield (kept.folder() / kept.ID).read_bytes()
    yield f"# hosts\n{HOST} {z85.shown(KEY)}\n".encode()
    yield f"curve:{KEY}\n{KEY}\n".encode()


def a_pair(content: bytes) -> None:
    """A file is a pair that belongs together, or refused without telling what is in it."""
    with home():
        path = paths.private_folder(kept.folder()) / kept.ID
        path.write_bytes(content)
        path.chmod(0o600)
        try:
            pair = kept.pair(kept.ID)
        except KeysError as error:
            assert error.remedy
            assert len(error.what) < len(str(path)) + 100
            return
    assert pair is not None
    assert z85.is_key(pair.public)
    assert pair.secret not in repr(pair)


def known_hosts(text: str) -> None:
    """Whatever the file says: who has no line gets one, and is then known by that key and no other."""
    before = known.find(text, HOST)
    after = known.find(known.added(text, HOST, KEY), HOST)
    assert after is not None
    assert after == before or (before is None and after.key == KEY)
    assert before is None or z85.is_key(before.key)
