"""Two hosts, each in a network of its own, and a wire between them: cut, mended, leading elsewhere.

Two consoles are on one session over there: `by_key` has come over TCP, `by_ssh` over ssh. Whatever happens to
the wire happens to both; what one of them runs the other one sees: nothing is lost, nothing comes twice.

Needs root, for networks, and an sshd. Here a cut is noticed within seconds. With the settings that users
have, half a minute and minutes long, it is played by

    make test ARGS="-m slow tests/system/test_two_hosts.py"
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from kit.deadline import Deadline
from kit.network import HERE, THERE, Wire, needs_networks, wire
from kit.processes import marked
from kit.session import HOLDFAST
from kit.sshd import Host, host, needs_sshd, numbers
from kit.terminal import CTRL_C, ENTER, Terminal

pytestmark = [needs_sshd, needs_networks, pytest.mark.timeout(120)]

QUICK = """
[listen]
alive_seconds = 0.7
[remote]
connect_seconds = 1
alive_seconds = 1
alive_count = 2
retry_seconds = 0.5
"""
"""Settings of both hosts: a cut is noticed after two seconds, and not after fifteen, as by default."""

BACK_SECONDS = 60.0
"""To be connected again, at a machine that is out of breath."""

GHOST_SECONDS = 20.0
"""For one that has vanished to be gone: three, by the settings above, and to ask takes its time."""

COUNTING = """
import itertools, os, time
for number in itertools.count():
    if os.path.exists({stop!r}): break
    print('{word}', number)
    time.sleep({pause})
