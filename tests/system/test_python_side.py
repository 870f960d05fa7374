"""What libraries look for inside the interpreter: the kernel object, ipykernel's names, magics, profiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.kernel import Kernel, only_holdfast, running
from kit.wire import Cell, Client, Message

IP = "ip = get_ipython(); kernel = ip.kernel"


def displayed(cell: Cell) -> list[str]:
    """text/plain of everything that a cell displayed."""
    return [content["data"]["text/plain"] for content in cell.of("display_data")]


def payload(cell: Cell) -> Message:
    (found,) = cell.reply["payload"]
    return found


# --- the kernel object


def test_the_kernel_knows_the_request_that_runs(guest: Client) -> None:
    code = "get_ipython().kernel.get_parent()"
    cell = guest.do(
        f"p = {code}; print(p['header']['msg_id'], p['metadata']['cellId'], p['content']['code'][:1])",
        metadata={"cellId": "abc"},
    )

    assert cell.text() == f"{cell.msg_id} abc p\n"


def test_the_kernel_has_what_libraries_ask_for(guest: Client) -> None:
    cell = guest.do(f"{IP}\nassert kernel.shell is ip; kernel.implementation, kernel.language_info['name']")

    assert cell.result == "('ipython', 'python')"
    assert guest.value("kernel.execution_count") == guest.value("get_ipython().execution_count") - 1
    assert guest.value("kernel._parent_ident['shell']") == [guest.session.bsession]


def test_messages_sent_by_the_kernels_session_come_out_as_the_cells(guest: Client) -> None:
    content = "{'data': {'text/plain': 'by hand'}, 'metadata': {}}"
    cell = guest.do(
        f"{IP}\nkernel.session.send(kernel.iopub_socket, 'display_data', {content}, kernel.get_parent());"
        f"kernel.send_response(kernel.iopub_socket, 'stream', {{'name': 'stdout', 'text': 'a text'}});"
    )

    assert displayed(cell) == ["by hand"]
    assert cell.text() == "a text"


def test_messages_in_frames_come_out_too(guest: Client) -> None:
    cell = guest.do(
        f"{IP}\nmessage = kernel.session.msg('clear_output', {{'wait': True}}, kernel.get_parent())\n"
        "kernel.iopub_socket.send_multipart(kernel.session.serialize(message))"
    )

    assert cell.of("clear_output") == [{"wait": True}]


def test_the_kernels_session_is_that_of_its_messages(guest: Client) -> None:
    cell = guest.do(f"{IP}; kernel.session.session")

    assert cell.result == repr(cell.reply_message["header"]["session"])


def test_a_hook_sees_displays_and_results_and_may_keep_them(guest: Client) -> None:
    cell = guest.do(
        f"{IP}\n"
        "seen = []\n"
        "def hook(message):\n"
        "    seen.append(message['msg_type'])\n"
        "    return None if 'secret' in str(message['content']['data']) else message\n"
        "ip.display_pub.register_hook(hook); ip.displayhook.register_hook(hook)\n"
        "display('secret'); display('open')"
    )
    assert displayed(cell) == ["'open'"]
    assert guest.run("'secret'").result is None
    assert guest.run("'open'").result == "'open'"
    guest.do("ip.display_pub.unregister_hook(hook), ip.displayhook.unregister_hook(hook);")

    assert guest.value("seen") == ["display_data"] * 2 + ["execute_result"] * 2
    assert guest.run("'secret'").result == "'secret'"


def test_a_callback_given_to_the_kernels_loop_is_called(client: Client) -> None:
    client.do(f"{IP}\ndone = []\nkernel.io_loop.add_callback(done.append, 1)")
    client.do("async def more(): done.append(2)\nkernel.io_loop.add_callback(more)")

    assert client.value("done") == [1, 2]


def test_a_target_registered_with_the_kernels_comm_manager_is_opened(guest: Client) -> None:
    guest.do(
        f"{IP}\nopened = []\nkernel.comm_manager.register_target('t', lambda comm, _: opened.append(comm))"
    )
    guest.idle(guest.send("comm_open", {"comm_id": "x", "target_name": "t", "data": {}}))

    assert guest.value("[comm.comm_id for comm in opened]") == ["x"]


# --- ipykernel's names


@only_holdfast
def test_ipykernel_is_there_without_ipykernel(guest: Client) -> None:
    guest.do(
        "import sys, ipykernel\n"
        "from ipykernel.comm import Comm, CommManager\n"
        "from ipykernel.connect import get_connection_file, get_connection_info\n"
        "from ipykernel.iostream import OutStream\n"
        "from ipykernel.ipkernel import IPythonKernel\n"
        "from ipykernel.kernelapp import IPKernelApp\n"
        "from ipykernel.kernelbase import Kernel\n"
        "from ipykernel.zmqshell import ZMQInteractiveShell\n"
        "from ipykernel.eventloops import register_integration\n"
        "import ipykernel.pylab.backend_inline\n"
        f"{IP}"
    )

    assert guest.value("ipykernel.version_info >= (7,), 'ipykernel.zmqshell' in sys.modules") == (True, True)
    assert guest.value("isinstance(sys.stdout, OutStream), isinstance(ip, ZMQInteractiveShell)") == (
        True,
        True,
    )
    assert guest.value("Kernel.instance() is IPythonKernel.instance() is kernel") is True
    assert guest.value("IPKernelApp.initialized(), IPKernelApp.instance().kernel is kernel") == (True, True)
    assert guest.value("type(ip).__module__, type(sys.stdout).__module__") == (
        "ipykernel.zmqshell",
        "ipykernel.iostream",
    )
    assert guest.value("isinstance(kernel.comm_manager, CommManager)") is True


@only_holdfast
def test_what_only_the_real_ipykernel_has_is_taken_from_it(client: Client) -> None:
    pytest.importorskip("ipykernel")

    assert client.value("import ipykernel.jsonutil as it; it.__file__.endswith('jsonutil.py')") is True
    assert client.value("from ipykernel.iostream import PIPE_BUFFER_SIZE; PIPE_BUFFER_SIZE > 0") is True
    assert client.value("from ipykernel.kernelapp import IPKernelApp; IPKernelApp.initialized()") is True


@only_holdfast
def test_a_name_that_nobody_has_is_an_import_error(guest: Client) -> None:
    assert guest.run("from ipykernel.comm import Nonsense").error["ename"] == "ImportError"
    assert guest.run("import ipykernel.nonsense").error["ename"] == "ModuleNotFoundError"


def test_a_comm_made_by_ipykernels_class_opens_in_the_browser(guest: Client) -> None:
    cell = guest.do(
        "from ipykernel.comm import Comm\ncomm = Comm(target_name='t', data={'a': 1}, show_warning=False)\n"
        "comm.send({'b': 2}); comm.close()"
    )

    assert [kind for kind in cell.kinds if kind.startswith("comm_")] == [
        "comm_open",
        "comm_msg",
        "comm_close",
    ]


def test_the_connection_file_is_that_of_the_client(shared: Kernel, guest: Client) -> None:
    guest.do("import ipykernel, ipykernel.connect, json")

    assert guest.value("ipykernel.get_connection_file()") == str(shared.file)
    assert guest.value("get_ipython().config['IPKernelApp']['connection_file']") == str(shared.file)
    assert guest.value("json.loads(ipykernel.get_connection_info())['key']") == shared.info["key"]
    assert guest.value("ipykernel.get_connection_info(unpack=True)['key']") == shared.info["key"].encode()
    file = "ipykernel.connect.get_connection_info(ipykernel.get_connection_file(), unpack=True)['shell_port']"
    assert guest.value(file) == shared.info["shell_port"]


# --- whose output


@only_holdfast
def test_a_threads_text_goes_to_the_cell_that_started_it(guest: Client) -> None:
    first = guest.do(
        "import threading\n"
        "go = threading.Event()\n"
        "thread = threading.Thread(target=lambda: (go.wait(), print('late'), display('shown')))\n"
        "thread.start()"
    )
    second = guest.do("go.set(); thread.join(); print('mine')")
    guest.until(lambda: first.text() and first.of("display_data"), "the thread's output")

    assert (first.text(), displayed(first)) == ("late\n", ["'shown'"])
    assert (second.text(), displayed(second)) == ("mine\n", [])


@only_holdfast
def test_a_pools_job_prints_in_the_cell_that_submitted_it(guest: Client) -> None:
    guest.do("from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)")
    first = guest.do("pool.submit(print, 'one').result()")
    second = guest.do("pool.submit(print, 'two').result(); pool.shutdown()")

    assert (first.text(), second.text()) == ("one\n", "two\n")


_NOTHING = ["status", "execute_input", "status"]


@pytest.mark.parametrize("speaker", ["ip", "sys.stdout", "ip.display_pub", "ip.displayhook"])
def test_a_thread_may_choose_whose_output_it_makes(guest: Client, speaker: str) -> None:
    if speaker == "ip.displayhook":
        say = "ip.displayhook(7)"
    else:
        say = "print('x')" if speaker == "sys.stdout" else "display('x')"
    first = guest.do(f"import sys\n{IP}\nparent = ip.get_parent()")
    second = guest.do(
        "import threading\n"
        "def work():\n"
        f"    token = {speaker}.set_thread_parent(parent)\n"
        f"    {say}\n"
        f"    {speaker}.reset_thread_parent(token)\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join(); sys.stdout.flush()"
    )
    guest.until(lambda: len(first.kinds) > len(_NOTHING), "the thread's output")

    assert second.kinds == _NOTHING


def test_set_parent_of_what_runs_changes_nothing(guest: Client) -> None:
    cell = guest.do(f"{IP}\nip.set_parent(ip.get_parent()); print('here'); display('there')")

    assert cell.text() == "here\n"
    assert displayed(cell) == ["'there'"]


# --- magics and payloads


def test_connect_info_tells_how_to_reach_the_session(shared: Kernel, guest: Client) -> None:
    text = guest.do("%connect_info").text()

    info = json.JSONDecoder().raw_decode(text)[0]
    assert {name: info[name] for name in shared.info} == shared.info
    assert f"--existing {shared.file}" in text


def test_pagers_are_the_clients(guest: Client, folder: Path) -> None:
    path = folder / "poem.txt"
    path.write_text("roses\n")

    for magic in ("less", "more"):
        assert payload(guest.do(f"%{magic} {path}"))["data"]["text/plain"] == "roses\n"
    assert payload(guest.do("x = 'violets'\n%page -r x"))["data"]["text/plain"] == "violets"
    assert payload(guest.do("len?"))["source"] == "page"
    assert "UsageError" in guest.run(f"%less {folder}/none").text("stderr")


def test_a_python_file_has_colours_in_the_pager(guest: Client, folder: Path) -> None:
    path = folder / "poem.py"
    path.write_text("x = 1  # roses\n")

    assert "\x1b[" in payload(guest.do(f"%less {path}"))["data"]["text/plain"]


def test_edit_opens_the_file_where_the_client_is(guest: Client, folder: Path) -> None:
    (folder / "poem.py").write_text("\n\ndef rose():\n    pass\n")
    guest.do(f"import sys; sys.path.insert(0, {str(folder)!r})\nfrom poem import rose")

    assert payload(guest.do("%edit rose")) == {
        "source": "edit_magic",
        "filename": str(folder / "poem.py"),
        "line_number": 3,
        "holdfast": {"run": True, "code": f"%run -i {folder}/poem.py"},
    }
    assert payload(guest.do("%ed -n 2 " + str(folder / "poem.py")))["line_number"] == 2


def test_edit_of_a_function_made_in_a_cell_opens_its_code(guest: Client) -> None:
    guest.do("def violet():\n    return 'blue'")

    opened = payload(guest.do("%edit -x violet"))
    assert "violet" in Path(opened["filename"]).read_text()
    assert opened["holdfast"] == {"run": False, "code": ""}


def test_only_the_last_next_input_counts(guest: Client) -> None:
    cell = guest.do("get_ipython().set_next_input('a'); get_ipython().set_next_input('b', replace=True)")

    assert payload(cell) == {"source": "set_next_input", "text": "b", "replace": True}


def test_autosave_is_a_message_to_the_notebook(guest: Client) -> None:
    cell = guest.do("%autosave 30")

    assert cell.of("display_data")[0]["data"] == {
        "application/javascript": "IPython.notebook.set_autosave_interval(30000)"
    }
    assert "UsageError" in guest.run("%autosave often").text("stderr")


@only_holdfast
def test_a_missing_qtconsole_is_said_with_its_remedy(guest: Client) -> None:
    guest.do("import sys; sys.modules['qtconsole'] = None")
    cell = guest.run("%qtconsole")
    guest.do("del sys.modules['qtconsole']")

    assert "pip install qtconsole" in cell.text("stderr")


def test_clear_clears_a_console(guest: Client) -> None:
    assert "\x1b[2J" in guest.do("%clear").text()


def test_programs_of_a_cell_are_run_by_magics(guest: Client, folder: Path) -> None:
    (folder / "script.py").write_text("print(__name__)\nleft = 1\n")

    assert guest.do("!echo from a shell").text().replace("\r", "") == "from a shell\n"
    assert guest.do("%%bash\necho from bash").text() == "from bash\n"
    assert guest.do("%%script cat\nfrom cat").text() == "from cat\n"
    assert guest.do(f"%run {folder / 'script.py'}").text() == "__main__\n"
    assert guest.value("left") == 1
    assert guest.value("found = !echo assigned\nlist(found)") == ["assigned"]
    assert "1 loop each" in guest.do("%timeit -n1 -r1 1").text()


def test_autoreload_sees_a_module_change(guest: Client, folder: Path) -> None:
    module = folder / "poem_that_changes.py"
    module.write_text("line = 'first'\n")
    guest.do("%load_ext autoreload\n%autoreload 2")
    guest.do(f"import sys; sys.path.insert(0, {str(folder)!r})\nimport poem_that_changes")
    module.write_text("line = 'the second one'\n")

    assert guest.value("poem_that_changes.line") == "the second one"
    guest.do("%autoreload 0")


def test_the_debugger_looks_into_the_last_error(guest: Client) -> None:
    guest.run("def fails(rose):\n    return rose / 0\nfails(7)")
    cell = guest.run("%debug", answers=["p rose", "q"])

    assert "7" in cell.text()


def test_pdb_on_errors_can_be_switched_on(guest: Client) -> None:
    guest.do("%pdb on")
    cell = guest.run("violet = 8\n1 / 0", answers=["p violet", "q"])
    guest.do("%pdb off")

    assert "8" in cell.text()


# --- profiles


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """An empty profile."""
    profile = tmp_path / "ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    return profile


def test_a_profile_means_what_it_means_in_ipython(profile: Path) -> None:
    (profile / "startup" / "10-first.py").write_text("first = __file__\nkernel = get_ipython().kernel\n")
    (profile / "extension_of_mine.py").write_text(
        "def load_ipython_extension(ip):\n    ip.push({'from_extension': ip.kernel is not None})\n"
    )
    (profile / "ipython_config.py").write_text(
        "import os, sys\n"
        "os.environ['JPY_SESSION_NAME'] = '/home/me/book.ipynb'\n"
        f"sys.path.append({str(profile)!r})\n"
        "c = get_config()\n"
        "c.InteractiveShellApp.exec_lines = ['from_config = 1']\n"
        "c.InteractiveShellApp.extensions = ['extension_of_mine']\n"
        "c.InteractiveShell.ast_node_interactivity = 'all'\n"
    )
    (profile / "ipython_kernel_config.py").write_text(
        "c = get_config()\n"
        "c.IPKernelApp.exec_lines.append('from_kernel_config = 2')\n"
        "c.IPKernelApp.exec_lines.extend(['also = 3'])\n"
    )
    with running(f"--ipython-dir={profile.parent}") as kernel:
        client = kernel.client()

        assert client.value("first") == str(profile / "startup" / "10-first.py")
        assert client.value("from_config, from_extension") == (1, True)
        assert client.value("from_kernel_config, also") == (2, 3)
        assert client.value("__session__") == "/home/me/book.ipynb"
        assert client.value("kernel is get_ipython().kernel") is True
        assert len(client.run("1\n2").of("execute_result")) == 2  # InteractiveShell.ast_node_interactivity


def test_another_profile_is_chosen_by_name(profile: Path) -> None:
    other = profile.parent / "profile_other"
    other.mkdir()
    (other / "ipython_config.py").write_text("get_config().IPKernelApp.exec_lines = ['name = \"other\"']")
    with running(f"--ipython-dir={profile.parent}", "--profile=other") as kernel:
        assert kernel.client().value("name") == "other"


def test_lines_and_traits_can_be_given_at_the_start() -> None:
    options = (
        "--IPKernelApp.exec_lines=x = 5",
        "--InteractiveShell.ast_node_interactivity=all",
        "--no-stderr",
    )
    with running(*options) as kernel:
        client = kernel.client()

        assert client.value("x") == 5
        assert len(client.run("1\n2").of("execute_result")) == 2
        assert client.do("import sys; print('gone', file=sys.stderr); print('there')").text("stderr") == ""


def test_the_folder_of_the_kernel_can_be_imported_from(client: Client) -> None:
    assert client.value("import sys; '' in sys.path") is True
    client.do("open('module_here.py', 'w').write('here = 1')")
    assert client.value("import module_here; module_here.here") == 1


# --- clients inside the kernel


def test_output_of_a_kernel_started_by_a_cell_is_shown_as_the_cells(guest: Client) -> None:
    """jupyter_client relays it by display_pub.session, pub_socket and parent_header."""
    cell = guest.do(
        "ip = get_ipython()\n"
        "from jupyter_client.client import KernelClient\n"
        "message = {'header': {'msg_type': 'display_data'}, "
        "'content': {'data': {'text/plain': 'relayed'}, 'metadata': {}}}\n"
        "KernelClient._output_hook_kernel(KernelClient(), ip.display_pub.session, ip.display_pub.pub_socket, "
        "ip.display_pub.parent_header, message)"
    )

    assert displayed(cell) == ["relayed"]
