"""Two hosts, each in a network of its own, with a wire between them: it is cut, and leads elsewhere later.

Needs root, for networks (ip-netns(8)). Slow: ssh takes its time to be sure that nobody answers any more.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kit.deadline import Deadline
from kit.processes import wait_for_end
from kit.sshd import Host, host, needs_sshd, numbers
from kit.terminal import CTRL_D, ENTER, Terminal

pytestmark = [
    needs_sshd,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.getuid() != 0 or shutil.which("ip") is None, reason="needs root, and iproute2"),
]

CUT_SECONDS = 30.0
"""More than ssh waits for an answer (`remote.alive_seconds`, `remote.alive_count`)."""

COUNTING = "import time\nfor i in range({}): print('n', i); time.sleep(0.1)"


@dataclass
class Wire:
    """Between network `here` and network `there`."""

    here: str
    there: str
    plug: str = "hf0"

    def lay(self) -> None:
        """Make it, with an address at each end."""
        ip("netns", "add", self.here)
        ip("netns", "add", self.there)
        ip("-n", self.here, "link", "add", self.plug, "type", "veth", "peer", self.plug, "netns", self.there)
        for network, address in ((self.here, "10.77.0.1/16"), (self.there, "10.77.0.2/16")):
            ip("-n", network, "addr", "add", address, "dev", self.plug)
            for each in ("lo", self.plug):
                ip("-n", network, "link", "set", each, "up")

    def cut(self) -> None:
        ip("-n", self.there, "link", "set", self.plug, "down")

    def mend(self) -> None:
        ip("-n", self.there, "link", "set", self.plug, "up")

    def roam(self) -> None:
        """Our end is another one from now on."""
        ip("-n", self.here, "addr", "del", "10.77.0.1/16", "dev", self.plug)
        ip("-n", self.here, "addr", "add", "10.77.8.8/16", "dev", self.plug)

    def remove(self) -> None:
        for network in (self.here, self.there):
            subprocess.run(["ip", "netns", "del", network], check=False, capture_output=True)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=20)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire(f"hfa{secrets.token_hex(3)}", f"hfb{secrets.token_hex(3)}")
    try:
        made.lay()
        yield made
    finally:
        made.remove()


@pytest.fixture
def far(wire: Wire) -> Iterator[Host]:
    inside = ["ip", "netns", "exec", wire.there]
    with host(name="far", address="10.77.0.2", port=22, inside=inside) as made:
        wrapper = made.folder / "bin" / "ssh"
        wrapper.write_text(wrapper.read_text().replace("exec ", f"exec ip netns exec {wire.here} ", 1))
        made.serve()
        made.there("new", "work", "-d")
        yield made


def typed(console: Terminal, code: str) -> None:
    console.paste(code)
    console.send(ENTER)


def pass_by(seconds: float) -> None:
    """Let time pass: by the end of a process, which does not come."""
    assert not wait_for_end(os.getpid(), Deadline(seconds))


def test_a_cut_of_half_a_minute_loses_nothing_and_shows_nothing_twice(far: Host, wire: Wire) -> None:
    with far.console() as console:
        typed(console, "rows = [1, 2, 3]")
        console.wait_for("In [2]:")
        typed(console, "from PIL import Image; Image.effect_noise((32, 32), 90)")
        console.wait_for("▀▀▀")
        console.wait_for_last_prompt()
        typed(console, "import os; os.abort()")
        console.wait_for("InterpreterDied")
        console.wait_for_last_prompt()
        typed(console, COUNTING.format(600))
        console.wait_for("n 20\n")
        wire.cut()
        pass_by(CUT_SECONDS)
        wire.mend()
        console.wait_for("the connection to far was gone", 90)
        console.wait_for("n 599", 90)
        console.wait_for_last_prompt()
        assert numbers(console) == list(range(600))
        assert "does not answer; what you run waits until it does" in console.all_text
        typed(console, "sum(rows)")
        console.wait_for(": 6")
        console.send(CTRL_D)
        assert console.wait_end() == 0
    assert len(re.findall(r"In \[\d+\]", far.there("log", "work"))) == 5


def test_another_address_is_no_other_console(far: Host, wire: Wire) -> None:
    with far.console() as console:
        typed(console, COUNTING.format(500))
        console.wait_for("n 20\n")
        wire.roam()
        console.wait_for("the connection to far was gone", 120)
        console.wait_for("n 499", 120)
        console.wait_for_last_prompt()
        assert numbers(console) == list(range(500))
        typed(console, "'la' + 'st'")
        console.wait_for("'last'")
