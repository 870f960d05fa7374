"""A worker is a fork: what programs do and ask because of that (os.register_at_fork, the main thread)."""

from __future__ import annotations

from pathlib import Path

from kit.kernel import only_holdfast
from kit.wire import Client

pytestmark = only_holdfast

DIE = "import ctypes; ctypes.string_at(0)"


def test_what_a_handler_of_the_fork_has_closed_is_not_called_lost(client: Client, folder: Path) -> None:
    (folder / "font").write_text("glyphs")
    client.do(f"""
import os
font = open({str(folder / "font")!r}, "rb")
os.register_at_fork(after_in_child=font.close)
""")
    assert "Not restored" not in client.run(DIE).notice
    assert client.value("font.closed")


def test_the_main_thread_is_the_main_thread_also_after_a_crash(client: Client) -> None:
    ask = "import threading; threading.main_thread().native_id == threading.get_native_id() == os.getpid()"
    client.do("import os")
    assert client.value(ask)
    client.run(DIE)
    assert client.value(ask)
