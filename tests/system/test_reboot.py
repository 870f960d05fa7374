"""After all of a session's processes were killed, as by a reboot: what is back, what is not, what is told."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import Kernel, environment, only_holdfast, running
from kit.processes import kill, left_over, marked, wait_for_end
from kit.session import HOLDFAST
from kit.wire import Client, Message

pytestmark = only_holdfast

SOON = "[checkpoint]\nrest_seconds = 0.05\nshare = 0.0\n"
"""A session that writes at once: tests have no time for its rests."""

ONCE = "[checkpoint]\nrest_seconds = 0.05\nshare = 10_000.0\n"
"""The same, but after the first write it leaves the disk alone, for longer than any test takes."""

NEVER = "[checkpoint]\nrest_seconds = 1000.0\nlatest_seconds = 1000.0\n"
"""One that has not come to it before the test is over, but for an end in order."""

OFF = "[checkpoint]\nenabled = false\n"

DIE = "import os; os.abort()"


def about(client: Client) -> Message:
    return client.ask("holdfast_info_request", {}, "control")


def on_disk(client: Client, count: int) -> None:
    """Wait until the state after In[count] is on disk."""
    client.until_told(
        lambda: about(client)["restore_point"].endswith(f"on disk: In[{count}]"), f"In[{count}] on disk"
    )


def reboot(kernel: Kernel) -> Client:
    """Kill everything at once, and open the notebook again."""
    kill(kernel.mark)
    kernel.process.wait()
    return opened_again(kernel)


def kill_supervisor(client: Client) -> None:
    """Kill only that one; another one takes over."""
    pid = about(client)["pid"]
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(5))


def told(client: Client, code: str = "None") -> str:
    """What the first cell says on stderr."""
    return client.do(code).text("stderr")


def folder_of(kernel: Kernel) -> Path:
    """Where the session's checkpoints are."""
    (folder,) = kernel.folder.glob("state/sessions/*/checkpoints")
    return folder


def manifests(kernel: Kernel) -> list[Path]:
    """Of its checkpoints, oldest first."""
    return sorted(folder_of(kernel).glob("*.manifest"))


def damage(path: Path) -> None:
    """Change a byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def stop(kernel: Kernel, client: Client) -> None:
    """End the session in order, as `holdfast stop` does."""
    client.send("holdfast_stop_request", {}, "control")
    kernel.wait()
    assert left_over(kernel.mark, Deadline(10)) == {}


def opened_again(kernel: Kernel) -> Client:
    kernel.launch()
    return kernel.client("successor")


def configure(kernel: Kernel, settings: str) -> None:
    """For those of its processes that start from now on."""
    (kernel.folder / "config" / "settings.toml").write_text(settings)


def after_one_checkpoint(kernel: Kernel, *cells: str) -> Client:
    """A client that has run them all, of which only the first is on disk."""
    client = kernel.client()
    client.do(cells[0])
    on_disk(client, 1)
    for cell in cells[1:]:
        client.run(cell)
    return client


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A session that writes checkpoints at once."""
    with running(settings=SOON) as kernel:
        yield kernel


# --- what is back


def test_a_loss_that_nobody_was_told_of_is_told_by_the_run_after_the_next() -> None:
    with running(settings=NEVER) as kernel:
        client = kernel.client()
        client.do("x = 1")
        kill(kernel.mark)
        kernel.process.wait()
        kernel.launch()
        kernel.client()  # who runs nothing
        stop = [*HOLDFAST, "stop", "--all"]
        subprocess.run(stop, env=environment(kernel.folder, kernel.mark), check=True, capture_output=True)
        assert kernel.wait() == 0
        kernel.launch()
        again = kernel.client()

        assert "its variables are gone, its log is kept" in again.run("'x' in globals()").text("stderr")
        assert again.run("1").text("stderr") == ""


