"""What somebody sees who uses Holdfast in JupyterLab. The browser is real, so are server and sessions.

HOLDFAST_SCREENSHOTS=folder keeps pictures of what the tests saw.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs the packages of the group `browser`")
pytest.importorskip("jupyterlab", reason="needs the packages of the group `browser`")

from playwright.sync_api import Page, expect

from browser.lab import MS, Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("HOLDFAST_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_cells_run_and_plots_are_shown_in_the_notebook(shared_lab: Lab, page: Page) -> None:
    notebook = Notebook(shared_lab, page)
    notebook.shows(notebook.run("6 * 7"), "42")
    plot = notebook.run("import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);")
    expect(plot.locator(".jp-OutputArea-output img")).to_be_visible(timeout=MS)
    picture(page, "plot")


def test_tab_completes_from_the_living_namespace(shared_lab: Lab, page: Page) -> None:
    notebook = Notebook(shared_lab, page)
    notebook.run("holdfast_of_kelp = 1\nholdfast_of_rock = 2")
    # On a new machine jedi reads its stubs first, which takes as long as Lab waits for an answer (1 s).
    notebook.run("get_ipython().complete('holdfast_of');")
    notebook.last_cell().locator(".cm-content").click()
    page.keyboard.insert_text("holdfast_of")
    page.keyboard.press("Tab")
    expect(page.locator(".jp-Completer-item", has_text="holdfast_of_kelp")).to_be_visible(timeout=MS)
    expect(page.locator(".jp-Completer-item", has_text="holdfast_of_rock")).to_be_visible(timeout=MS)


def test_input_is_asked_in_the_cell(shared_lab: Lab, page: Page) -> None:
    notebook = Notebook(shared_lab, page)
    cell = notebook.start("print('hello ' + input('who? '))")
    page.locator(".jp-Stdin-input").fill("you", timeout=MS)
    page.keyboard.press("Enter")
    notebook.shows(cell, "hello you")
    notebook.is_idle()


def test_the_stop_button_interrupts_the_cell(shared_lab: Lab, page: Page) -> None:
    notebook = Notebook(shared_lab, page)
    notebook.run("x = 1")
    cell = notebook.start("print('on')\nimport time; time.sleep(60)")
    notebook.shows(cell, "on")
    notebook.tool("interrupt")
    notebook.shows(cell, "KeyboardInterrupt")
    notebook.shows(notebook.run("x"), "1")


def test_a_slider_moves_both_ways(shared_lab: Lab, page: Page) -> None:
    pytest.importorskip("ipywidgets")
    notebook = Notebook(shared_lab, page)
    cell = notebook.run("from ipywidgets import IntSlider\ns = IntSlider(value=3, max=10)\ns")
    readout = cell.locator(".widget-readout")
    expect(readout).to_have_text("3", timeout=MS)
    cell.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    expect(readout).to_have_text("4", timeout=MS)
    notebook.shows(notebook.run("s.value"), "4")
    notebook.run("s.value = 8")
    expect(readout).to_have_text("8", timeout=MS)


def test_a_crash_is_a_red_error_and_nothing_else(shared_lab: Lab, page: Page) -> None:
    notebook = Notebook(shared_lab, page)
    notebook.run("rows = list(range(1_000_000))")
    crash = notebook.run("import ctypes\nctypes.string_at(0)")
    notebook.shows(crash, "InterpreterDied")
    notebook.is_idle()
    notebook.shows(notebook.run("len(rows)"), "1000000")
    expect(crash.locator('[data-mime-type="application/vnd.jupyter.stderr"]').first).to_be_visible()
    notebook.is_idle()
    picture(page, "crash")


def test_shut_down_in_lab_ends_the_session_and_its_log_stays(shared_lab: Lab, page: Page) -> None:
    notebook = Notebook(shared_lab, page)
    notebook.run("print('kept')")
    (session,) = [each for each in shared_lab.ask("sessions") if each["path"] == notebook.name]
    shared_lab.ask(f"sessions/{session['id']}", "DELETE")
    line = next(line for line in shared_lab.command("ls").splitlines() if notebook.name[:6] in line)
    assert "ended, state kept" in line
    assert "kept" in shared_lab.command("log", line.split()[0])


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_notebook_finds_its_variables_again_after_the_server_was_gone(
    lab: Lab, page: Page, end: str
) -> None:
    notebook = Notebook(lab, page)
    notebook.run("rows = list(range(1_000_000))")
    gate = lab.folder / "gate"
    os.mkfifo(gate)
    cell = notebook.start(f"print('begun')\nopen({str(gate)!r}).read()\nprint('heard by nobody')\ny = 7")
    notebook.shows(cell, "begun")
    notebook.save()
    getattr(lab, end)()
    page.goto("about:blank")
    gate.open("w").close()
    lab.start()

    again = Notebook(lab, page, notebook.name)
    first = again.run("len(rows), y")
    again.shows(first, "(1000000, 7)")
    again.shows(first, "nobody was attached")
    again.is_idle()
    picture(page, f"reattached-{end}")


def test_a_breakpoint_is_hit_and_the_cell_goes_on(shared_lab: Lab, page: Page) -> None:
    pytest.importorskip("debugpy")
    notebook = Notebook(shared_lab, page)
    notebook.run("1")  # the button takes no click before Lab has asked the kernel about its debugger
    button = page.locator(".jp-NotebookPanel-toolbar .jp-DebuggerBugButton")
    button.click(timeout=MS)
    expect(button).to_have_attribute("aria-pressed", "true", timeout=MS)
    cell = notebook.last_cell()
    cell.locator(".cm-content").click()
    page.keyboard.insert_text("a = 20\nb = a + 1\nb * 2")
    cell.locator(".cm-breakpoint-gutter .cm-gutterElement").nth(2).click()
    expect(page.locator(".jp-DebuggerBreakpoint")).to_be_visible(timeout=MS)  # the kernel has it
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-DebuggerCallstack-body li").first).to_be_visible(timeout=MS)
    picture(page, "debugger")
    page.locator('jp-button[data-command="debugger:continue"]').first.click(timeout=MS)
    notebook.shows(cell, "42")
