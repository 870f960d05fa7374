"""Keys as they are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85 as theirs

from holdfast import z85


@given(st.binary(min_size=32, max_size=32))
def test_keys_are_written_as_libzmq_writes_them(raw: bytes) -> None:
    assert z85.encoded(raw) == theirs.encode(raw).decode()
    assert z85.is_key(z85.encoded(raw))
    assert z85.read(z85.shown(z85.encoded(raw))) == z85.encoded(raw)