def test_variables_functions_classes_and_what_they_share_are_back(kernel: Kernel, client: Client) -> None:
    client.do("x = 5\nrows = [1, 2]\nalias = rows\nholder = {'rows': rows}")
    client.do("def plus(n):\n    return x + n")
    client.do("class Point:\n    def __init__(self, n): self.n = n\n    def up(self): return plus(self.n)")
    client.do("point = Point(3)")
    on_disk(client, 4)
    successor = reboot(kernel)
    assert successor.value("x, alias is rows, holder['rows'] is rows, plus(2)") == (5, True, True, 7)
    assert successor.value("type(point) is Point, point.up()") == (True, 8)
    successor.do("x = 10; rows.append(3)")
    assert successor.value("plus(2), point.up(), holder, alias") == (12, 13, {"rows": [1, 2, 3]}, [1, 2, 3])


def test_arrays_share_memory_with_their_views_as_before(kernel: Kernel, client: Client) -> None:
    client.do("import numpy as np\na = np.arange(300_000)\nview = a[10:20]\nread_only = a[::2]")
    on_disk(client, 1)
    successor = reboot(kernel)
    successor.do("a[10] = -1")
    assert successor.value("int(view[0]), int(read_only[5]), len(a), bool((a[11:] > 10).all())") == (
        -1,
        -1,
        300_000,
        True,
    )


def test_what_was_typed_and_what_came_out_is_back_under_its_number(kernel: Kernel, client: Client) -> None:
    client.do("40 + 2")
    client.do("'two'")
    on_disk(client, 2)
    successor = reboot(kernel)
    assert successor.value("_, __, Out[1], _2, In[1], _i2") == ("two", 42, 42, "two", "40 + 2", "'two'")
    assert successor.run("len(In)").reply["execution_count"] == 4


def test_random_numbers_the_folder_and_the_path_go_on_where_they_were(kernel: Kernel, client: Client) -> None:
    (kernel.folder / "work" / "lib").mkdir()
    (kernel.folder / "work" / "lib" / "own_module.py").write_text("answer = 42\n")
    client.do("import random, sys, os, numpy\nrandom.seed(7); numpy.random.seed(7); random.random()")
    client.do("os.chdir('lib'); sys.path.insert(0, os.getcwd()); import own_module")
    on_disk(client, 2)
    rest = "random.random(), float(numpy.random.random())"
    successor = reboot(kernel)
    ours = successor.value(rest)
    assert successor.value("os.path.basename(os.getcwd()), own_module.answer") == ("lib", 42)
    successor.do("random.seed(7); numpy.random.seed(7); random.random()")
    assert ours == successor.value(rest)


def test_what_can_not_be_kept_is_named_with_the_reason_and_costs_nothing_else(
    kernel: Kernel, client: Client
) -> None:
    client.do("x = 5\nnumbers = (n for n in range(3))")
    client.do("import socket; line = socket.socket()")
    on_disk(client, 2)
    successor = reboot(kernel)
    said = told(successor)
    assert "numbers (a generator" in said
    assert "line (" in said
    assert successor.value("x") == 5
    assert successor.run("numbers").error["ename"] == "NameError"


def test_odd_names_and_an_odd_path_keep_nothing_off_the_disk(kernel: Kernel, client: Client) -> None:
    client.do("import os, sys, pathlib; x = 5; In = 0.3; globals()[0] = 1")
    client.do("sys.path.append(pathlib.Path('lib')); os.mkdir(b'\\xff'); os.chdir(b'\\xff')")
    on_disk(client, 2)
    successor = reboot(kernel)
    assert "a key of type int (its name can't be written)" in told(successor)
    assert successor.value("x, In, _i1[:6]") == (5, 0.3, "import")


def test_numpys_generator_of_another_kind_costs_no_variable(kernel: Kernel, client: Client) -> None:
    client.do("import numpy; x = 5; numpy.random.set_bit_generator(numpy.random.PCG64(7))")
    on_disk(client, 1)
    assert reboot(kernel).value("x") == 5


def test_what_makes_an_object_again_finds_the_names_that_it_uses(kernel: Kernel, client: Client) -> None:
    client.do("import numpy as np\nfactor = 3\ndef scaled(n):\n    return np.arange(n) * factor")
    client.do("""
class Lazy:
    def __init__(self, n): self.n, self.values = n, scaled(n)
    def __getstate__(self): return {"n": self.n}
    def __setstate__(self, state): self.__init__(state["n"])
lazy = Lazy(4)
""")
    on_disk(client, 2)
    assert reboot(kernel).value("lazy.values.tolist()") == [0, 3, 6, 9]


