"""Another host, as far as ssh can tell: a real sshd on a loopback port, with keys and a Holdfast of its own.

The `ssh` that is found first is the system's, told where its configuration is: it would look for that in the
user's own home, whatever HOME says.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment, free_ports, scratch
from kit.processes import MARK, children, kill, left_over
from kit.session import HOLDFAST
from kit.terminal import Terminal

_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))
SSHD, SSH = shutil.which("sshd", path=_PLACES), shutil.which("ssh")

needs_sshd = pytest.mark.skipif(SSHD is None or SSH is None, reason="there is no sshd (openssh-server)")

HERE, THERE = "a", "b"
"""Folders of the two hosts."""


@dataclass
class Host:
    """The other host, and the user's side of it."""

    folder: Path
    port: int
    mark: str
    name: str = "there"
    address: str = "127.0.0.1"
    inside: list[str] = field(default_factory=list)
    """In front of a command that is to run on that host (`ip netns exec …`)."""
    outside: list[str] = field(default_factory=list)
    """The same for one of the user, who is here."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """Of the user, who is here."""
        ours = environment(self.folder / HERE, self.mark) | {"HOME": str(self.folder / HERE), "PAGER": "less"}
        ours["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return ours

    @property
    def url(self) -> str:
        """The address of its session `work`."""
        return f"ssh://{self.name}/work"

    @property
    def env_there(self) -> dict[str, str]:
        """Of whoever is on that host itself."""
        return environment(self.folder / THERE, self.mark) | {"HOME": str(self.folder / THERE)}

    def there(self, *arguments: str) -> str:
        """What `holdfast ARGUMENTS` prints on that host itself."""
        return subprocess.run(
            [*self.inside, *HOLDFAST, *arguments],
            env=self.env_there,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`holdfast ARGUMENTS` here, without a terminal."""
        return subprocess.run(
            [*self.outside, *HOLDFAST, *arguments],
            env=self.env | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def terminal(self, *arguments: str, **variables: str) -> Terminal:
        """The same in a terminal."""
        return Terminal([*self.outside, *HOLDFAST, *arguments], self.env | variables, columns=120)

    def console(self) -> Terminal:
        """A console here on the session there, with its prompt."""
        terminal = self.terminal("attach", self.url)
        terminal.wait_for_last_prompt()
        return terminal

    def configure(self, *lines: str) -> None:
        """More of ssh's own configuration; for each option the first line counts."""
        file = self.folder / "ssh_config"
        file.write_text("\n".join([*lines, file.read_text()]))

    def serve(self, *options: str) -> None:
        """Start sshd, with more options of its own; the first line for each counts."""
        assert SSHD is not None
        there = {
            "HOLDFAST_HOME": self.folder / THERE,
            "IPYTHONDIR": self.folder / THERE / "ipython",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            MARK: self.mark,
        }
        (self.folder / "sshd_config").write_text(
            "\n".join(
                (
                    *options,
                    f"Port {self.port}",
                    f"ListenAddress {self.address}",
                    f"HostKey {self.folder}/host_key",
                    f"AuthorizedKeysFile {self.folder}/user_key.pub",
                    "StrictModes no",
                    "UsePAM no",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "PermitRootLogin yes",
                    "PidFile none",
                    f"SetEnv {' '.join(f'{name}={value}' for name, value in there.items())}",
                )
            )
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd's own, which its package makes at boot
        self.process = subprocess.Popen(
            [*self.inside, SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self.process.stderr is not None
        said = b""
        while b"Server listening" not in said:
            piece = os.read(self.process.stderr.fileno(), 4096)
            assert piece, said
            said += piece  # what comes later stays in the pipe: far less than it holds

    @property
    def forwarded(self) -> list[Path]:
        """Sockets here that ssh has made."""
        return [path for path in (self.folder / HERE).rglob("*") if path.is_socket()]

    @property
    def connections(self) -> set[int]:
        """The processes of sshd that have a connection each."""
        assert self.process is not None
        return children(self._listener)

    def hang_up(self) -> None:
        """Cut every connection."""
        for pid in self.connections:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pause(self) -> None:
        """Take no new connection until `go_on`."""
        os.kill(self._listener, signal.SIGSTOP)

    def go_on(self) -> None:
        """Take them again."""
        os.kill(self._listener, signal.SIGCONT)

    def close(self) -> None:
        """Stop sshd."""
        if self.process is not None:
            self.go_on()
            self.hang_up()
            self.process.kill()
            self.process.wait()
            assert self.process.stderr is not None
            os.set_blocking(self.process.stderr.fileno(), False)  # one that waits for a dead line has it, too
            print((self.process.stderr.read() or b"").decode(errors="replace"))
            self.process.stderr.close()
            self.process = None

    @property
    def _listener(self) -> int:
        assert self.process is not None
        return self.process.pid


@contextmanager
def host(**more: object) -> Iterator[Host]:
    """Another host, which is to `serve`; all that ran on both sides has ended at the end."""
    with scratch() as folder:
        made = Host(folder, free_ports(1)[0], secrets.token_hex(8))
        for name, value in more.items():
            setattr(made, name, value)
        for each in (HERE, THERE, "bin"):
            (folder / each).mkdir(mode=0o700)
        (folder / HERE / "config").mkdir(mode=0o700)
        (folder / HERE / "config" / "settings.toml").write_text("[remote]\nconnect_seconds = 2\n")
        for key in ("host_key", "user_key"):
            new_key(folder / key)
        (folder / "ssh_config").write_text(
            f"Host {made.name}\n HostName {made.address}\n Port {made.port}\n"
            f" IdentityFile {folder}/user_key\n IdentitiesOnly yes\n IdentityAgent none\n"
            f" UserKnownHostsFile {folder}/known_hosts\n GlobalKnownHostsFile none\n"
            " StrictHostKeyChecking accept-new\n"
        )
        wrapper = folder / "bin" / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {SSH} -F {folder}/ssh_config "$@"\n')
        wrapper.chmod(0o755)
        try:
            yield made
            made.there("stop", "--all")
            assert not left_over(made.mark, Deadline(END_SECONDS))
        finally:
            made.close()
            kill(made.mark)


def new_key(path: Path, passphrase: str = "") -> None:
    """A key pair."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True, timeout=30, stdin=subprocess.DEVNULL)


def numbers(terminal: Terminal, word: str = "n") -> list[int]:
    """What a cell has counted so far, in lines that begin with `word`: on the screen, and above it."""
    return [int(number) for number in re.findall(rf"^{word} (\d+)$", terminal.all_text, re.MULTILINE)]
