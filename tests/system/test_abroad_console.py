"""A console on a session of another host: what one is told on the way in, and when one is out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from kit.abroad import NAME, Host, host, new_keys
from kit.kernel import CHANNELS, environment, scratch
from kit.listeners import listeners
from kit.session import HOLDFAST
from kit.shell import Shell
from kit.terminal import Terminal


@pytest.fixture
def there() -> Iterator[Host]:
    with host() as made:
        yield made


class Visitor:
    """Somebody on another machine: a Holdfast folder of his own."""

    def __init__(self, there: Host, home: str) -> None:
        self.there = there
        self.address = f"tcp://127.0.0.1:{there.base}/{NAME}"
        self.env = environment(there.shell.home, there.shell.mark) | {"HOLDFAST_HOME": home, "HOME": home}

    def key(self) -> str:
        done = subprocess.run([*HOLDFAST, "keys"], env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.split()[0]

    def attach(self, *arguments: str) -> Terminal:
        return Terminal([*HOLDFAST, "attach", self.address, *arguments], self.env, columns=200)

    def told(self, *arguments: str) -> str:
        """What is said instead of a prompt."""
        with self.attach(*arguments) as terminal:
            assert terminal.wait_end() == 1
            return " ".join(terminal.text.split())


@pytest.fixture
def visitor(there: Host) -> Iterator[Visitor]:
    with scratch() as home:
        yield Visitor(there, str(home))


def test_a_visit_from_the_first_refusal_to_the_last_word(there: Host, visitor: Visitor) -> None:
    unknown = visitor.told()
    assert "the key of 127.0.0.1 is not known here yet" in unknown
    host_key = f"curve:{there.key}"
    refused = visitor.told("--host-key", host_key)
    assert "127.0.0.1 does not let your key in" in refused
    assert "send the line of `holdfast keys`" in refused
    there.lines.append(f"{visitor.key()} mia role=run")
    there.write()

    with visitor.attach("--host-key", host_key) as console:  # from now on it is known
        console.wait_for_last_prompt()
        console.send("x = 6 * 7; x\r")
        console.wait_until(lambda: "Out[1]: 42" in console.text, "the result")
        assert "# mia," in there.shell.good("log", NAME)

        console.send(r"print('\x1b]0;evil\x07\x1b[?1049h\x1b[6nonly ' + 'seen')" + "\r")
        console.wait_for("\nonly seen")
        console.send("def f():\n'\\x1b]0;evil\\x07' 'doc' 'ument'\r\r\rf?\r")
        console.wait_for("document")
        console.send(r"ev = ['\x1b]0;evil\x07']; input('\x01\x1b]0;evil\x07\x02na' 'me? ')" + "\r")
        console.wait_for_last("name?")
        console.send("mia\r")
        console.wait_for(": 'mia'")
        assert b"\x1b]" not in console.raw
        assert b"\x1b[?1049h" not in console.raw

        os.kill(there.supervisor(), signal.SIGKILL)  # nobody over there looks after it
        console.wait_until(lambda: "nothing was lost" in console.text, "the way back")
        console.send("x + 1\r")
        console.wait_until(lambda: "Out[6]: 43" in console.text, "the next result")

        there.remove("mia")
        console.wait_until(lambda: "does not let your key in" in console.text, "the end of it")
        assert "does not answer any more" in console.text


def test_a_host_that_shows_another_key_is_refused_loudly(there: Host, visitor: Visitor) -> None:
    wrong = visitor.told("--host-key", f"curve:{new_keys().public}")
    assert "127.0.0.1 does not have that key" in wrong  # which is not pinned then
    refused = visitor.told("--host-key", f"curve:{there.key}")
    assert "does not let your key in" in refused  # which anybody may say: it is not pinned by that either
    there.lines.append(f"{visitor.key()} mia role=run")
    there.write()
    with visitor.attach("--host-key", f"curve:{there.key}") as console:
        console.wait_for_last_prompt()
    host_keys = there.shell.home / "config" / "keys" / "host"
    host_keys.unlink()
    there.shell.good("stop", NAME)
    there.shell.good("rm", "-y", NAME)
    there.start()  # as another host does that has its address
    changed = visitor.told()
    assert "THE KEY OF 127.0.0.1 HAS CHANGED" in changed
    assert "remove line 1 of" in changed
    assert "THE KEY OF 127.0.0.1 HAS CHANGED" in visitor.told("--host-key", f"curve:{there.key}")


@contextmanager
def rude(port: int) -> Iterator[None]:
    """A program that listens there, says something of its own to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            with suppress(OSError):  # it is closed
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(b"220 not what you think\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_without_a_port_a_session_is_found_behind_those_of_others_and_other_programs() -> None:
    with scratch() as one, scratch() as other, scratch() as home, ExitStack() as opened:
        bob, ana = Host(Shell(one), 0), Host(Shell(other), 0)
        opened.callback(bob.close)
        opened.callback(ana.close)
        mia = Visitor(ana, str(home))
        mia.address = f"tcp://127.0.0.1/{NAME}"
        for each in (bob, ana):
            each.lines = [f"{mia.key()} mia role=run"]
            each.write()
        bob.shell.good("new", "bobs", "-d", "--listen", "tcp://127.0.0.1")
        ports = sorted(int(each[4:]) for each in listeners(bob.shell.mark) if each.startswith("tcp"))
        with suppress(OSError):  # somebody is there already
            opened.enter_context(rude(ports[3] + len(CHANNELS)))  # where control would be of the next one
        ana.shell.good("new", NAME, "-d", "--listen", "tcp://127.0.0.1")
        for arguments in (("--host-key", f"curve:{ana.key}"), ()):  # the second time it is known
            with mia.attach(*arguments) as console:
                console.wait_for_last_prompt()
                assert "HAS CHANGED" not in console.text
        ana.shell.good("stop", NAME)
        assert "THE KEY OF 127.0.0.1 HAS CHANGED" in mia.told()


def test_one_that_is_ended_over_there_is_left(there: Host, visitor: Visitor) -> None:
    there.lines.append(f"{visitor.key()} mia role=run")
    there.write()
    with visitor.attach("--host-key", f"curve:{there.key}") as console:
        console.wait_for_last_prompt()
        console.send("x = 42\r")
        console.wait_until(lambda: "In [2]:" in console.text, "the next prompt")
        there.shell.good("stop", NAME)
        console.wait_until(lambda: "has ended; its state is kept" in console.text, "how it ended")
        assert console.wait_end() == 0
    nobody = visitor.told()
    assert "no session can be joined at 127.0.0.1: nobody listens" in nobody
    assert f"try: there: holdfast attach {NAME} --listen tcp://ADDRESS" in nobody


def test_what_is_wrong_with_an_address_is_told(there: Host, visitor: Visitor) -> None:
    there.lines.append(f"{visitor.key()} mia role=watch")
    there.write()
    visitor.address = f"tcp://127.0.0.1:{there.base}/other"
    elsewhere = visitor.told("--host-key", f"curve:{there.key}")
    assert "no session named 'other' can be joined at 127.0.0.1" in elsewhere
    assert f"try: holdfast attach tcp://127.0.0.1:{there.base}/{NAME}" in elsewhere
    visitor.address = "tcp://127.0.0.1"
    assert "is no address of a session" in visitor.told()
    visitor.address = "tcp://nowhere.invalid/work"
    assert "nowhere.invalid can't be reached" in visitor.told("--host-key", f"curve:{there.key}")
    by_key = there.shell.run("log", f"tcp://127.0.0.1:{there.base}/{NAME}").stderr
    assert f"try: holdfast attach tcp://127.0.0.1:{there.base}/{NAME}" in by_key


def test_what_each_door_means_is_said_in_a_line(there: Host) -> None:
    told = there.shell.good("info", NAME)
    ports = f"tcp://127.0.0.1:{there.base} (five ports, to {there.base + 4})"
    assert f"{ports}, encrypted: 3 keys may come in" in told
