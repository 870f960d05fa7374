"""JupyterLab in a real server, and a notebook in a real browser, as far as tests look at them.

Selectors are JupyterLab 4's. Nothing here waits for time: only for what page, process or server show.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from holdfast.jupyter import kernelspec
from kit.deadline import Deadline
from kit.kernel import END_SECONDS, environment, free_ports
from kit.processes import kill, left_over

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MS = 30_000
"""For anything that a page is to show."""

STOP_SECONDS = 30.0
"""For the server to end: it says goodbye to each of its kernels first."""

NUMBERED = re.compile(r"^\[\d+\]:$")
"""The prompt of a cell that has ended: `[*]:` while it runs."""

_QUIET = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"renameUntitledFileOnSave": False},
}
"""Settings that keep questions and toasts out of the way."""

_READY = """async ([url, path, ms]) => {
    const end = performance.now() + ms;
    const ready = s => s.path === path && s.kernel?.connections > 0 && s.kernel.execution_state === "idle";
    while (performance.now() < end) {
        const sessions = await (await fetch(url)).json();
        if (sessions.some(ready)) return true;
        await new Promise(requestAnimationFrame);
    }
    return false;
}"""


class Lab:
    """A user's machine with JupyterLab on it. Its server may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = secrets.token_hex(8)
        self._token = secrets.token_hex(16)
        (self.port,) = free_ports(1)
        self.root = folder / "work"
        self.root.mkdir()
        kernelspec.install(prefix=folder, provisioner=True, debugger=True)
        for name, settings in _QUIET.items():
            file = folder / "jupyter/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(settings))
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        proxies = {name for name in os.environ if name.lower().endswith("_proxy")}
        ours = environment(self.folder, self.mark) | {
            "HOME": str(self.folder),
            "JUPYTER_PATH": str(self.folder / "share" / "jupyter"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root"]
        command += [f"--port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"]
        command += [f"--IdentityProvider.token={self._token}", "--LabApp.extension_manager=readonly"]
        self.process = subprocess.Popen(
            command,
            env={name: value for name, value in ours.items() if name not in proxies},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pipesize=1024 * 1024,  # for all that it will say: nobody reads on before its end
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "is running at" in line:
                return self._until_it_listens()
        raise AssertionError("".join(said))

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._reap()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self.process.terminate()
        self._reap()

    def close(self) -> None:
        """End everything."""
        try:
            self.stop()
            self.command("stop", "--all")
            left = left_over(self.mark, Deadline(END_SECONDS))
            assert not left, f"processes left behind: {left}"
        finally:
            kill(self.mark)

    def command(self, *arguments: str) -> str:
        """What `holdfast …` prints."""
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *arguments],
            env=environment(self.folder, self.mark),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout + done.stderr

    def ask(self, path: str, method: str = "GET", content: object = None) -> Any:
        """What the server's REST interface answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def url(self, path: str) -> str:
        """An address of the server, with its token."""
        return f"http://127.0.0.1:{self.port}/{path}?token={self._token}"

    def new_notebook(self, stem: str = "") -> str:
        """A notebook for our kernel; its path."""
        name = f"{stem or secrets.token_hex(3)}.ipynb"
        spec = {"name": "holdfast", "display_name": "Python 3 (Holdfast)", "language": "python"}
        content = {"cells": [], "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
        self.ask(f"contents/{name}", "PUT", {"type": "notebook", "format": "json", "content": content})
        return name

    def _until_it_listens(self) -> None:
        """It says so a few milliseconds before it does."""
        deadline = Deadline(END_SECONDS)
        while not deadline.passed:
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", self.port)).close()
        raise AssertionError("the server does not listen")

    def _reap(self) -> None:
        self.process.wait(STOP_SECONDS)
        if self.process.stdout is not None and not self.process.stdout.closed:
            print(self.process.stdout.read())  # pytest shows it beside a failure
            self.process.stdout.close()


class Notebook:
    """A notebook on a page. Cells are run at its end, and numbered as they stand."""

    def __init__(self, lab: Lab, page: Page, name: str | None = None) -> None:
        self.lab = lab
        self.page = page
        self.name = name or lab.new_notebook()
        page.goto(lab.url(f"lab/tree/{self.name}") + "&reset", wait_until="domcontentloaded")
        page.wait_for_selector(".jp-Notebook .jp-Cell .cm-content", timeout=MS)
        # The indicator says "idle" before there is a kernel: the server knows better.
        ready = page.evaluate(_READY, [lab.url("api/sessions"), self.name, MS])
        assert ready, lab.ask("sessions")
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=MS)

    def last_cell(self) -> Locator:
        """The cell that is the last one now, also when others follow it."""
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        return cells.nth(cells.count() - 1)

    def start(self, code: str) -> Locator:
        """Run `code` in the last cell; the cell."""
        cell = self.last_cell()
        cell.locator(".cm-content").click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        return cell

    def run(self, code: str) -> Locator:
        """Run `code` to its end."""
        cell = self.start(code)
        expect(cell.locator(".jp-InputPrompt")).to_have_text(NUMBERED, timeout=MS)
        return cell

    def shows(self, cell: Locator, text: str) -> None:
        """The cell's output has `text` in it."""
        expect(cell.locator(".jp-OutputArea").first).to_contain_text(text, timeout=MS)

    def is_idle(self) -> None:
        """The kernel's indicator says so, and no dialog is open."""
        indicator = self.page.locator(".jp-Notebook-ExecutionIndicator")
        expect(indicator).to_have_attribute("data-status", "idle", timeout=MS)
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)

    def save(self) -> None:
        """Ctrl+S, until the file is what is shown."""
        self.page.keyboard.press("Control+s")
        self.page.wait_for_selector(".jp-mod-current:not(.jp-mod-dirty)", state="attached", timeout=MS)

    def tool(self, name: str) -> None:
        """Press a button of the notebook's toolbar."""
        self.page.locator(f'.jp-NotebookPanel-toolbar [data-jp-item-name="{name}"] jp-button').first.click()