print('{word} end')
"""

KEY_URL = f"tcp://{THERE}/work"


class Hosts:
    """Both, and the wire between them."""

    def __init__(self, far: Host, between: Wire) -> None:
        self.far = far
        self.wire = between
        self.key_line = far.run("keys").stdout.strip()
        self.let_in()

    def let_in(self, options: str = "role=run") -> None:
        """Whoever is here may come in by key, and nobody else."""
        if "root" in self.far.there("keys", "ls"):
            self.far.there("keys", "remove", self.key_line.split()[1])
        self.far.there("keys", "authorize", f"{self.key_line} {options}")

    def by_key(self, *arguments: str) -> Terminal:
        """A console that comes over TCP."""
        return self.far.terminal("attach", KEY_URL, *arguments)

    def over_there(self, *arguments: str) -> Terminal:
        """A console on that host itself."""
        words = [*self.far.inside, *HOLDFAST, "attach", "work", *arguments]
        return Terminal(words, self.far.env_there, columns=120)

    @contextmanager
    def consoles(self) -> Iterator[tuple[Terminal, Terminal]]:
        """One that has come by key, and one by ssh."""
        with self.by_key() as by_key, self.far.console() as by_ssh:
            by_key.wait_for_last_prompt()
            yield by_key, by_ssh

    @property
    def company(self) -> list[str]:
        """Who is attached, as the session sees it."""
        return [each["kind"] for each in self.told["company"]]

    @property
    def told(self) -> dict[str, Any]:
        """What the session says of itself."""
        told: dict[str, Any] = json.loads(self.far.there("info", "work", "--json"))
        return told

    @property
    def ours(self) -> dict[int, str]:
        """The processes of the session: supervisor, workers, and who watches over them."""
        return {pid: each for pid, each in marked(self.far.mark).items() if _SESSION.search(each)}


_SESSION = re.compile(r"-m holdfast\.(supervisor|worker|client\.watchman)")


@contextmanager
def two_hosts(settings: str) -> Iterator[Hosts]:
    """With a session over there that can be joined both ways, and has been already."""
    with ExitStack() as stack:
        between = stack.enter_context(wire())
        inside, outside = between.inside(between.there), between.inside(between.here)
        far = stack.enter_context(host(name="far", address=THERE, port=22, inside=inside, outside=outside))
        for side in ("a", "b"):
            (far.folder / side / "config").mkdir(mode=0o700, exist_ok=True)
            (far.folder / side / "config" / "settings.toml").write_text(settings)
        hosts = Hosts(far, between)
        far.serve()
        far.there("new", "work", "-d", "--listen", f"tcp://{THERE}")
        with hosts.by_key("--host-key", far.there("keys", "host").strip()) as first:
            first.wait_for_last_prompt()
        yield hosts


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with two_hosts(QUICK) as made:
        yield made


def typed(console: Terminal, code: str) -> None:
    console.paste(code)
    console.send(ENTER)


def shown(text: str, *consoles: Terminal, seconds: float = BACK_SECONDS) -> None:
    """Wait until all of them show it."""
    for console in consoles:
        console.wait_for(text, seconds)


def test_a_plot_a_crash_and_a_killed_supervisor_are_what_they_are_at_home(hosts: Hosts) -> None:
    with hosts.consoles() as (by_key, by_ssh):
        typed(by_key, "rows = [1, 2, 3]")
        by_key.wait_for("In [2]:")
        typed(by_key, "%matplotlib inline\nimport matplotlib.pyplot as plt; plt.plot([1, 3, 2]);")
        shown("▀▀▀", by_key, by_ssh)
        typed(by_key, "import ctypes; ctypes.string_at(0)")
        shown("InterpreterDied", by_key, by_ssh)
        (killed,) = [pid for pid, each in hosts.ours.items() if "holdfast.supervisor" in each]
        os.kill(killed, signal.SIGKILL)  # nobody over there looks after it
        shown("nothing was lost", by_key, by_ssh)
        typed(by_ssh, "'to', sum(rows)")
        shown("('to', 6)", by_key, by_ssh)


@contextmanager
def counted(
    hosts: Hosts, word: str, runs: Terminal, consoles: tuple[Terminal, ...], pause: float = 0.1
) -> Iterator[None]:
    """Meanwhile a cell counts in one of the consoles. All of them must have shown each number, and once."""
    stop = hosts.far.folder / f"stop-{word}"
    typed(runs, COUNTING.format(stop=str(stop), word=word, pause=pause))
    often(f"{word} 9 {word} 10", 1, consoles)  # also above the screen: they are looked at one after another
    yield
    stop.touch()
    shown(f"{word} end\n", *consoles)
    for each in consoles:
        found = numbers(each, word)
        assert found == list(range(len(found))), each.all_text
    assert len({len(numbers(each, word)) for each in consoles}) == 1


def often(text: str, times: int, consoles: tuple[Terminal, ...]) -> None:
    """Wait until all of them have shown it so often."""
    for each in consoles:
        each.wait_until(lambda: " ".join(each.all_text.split()).count(text) >= times, text, BACK_SECONDS)  # noqa: B023


def test_what_is_cut_loses_nothing_and_shows_nothing_twice(hosts: Hosts) -> None:
    with hosts.consoles() as consoles:
        with counted(hosts, "cut", consoles[1], consoles):
            for times, cut in enumerate((hosts.wire.cut, hosts.wire.silent), 1):
                with cut():
                    if times == 1:  # before anybody knows that it won't arrive
                        typed(consoles[0], "'la' + 'st'")
                    often("it is tried again until you leave", times, consoles[1:])
                    deadline = Deadline(BACK_SECONDS)
                    while hosts.wire.connections:  # the one that has come by key has to notice it, too
                        assert not deadline.passed
                often(" was gone for", times, consoles)
        shown(": 'last'", *consoles)
        for each in consoles:
            assert each.all_text.count(": 'last'") == 1
    assert hosts.far.there("log", "work").count("'la' + 'st'") == 1


def test_a_router_that_forgets_and_another_address_cost_nothing(hosts: Hosts) -> None:
    with hosts.consoles() as consoles, counted(hosts, "moved", consoles[1], consoles):
        with hosts.wire.forgotten() as connections:
            assert connections > len(consoles)
            often(" was gone for", 1, consoles)
        with hosts.wire.moved():
            often(" was gone for", 2, consoles)


def test_whose_key_may_not_come_from_there_is_told_so(hosts: Hosts) -> None:
    hosts.let_in(f"role=run from={HERE}")
    with hosts.by_key() as console:
        typed(console, "import time; time.sleep(1.5); 'by' + ' now'")
        shown("'by now'", console)  # a heartbeat has come
        with hosts.wire.moved():
            shown(f"{THERE} does not let your key in (not known, expired, not from here)", console)
            assert console.wait_end() == 1
    hosts.let_in()


def test_who_vanishes_in_the_middle_of_a_flood_is_soon_attached_no_more(hosts: Hosts) -> None:
    with hosts.by_key() as console:
        console.wait_for_last_prompt()
        typed(console, "while True: print('-' * 50)")
        shown("-" * 50 + "\n" + "-" * 50, console)
        with hosts.wire.silent():
            os.kill(console.pid, signal.SIGKILL)
            deadline = Deadline(GHOST_SECONDS)
            while "console" in hosts.company:
                assert not deadline.passed
    hosts.far.there("interrupt", "work")
    deadline = Deadline(BACK_SECONDS)
    while hosts.told["state"] != "idle":
        assert not deadline.passed


def test_what_was_kept_is_back_after_all_over_there_was_killed(hosts: Hosts) -> None:
    with hosts.consoles() as (by_key, by_ssh):
        typed(by_key, "kept = 6 * 7; f'i{kept}'")
        shown("'i42'", by_key, by_ssh)
        (count,) = re.findall(r"Out\[(\d+)\]: 'i42'", by_key.text)
        deadline = Deadline(BACK_SECONDS)
        while f"on disk: In[{count}]" not in hosts.far.there("info", "work"):
            assert not deadline.passed
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in hosts.ours:
                with suppress(ProcessLookupError):  # a copy that has done its work
                    os.kill(pid, number)
        shown("the session ssh://far/work does not answer any more", by_ssh)
        assert by_ssh.wait_end() == 1
        shown(f"no session can be joined at {THERE}: nobody listens at port 5555", by_key)
        typed(by_key, "never = 'wanted'")
        by_key.send(CTRL_C)
        shown("taken back; it has not run", by_key)
        by_key.send(CTRL_C)
        with hosts.over_there("--listen", f"tcp://{THERE}") as there:
            shown("Back from disk", there, by_key)
            with hosts.far.console() as again:
                for number, each in enumerate((by_key, again)):
                    typed(each, f"'back', {number}, kept")
                    shown(f"('back', {number}, 42)", there, by_key, again)
        assert "never" not in hosts.far.there("log", "work")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [30, 150])
@pytest.mark.parametrize("silent", [False, True], ids=["cut", "silent"])
def test_a_long_cut_loses_nothing_with_the_settings_that_users_have(silent: bool, seconds: int) -> None:
    with two_hosts("") as hosts, hosts.consoles() as consoles, hosts.over_there() as there:
        there.wait_for_last_prompt()
        with counted(hosts, "long", consoles[0], (*consoles, there), 1.0):
            with hosts.wire.silent() if silent else hosts.wire.cut():
                shown("does not answer; what you run waits until it does", *consoles)
                shown(f"long {seconds}\n", there, seconds=2 * seconds)
            often(" was gone for", 1, consoles)
        typed(consoles[1], "'la' + 'st'")
        shown("'last'", *consoles)
