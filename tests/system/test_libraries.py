"""Libraries that behave differently in a notebook take Holdfast for one. Each test needs its library."""

from __future__ import annotations

import base64
import json
from itertools import groupby

import pytest

from kit.kernel import only_holdfast
from kit.wire import Cell, Client, Message

for library in ("ipywidgets", "tqdm", "rich", "matplotlib"):
    pytest.importorskip(library)

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

IMPORT_SECONDS = 60.0
"""A first import of matplotlib builds its font cache."""

LATER = "import warnings; warnings.simplefilter('ignore')\n"
"""tqdm warns that its choice is experimental."""


def data(cell: Cell) -> Message:
    """The one display of a cell, by MIME type."""
    (content,) = cell.of("display_data")
    return content["data"]


def opened(cell: Cell, name: str) -> str:
    """Id of the comm that a cell opened for a widget whose model is called `name`."""
    (found,) = (each for each in cell.of("comm_open") if each["data"]["state"]["_model_name"] == name)
    return found["comm_id"]


def test_tqdm_chooses_its_notebook_bar(guest: Client) -> None:
    cell = guest.do(LATER + "from tqdm.autonotebook import tqdm\nfor _ in tqdm(range(3)): pass")

    assert WIDGET_VIEW in data(cell)
    assert guest.value("tqdm.__module__") == "tqdm.notebook"
    assert cell.text("stderr") == ""


@only_holdfast
def test_the_thread_that_tqdm_starts_again_is_not_missed_after_a_crash(client: Client) -> None:
    client.do(LATER + "import threading\nfrom tqdm import tqdm\nfor _ in tqdm(range(3)): pass")
    monitors = "sum(each.name == 'tqdm_monitor' for each in threading.enumerate())"
    assert client.value(monitors) == 1
    crash = client.run("import os; os.abort()")
    assert "Back after" in crash.notice
    assert "tqdm" not in crash.notice
    assert "Not restored" not in crash.notice
    client.do("for _ in tqdm(range(3)): pass")
    assert client.value(monitors) == 1


@only_holdfast
def test_an_interpreter_that_dies_while_tqdm_draws_takes_no_later_bar_with_it(client: Client) -> None:
    client.do(LATER + "import os\nfrom tqdm import tqdm\nfor _ in tqdm(range(3)): pass")
    client.run("tqdm.get_lock().acquire(); os.abort()")
    assert "3/3" in client.do("for _ in tqdm(range(3)): pass").text("stderr")


def test_rich_prints_html(guest: Client) -> None:
    cell = guest.do("import rich; rich.print('[bold]rose[/]')")

    assert "font-weight: bold" in data(cell)["text/html"]


def test_a_widget_is_shown_as_one_and_hears_its_browser(guest: Client) -> None:
    cell = guest.do("import ipywidgets\nslider = ipywidgets.IntSlider(value=3); slider")
    comm_id = opened(cell, "IntSliderModel")

    assert cell.of("execute_result")[0]["data"][WIDGET_VIEW]["model_id"] == comm_id
    update = {"method": "update", "state": {"value": 7}, "buffer_paths": []}
    guest.idle(guest.send("comm_msg", {"comm_id": comm_id, "data": update}))
    assert guest.value("slider.value") == 7


def test_output_in_an_output_widget_is_the_widgets(guest: Client) -> None:
    cell = guest.do("import ipywidgets\nout = ipywidgets.Output(); display(out)\nwith out: print('inside')")

    states = [message["data"]["state"] for message in cell.of("comm_msg")]
    assert {"msg_id": cell.msg_id} in states  # until that is "", the browser puts text into the widget
    assert states[-1] == {"msg_id": ""}
    order = [kind for kind, _ in groupby(kind for kind in cell.kinds if kind in ("stream", "comm_msg"))]
    assert order == ["comm_msg", "stream", "comm_msg"]


def test_an_error_in_an_output_widget_is_shown_there(guest: Client) -> None:
    cell = guest.do("import ipywidgets\nout = ipywidgets.Output()\nwith out: 1 / 0\nprint('goes on')")

    assert cell.error["ename"] == "ZeroDivisionError"
    assert cell.text() == "goes on\n"


def test_figures_come_at_the_cells_end_after_its_text(guest: Client) -> None:
    cell = guest.do(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); print('before'); 3",
        within=IMPORT_SECONDS,
    )

    assert cell.kinds[-4:] == ["stream", "execute_result", "display_data", "status"]
    assert base64.b64decode(data(cell)["image/png"]).startswith(b"\x89PNG")
    assert guest.do("5").of("display_data") == [], "a figure is shown once"


def test_a_figure_of_pyplot_is_shown_without_the_magic(client: Client) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"

    assert "image/png" in data(client.do(code, within=IMPORT_SECONDS))


def test_a_live_figure_speaks_through_a_comm(client: Client) -> None:
    cell = client.do(
        "import matplotlib; matplotlib.use('nbagg')\n"
        "import matplotlib.pyplot as plt\nfigure = plt.figure(); plt.plot([1, 2]); plt.show()",
        within=IMPORT_SECONDS,
    )

    assert [each["target_name"] for each in cell.of("comm_open")] == ["matplotlib"]


@only_holdfast
def test_after_a_crash_widgets_say_their_state_again(client: Client) -> None:
    cell = client.do("import ipywidgets\nslider = ipywidgets.IntSlider(value=3); display(slider)")
    comm_id = opened(cell, "IntSliderModel")
    crash = client.run("slider.value = 9\nimport os; os.kill(os.getpid(), 9)")
    client.settle()

    assert crash.status == "error"
    assert client.value("slider.value") == 3
    said = [
        message["content"]["data"]["state"].get("value")
        for message in client.published
        if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == comm_id
    ]
    assert (said[0], said[-1]) == (9, 3), json.dumps(said)


@only_holdfast
def test_a_widget_that_a_lost_cell_had_closed_lives_again(client: Client) -> None:
    cell = client.do(
        "from ipywidgets import HBox, IntSlider\nslider = IntSlider(value=3)\ndisplay(box := HBox([slider]))"
    )
    comm_id = opened(cell, "IntSliderModel")
    client.run("slider.close()\nimport os; os.kill(os.getpid(), 9)")
    client.settle()
    update = {"method": "update", "state": {"value": 7}, "buffer_paths": []}
    client.idle(client.send("comm_msg", {"comm_id": comm_id, "data": update}))

    kinds = [
        message["msg_type"]
        for message in client.published
        if message["msg_type"].startswith("comm_") and message["content"]["comm_id"] == comm_id
    ]
    assert kinds[:3] == ["comm_open", "comm_close", "comm_open"]
    assert client.value("slider.value, box.children[0] is slider") == (7, True)
    assert comm_id in client.ask("comm_info_request")["comms"]
