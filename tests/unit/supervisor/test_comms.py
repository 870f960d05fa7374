"""Which comms are open, by the messages that went by; a cell or a client may send any."""

from __future__ import annotations

import pytest

from holdfast.supervisor.cells.comms import Comms

NONSENSE = {
    "no string": b'{"comm_id":5}',
    "no object": b"[]",
    "no JSON": b"{",
    "no UTF-8": b'{"comm_id":"\xff"}',
    "too deep": b'{"comm_id":"b","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.parametrize("msg_type", ["comm_open", "comm_close"])
def test_nonsense_about_comms_opens_none_and_closes_none(msg_type: str, content: bytes) -> None:
    comms = Comms()
    comms.note("comm_open", b'{"comm_id":"a","target_name":"t"}')
    comms.note(msg_type, content)
    assert comms.described(None) == {"a": {"target_name": "t"}}
    comms.note("comm_close", b'{"comm_id":"a"}')
    assert comms.ids() == []