# --- what is told


def test_the_first_cell_says_what_is_back_and_names_the_cells_that_are_not() -> None:
    with running(settings=ONCE) as kernel:
        after_one_checkpoint(kernel, "x = 5", "y = 6", "z = 7")
        successor = reboot(kernel)
        assert "after In[1]" not in about(successor)["restore_point"].partition(";")[2]
        said = told(successor)
        assert "not closed properly" in said
        assert "Back from disk, as after In[1]" in said
        assert "the values of 1 variable." in said
        assert "In[2] and In[3] came after that and are not in it" in said
        assert about(successor)["story"] == said.removeprefix("holdfast: ").rstrip("\n")
        assert successor.value("x") == 5
        assert not told(successor)


def test_recover_lists_exactly_the_cells_that_are_not_back() -> None:
    with running(settings=ONCE) as kernel:
        after_one_checkpoint(kernel, "x = 5", "y = 6", "1 / 0")
        successor = reboot(kernel)
        listed = successor.do("%recover").text()
        assert listed.startswith("2 cells ran after what is back from disk")
        assert "variables are gone" not in listed
        assert [line.split()[0] for line in listed.splitlines()[1:-1]] == ["In[2]", "In[3]"]
        offered = successor.do("%recover code").reply["payload"]
        assert [each["text"] for each in offered] == ["y = 6\n\n1 / 0"]


