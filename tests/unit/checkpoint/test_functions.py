"""Functions and classes of cells, in a fresh interpreter: their globals are the user's, instances theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from .conftest import Disk, reasons, session

RESTORE = """
import sys
from pathlib import Path
from holdfast.checkpoint.loading import load
from holdfast.checkpoint.manifest import read
folder = Path(sys.argv[1])
loaded = load(folder, read(folder, sys.argv[2]), globals())
assert not loaded.lost, loaded.lost
globals().update(loaded.values)
"""


def restored(disk: Disk, code: str, then: str) -> str:
    """What a fresh interpreter prints, in which `code` has run in an earlier life."""
    manifest = disk.write(session(code))
    assert not manifest.lost
    command = [sys.executable, "-c", RESTORE + then, str(disk.folder), manifest.id]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


def test_a_function_sees_the_variables_as_they_are_now(disk: Disk) -> None:
    assert restored(disk, "x = 1\ndef f(): return x", "x = 2; print(f())") == "2"


def test_a_function_that_sets_a_global_sets_the_users(disk: Disk) -> None:
    code = "n = 0\ndef count():\n    global n\n    n += 1"

    assert restored(disk, code, "count(); count(); print(n)") == "2"


def test_a_function_defined_later_is_found_by_one_from_before(disk: Disk) -> None:
    assert restored(disk, "def f(): return g()", "g = lambda: 'new'; print(f())") == "new"


def test_instances_are_still_of_their_class(disk: Disk) -> None:
    code = (
        "import dataclasses, enum, collections\n"
        "class A:\n    n = 1\n    def up(self): type(self).n += step\n"
        "    @property\n    def it(self): return self.n\n"
        "class B(A):\n    def up(self): super().up(); return self\n"
        "@dataclasses.dataclass\nclass D:\n    a: A\n"
        "class E(enum.Enum):\n    one = 1\n"
        "P = collections.namedtuple('P', 'x y')\n"
        "step = 1; b = B(); d = D(b); e = E.one; p = P(1, 2); several = [A() for _ in range(3)]"
    )
    then = (
        "step = 5; b.up()\n"
        "print(type(b) is B, isinstance(b, A), b.it, d.a is b, type(d) is D, e is E.one, type(p) is P,\n"
        "      {type(each) is A for each in several}, A.up.__globals__ is globals())"
    )

    assert restored(disk, code, then) == "True True 6 True True True True {True} True"


def test_closures_share_their_variables(disk: Disk) -> None:
    code = (
        "def pair():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n"
        "    return up, lambda: n\nup, get = pair(); up()"
    )

    assert restored(disk, code, "up(); print(get())") == "2"


def test_a_function_with_a_cache_begins_with_an_empty_one(disk: Disk) -> None:
    code = "import functools\nx = 1\n@functools.lru_cache(7)\ndef f(n): return n + x\nf(1)"
    then = "x = 2; print(f(1), f(1), f.cache_info())"

    assert restored(disk, code, then) == "3 3 CacheInfo(hits=1, misses=1, maxsize=7, currsize=1)"


def test_the_file_of_a_functions_code_is_kept_for_tracebacks(disk: Disk) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("def f(): pass", "/tmp/cell_1.py", "exec"), namespace)

    assert disk.again(namespace)["f"].__code__.co_filename == "/tmp/cell_1.py"


def test_equal_functions_and_classes_are_equal_bytes(disk: Disk) -> None:
    namespace = session("class A:\n    def f(self): return 1\ndef f(): return A()")
    disk.write(namespace)

    assert disk.write(namespace).bytes_written == 0


def test_verdicts_tell_values_from_code_and_imports(disk: Disk) -> None:
    manifest = disk.write(
        session("import json\nfrom json import dumps\ndef f(): pass\nclass A: pass\nx = A()")
    )

    assert {each.name: each.how for each in manifest.variables} == {
        "json": "import",
        "dumps": "import",
        "f": "by value",
        "A": "by value",
        "x": "value",
    }


def test_functions_of_another_python_are_refused_one_by_one(disk: Disk) -> None:
    manifest = disk.write(
        session("x = [1]\ndef f(): return x\nclass A:\n    def g(self): pass\na = A(); y = [x]")
    )
    from holdfast.checkpoint.loading import load

    loaded = load(disk.folder, msgspec.structs.replace(manifest, python=(3, 2)), {})

    here = "{}.{}".format(*sys.version_info)
    assert reasons(loaded.lost) == {
        "f": f"its code is of Python 3.2, and this is {here}",
        "A": f"its code is of Python 3.2, and this is {here}",
        "a": "it shares data with A, which is lost",
    }
    assert loaded.values == {"x": [1], "y": [[1]]}


def test_a_module_that_is_gone_costs_what_needs_it(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "helpers_of_mine.py").write_text("class Thing: pass\ndef f(): pass\n")
    sys.path.insert(0, str(tmp_path))
    try:
        manifest = disk.write(session("import helpers_of_mine as h; t = h.Thing(); f = h.f; x = 1"))
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["helpers_of_mine"]
    values, lost = disk.load(manifest)

    assert {each.name for each in lost} == {"h", "t", "f"}
    assert reasons(lost)["h"] == "the module helpers_of_mine is not there"
    assert values["x"] == 1


def test_an_object_that_can_not_be_made_again_costs_only_itself(disk: Disk) -> None:
    code = (
        "class Sick:\n    def __setstate__(self, state): raise ValueError('no')\n"
        "sick = Sick(); sick.data = shared = ['s']; a = [sick]; b = [shared]; c = ['c'] * 2"
    )
    values, lost = disk.load(disk.write(session(code)))

    assert reasons(lost)["sick"] == "making it again failed: ValueError: no"
    assert values["c"] == ["c", "c"]
    assert "a" not in values
    assert values.get("b", [["s"]]) == [["s"]]