def test_if_nothing_is_missing_recover_says_so(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    assert "no cell ran after what is back" in reboot(kernel).do("%recover").text()


def test_every_variable_that_is_not_back_is_named_somewhere(kernel: Kernel, client: Client) -> None:
    names = [f"generator_{number}" for number in range(20)]
    client.do("x = 5\n" + "\n".join(f"{name} = (n for n in 'ab')" for name in names))
    on_disk(client, 1)
    successor = reboot(kernel)
    assert "and 4 more (%recover lists them all)" in told(successor)
    assert sorted(each["name"] for each in about(successor)["not_back"]) == sorted(names)
    listed = successor.do("%recover").text()
    assert listed.startswith("20 variables are not back:")
    assert all(f"  {name}: " in listed for name in names)


def test_one_missing_cell_is_one_cell() -> None:
    with running(settings=ONCE) as kernel:
        after_one_checkpoint(kernel, "x = 5", "y = 6")
        successor = reboot(kernel)
        assert "In[2] came after that and is not in it: %recover lists it" in told(successor)
        assert successor.do("%recover").text().startswith("1 cell ran after")


# --- again and again


def test_a_second_reboot_right_after_finds_the_same() -> None:
    with running(settings=ONCE) as kernel:
        after_one_checkpoint(kernel, "x = 5", "y = 6")
        configure(kernel, NEVER)  # each process would write once
        reboot(kernel)
        successor = reboot(kernel)
        assert "In[2] came after that" in told(successor, "x += 1")
        successor = reboot(kernel)
        assert "In[2] and In[3] came after that" in told(successor)
        assert successor.value("x") == 5


def test_cells_that_were_lost_in_a_reboot_are_not_counted_as_held_after_the_next(
    kernel: Kernel, client: Client
) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    successor = reboot(kernel)
    successor.do("x += 1")
    on_disk(successor, 2)
    successor = reboot(kernel)
    assert "came after" not in told(successor)
    assert successor.value("x") == 6


def test_a_crash_right_after_brings_back_what_the_reboot_had_brought_back(
    kernel: Kernel, client: Client
) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    successor = reboot(kernel)
    crashed = successor.run(DIE)
    assert "with every variable as before In[2]" in crashed.notice
    assert successor.value("x") == 5


# --- kills in between

MUCH = "n = {0}; parts = [os.urandom(3_000_000) for _ in range(4)]; wanted = digest()"
SETUP = "import os, hashlib\ndigest = lambda: hashlib.md5(b''.join(parts)).hexdigest()"


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before_whole(
    kernel: Kernel, client: Client
) -> None:
    client.do(f"{SETUP}\n{MUCH.format(0)}")
    on_disk(client, 1)
    moments = random.Random(11)
    for number in range(1, 7):
        client.do(MUCH.format(number))
        threading.Event().wait(moments.uniform(0.0, 0.6))
        client = reboot(kernel)
        held, whole = client.value("n, digest() == wanted")
        assert held in range(number + 1)
        assert whole


def test_a_crash_while_a_checkpoint_is_written_harms_neither(kernel: Kernel, client: Client) -> None:
    client.do(SETUP)
    moments = random.Random(12)
    for number in range(1, 7):
        client.do(MUCH.format(number))
        threading.Event().wait(moments.uniform(0.0, 0.4))
        client.run(DIE)
        assert client.value("n, digest() == wanted") == (number, True)
    client.do("None")
    on_disk(client, about(client)["execution_count"])
    assert reboot(kernel).value("n, digest() == wanted") == (6, True)


def test_a_supervisor_killed_while_a_checkpoint_is_written_harms_neither(
    kernel: Kernel, client: Client
) -> None:
    client.do(SETUP)
    moments = random.Random(13)
    for number in range(1, 5):
        client.do(MUCH.format(number))
        threading.Event().wait(moments.uniform(0.0, 0.4))
        kill_supervisor(client)
        assert client.value("n, digest() == wanted") == (number, True)
    on_disk(client, about(client)["execution_count"])
    assert reboot(kernel).value("n, digest() == wanted") == (4, True)


def test_what_a_killed_supervisor_had_not_written_its_successor_writes() -> None:
    with running(settings="[checkpoint]\nrest_seconds = 0.5\nshare = 0.0\n") as kernel:
        client = kernel.client()
        client.do("x = 5")
        client.until_told(lambda: (about(client)["standby"] or {}).get("after") == 1, "a standby of it")
        kill_supervisor(client)
        on_disk(client, 1)
        assert reboot(kernel).value("x") == 5


def test_a_kill_while_the_variables_are_loaded_costs_nothing(kernel: Kernel, client: Client) -> None:
    gate, marker = Gate(kernel.folder / "gate"), kernel.folder / "loading"
    client.do(f"""
import os
x = 5
def slowly():
    if not os.path.exists({str(marker)!r}):
        open({str(marker)!r}, "w").close()
        {gate.wait}
    return "loaded"
class Slow:
    def __reduce__(self):
        return slowly, ()
slow = Slow()
""")
    on_disk(client, 1)
    kill(kernel.mark)
    kernel.process.wait()
    kernel.launch()
    waiting = kernel.client("waiting")
    waiting.until_told(lambda: about(waiting) and marker.exists(), "that it loads")
    successor = reboot(kernel)
    assert successor.value("x, slow") == (5, "loaded")


BAD = {
    "crashes": "os.abort, ()",
    "hangs": "threading.Event().wait, ()",
}


@pytest.mark.parametrize("how", BAD.values(), ids=BAD.keys())
def test_a_variable_whose_loading_ends_the_interpreter_is_left_out_and_named(how: str) -> None:
    with running(settings=SOON + "[life]\nload_seconds = 3.0\n") as kernel:
        client = kernel.client()
        client.do("import os, threading\nx = 5\nclass Bad:\n    def __reduce__(self):\n        return " + how)
        client.do("bad = Bad(); also = Bad(); y = [x]")
        on_disk(client, 2)
        successor = reboot(kernel)
        said = told(successor)
        assert "bad (it ended the interpreter that loaded it, or took too long)" in said
        assert "also (" in said
        assert successor.value("x, y") == (5, [5])
        assert successor.run("bad").error["ename"] == "NameError"


# --- damage


def test_of_a_damaged_newest_checkpoint_the_one_before_is_used_and_that_is_told(
    kernel: Kernel, client: Client
) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    client.do("x = 6")
    on_disk(client, 2)
    kill(kernel.mark)
    damage(manifests(kernel)[-1])
    successor = reboot(kernel)
    said = told(successor)
    assert "Back from disk, as after In[1]" in said
    assert "What was written later, as after In[2]" in said
    assert "In[2] came after that" in said
    assert successor.value("x") == 5
    successor.do("x += 10")
    on_disk(successor, 5)
    assert reboot(kernel).value("x") == 15


def test_a_damaged_variable_is_named_and_the_others_are_back(kernel: Kernel, client: Client) -> None:
    client.do("import os; x = 5; big = os.urandom(1_000_000)")
    on_disk(client, 1)
    kill(kernel.mark)
    damage(max((folder_of(kernel) / "blobs").iterdir(), key=lambda blob: blob.stat().st_size))
    successor = reboot(kernel)
    assert "Not back: big (its data is damaged" in told(successor)
    assert successor.value("x") == 5


@pytest.mark.parametrize("both", [False, True], ids=["the newest", "both"])
def test_if_most_of_the_newest_checkpoint_is_damaged_the_one_before_is_used_unless_it_is_worse(
    kernel: Kernel, client: Client, *, both: bool
) -> None:
    client.do("import os; first = 1; second = 2; big = os.urandom(1_000_000)")
    on_disk(client, 1)
    older = set((folder_of(kernel) / "blobs").iterdir())
    client.do("later = 3")
    on_disk(client, 2)
    kill(kernel.mark)
    for blob in (folder_of(kernel) / "blobs").iterdir():
        if (both or blob not in older) and blob.stat().st_size < 1_000_000:
            os.truncate(blob, 0)
    successor = reboot(kernel)
    said = told(successor)
    if both:
        assert "Back from disk, as after In[2]" in said
        assert "first (its data is damaged" in said
        assert successor.value("len(big)") == 1_000_000
    else:
        assert "Back from disk, as after In[1]" in said
        assert "What was written later, as after In[2], could not be read back" in said
        assert successor.value("first, second, len(big)") == (1, 2, 1_000_000)


def test_what_can_not_be_read_at_all_is_told_loudly_and_never_overwritten(
    kernel: Kernel, client: Client
) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    client.do("x = 6")
    on_disk(client, 2)
    kill(kernel.mark)
    for manifest in manifests(kernel):
        damage(manifest)
    kept = {path: path.read_bytes() for path in folder_of(kernel).rglob("*") if path.is_file()}
    successor = reboot(kernel)
    said = told(successor)
    assert "EMPTY" in said
    assert str(folder_of(kernel)) in said
    assert "In[1] and In[2] came after" not in said
    assert "%recover" in said
    assert successor.do("%recover").text().count("  In[") == 2
    successor.do("y = 1")
    on_disk(successor, 5)
    successor.do("y = 2")
    on_disk(successor, 6)
    assert {path: path.read_bytes() for path in kept} == kept
    assert reboot(kernel).value("y") == 2


def damaged_and_dead(kernel: Kernel, client: Client) -> Callable[[], object]:
    """A session with x = 5 on disk, of which nothing runs, and which can't be read; what mends it."""
    client.do("x = 5")
    on_disk(client, 1)
    kill(kernel.mark)
    (manifest,) = manifests(kernel)
    content = manifest.read_bytes()
    damage(manifest)
    return partial(manifest.write_bytes, content)


def test_what_could_not_be_read_is_tried_again_at_the_next_start(kernel: Kernel, client: Client) -> None:
    mend = damaged_and_dead(kernel, client)
    assert "EMPTY" in str(about(told_when_there(reboot(kernel)))["story"])
    kill(kernel.mark)
    mend()
    assert reboot(kernel).value("x") == 5


def test_that_nothing_ran_in_between_is_no_newer_state(kernel: Kernel, client: Client) -> None:
    mend = damaged_and_dead(kernel, client)
    told_when_there(reboot(kernel)).listen(1.0)  # 20 times as long as a changed state waits to be written
    mend()
    assert reboot(kernel).value("x") == 5


def told_when_there(client: Client) -> Client:
    """The client, once the session has its first interpreter."""
    client.until_told(lambda: about(client)["state"] == "idle", "an interpreter")
    return client


# --- a full disk


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """Make a folder a file system of 12 MB of its own."""
    if os.getuid() != 0:
        pytest.skip("only root can mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"can't mount a tmpfs here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_on_a_full_disk_cells_go_on_and_the_session_says_that_nothing_new_is_kept() -> None:
    with running(settings=SOON, place=small_disk) as kernel:
        client = kernel.client()
        client.do("import os; x = 5")
        on_disk(client, 1)
        client.do("big = os.urandom(30_000_000)")
        client.until_told(
            lambda: "writing failed" in about(client)["restore_point"], "that it could not be written"
        )
        assert "No space left on device" in client.do("%holdfast").text()
        client.do("x = 6")
        successor = reboot(kernel)
        assert successor.value("x") == 5
        successor.do("del x; y = 7")
        on_disk(successor, 6)


def test_what_was_never_written_is_not_passed_over_in_silence_after_an_end_in_order() -> None:
    with running(settings=SOON, place=small_disk) as kernel:
        client = kernel.client()
        client.do("import os; big = os.urandom(30_000_000)")
        client.until_told(
            lambda: "writing failed" in about(client)["restore_point"], "that it could not be written"
        )
        pid = about(client)["pid"]
        os.kill(pid, signal.SIGTERM)
        assert wait_for_end(pid, Deadline(30))
        said = told(reboot(kernel))
        assert "its variables are gone (they could not be written: " in said
        assert "No space left on device" in said
        assert "%recover lists what ran" in said


# --- barriers


def test_nothing_from_before_a_restart_comes_back(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    kernel.shut_down(restart=True)
    successor = opened_again(kernel)
    assert successor.run("x").error["ename"] == "NameError"
    assert reboot(kernel).run("x").error["ename"] == "NameError"


def test_what_could_not_be_read_stays_on_disk_until_a_restart(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    kill(kernel.mark)
    unread = folder_of(kernel)
    for manifest in manifests(kernel):
        damage(manifest)
    successor = reboot(kernel)
    successor.do("y = 1")
    on_disk(successor, 2)
    assert unread.exists()
    kernel.shut_down(restart=True)
    successor = opened_again(kernel)
    successor.do("z = 1")
    on_disk(successor, 1)
    assert not unread.exists()


def test_nothing_from_before_a_reset_comes_back_by_itself(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    client.do("%reset -f")
    crashed = client.run(DIE)
    assert client.run("x").error["ename"] == "NameError", crashed.notice
    client.do("y = 6")
    successor = reboot(kernel)
    assert successor.run("x").error["ename"] == "NameError"
    assert "In[1]" not in successor.do("%recover").text()


def test_a_reset_right_before_the_end_of_everything_is_one() -> None:
    with running(settings=ONCE) as kernel:
        client = after_one_checkpoint(kernel, "x = 5")
        client.do("%reset -f")
        successor = reboot(kernel)
        assert "Back from disk" not in told(successor)
        assert successor.run("x").error["ename"] == "NameError"


def test_a_cell_that_crashes_after_its_reset_is_rolled_back(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    client.run("get_ipython().run_line_magic('reset', '-f'); " + DIE)
    assert client.value("x") == 5
    assert reboot(kernel).value("x") == 5


def test_a_reset_can_be_undone_from_memory(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    client.do("%reset -f")
    client.do("%undo")
    assert client.value("x") == 5
    client.run(DIE)
    assert client.value("x") == 5
    on_disk(client, 6)
    assert reboot(kernel).value("x") == 5


def test_what_was_undone_never_comes_back(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    client.do("x = 6")
    on_disk(client, 2)
    client.do("%undo")
    successor = reboot(kernel)
    assert "Back from disk, as after In[1]" in told(successor)
    assert successor.value("x") == 5
    assert "In[2] was undone" in successor.do("%recover").text()


# --- ends in order


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_an_end_in_order_writes_first_and_the_next_one_has_all_of_it(how: str) -> None:
    with running(settings="") as kernel:
        client = kernel.client()
        client.do("x = 5")
        client.do("y = [x]")
        if how == "stop":
            stop(kernel, client)
        else:
            os.kill(about(client)["pid"], signal.SIGTERM)
            kernel.wait()
        successor = opened_again(kernel)
        said = told(successor)
        assert "this session had ended" in said
        assert "as after In[2]" in said
        assert successor.value("x, y") == (5, [5])


@pytest.mark.parametrize("busy", [False, True])
def test_a_machine_that_shuts_down_tells_all_processes_at_once_and_nothing_is_lost(*, busy: bool) -> None:
    with running(settings=NEVER) as kernel:
        client = kernel.client()
        client.do("x = 5; import threading")
        client.do("y = [x]")
        client.until_told(lambda: (about(client)["standby"] or {}).get("after") == 2, "a standby of it")
        if busy:
            client.text(client.start("print('here', flush=True); threading.Event().wait()"), "here")
        for pid in random.Random(7).sample(list(processes := marked(kernel.mark)), len(processes)):
            with contextlib.suppress(ProcessLookupError):  # another's end was its own
                os.kill(pid, signal.SIGTERM)
        kernel.process.wait()
        assert left_over(kernel.mark, Deadline(15)) == {}
        assert opened_again(kernel).value("x, y") == (5, [5])


def test_an_end_in_order_waits_for_no_cell_and_keeps_what_was_before_it(
    kernel: Kernel, client: Client
) -> None:
    gate = Gate(kernel.folder / "gate")
    client.do("x = 5")
    running_cell = client.start(f"x = 6; print('here', flush=True); {gate.wait}")
    client.text(running_cell, "here")
    stop(kernel, client)
    successor = opened_again(kernel)
    assert successor.value("x") == 5


def test_an_end_in_order_waits_only_so_long_for_a_write_that_hangs() -> None:
    with running(settings="[checkpoint]\nend_seconds = 1.0\n") as kernel:
        client = kernel.client()
        client.do("import threading\nclass Bad:\n    def __reduce__(self):\n        threading.Event().wait()")
        client.do("bad = Bad()")
        stop(kernel, client)
        assert "as after In[2]" not in told(opened_again(kernel))


def test_a_kernel_that_was_shut_down_begins_fresh(kernel: Kernel, client: Client) -> None:
    client.do("x = 5")
    on_disk(client, 1)
    kernel.shut_down()
    successor = opened_again(kernel)
    assert not told(successor)
    assert successor.run("x").error["ename"] == "NameError"


def test_without_checkpoints_nothing_is_written_and_the_variables_are_gone() -> None:
    with running(settings=OFF) as kernel:
        client = kernel.client()
        client.do("x = 5")
        assert about(client)["restore_point"].endswith("on disk: nothing")
        stop(kernel, client)
        assert not list(kernel.folder.glob("state/sessions/*/checkpoints/*"))
        successor = opened_again(kernel)
        assert successor.run("x").error["ename"] == "NameError"
        successor.do("y = 6")
        assert "its variables are gone" in told(reboot(kernel))


# --- when it is written


def test_a_stream_of_cells_that_never_rests_is_written_now_and_then() -> None:
    settings = "[checkpoint]\nrest_seconds = 1000.0\nlatest_seconds = 0.5\nshare = 0.0\n"
    with running(settings=settings) as kernel:
        client = kernel.client()
        client.do("n = 0")
        deadline = Deadline(20)
        while about(client)["restore_point"].endswith("on disk: nothing"):
            client.do("n += 1")
            assert not deadline.passed
        assert reboot(kernel).value("n >= 0")


def test_a_session_that_runs_nothing_writes_nothing(kernel: Kernel, client: Client) -> None:
    client.settle()
    client.until_told(lambda: about(client)["standby"] is not None, "a standby")
    assert not list(kernel.folder.glob("state/sessions/*/checkpoints/*"))
    stop(kernel, client)
    assert not list(kernel.folder.glob("state/sessions/*/checkpoints/*"))


def test_what_did_not_change_is_not_written_again(kernel: Kernel, client: Client) -> None:
    client.do("import os; big = os.urandom(5_000_000)")
    on_disk(client, 1)
    before = {path.name: path.stat().st_mtime_ns for path in (folder_of(kernel) / "blobs").iterdir()}
    client.do("x = 5")
    on_disk(client, 2)
    new = [path.stat().st_size for path in (folder_of(kernel) / "blobs").iterdir() if path.name not in before]
    assert sum(new) < 100_000  # what is small stands together, twice
