"""Locks that can't be had are found where a session's variables lead to them."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

from holdfast.worker.standby import locks


def found(trying: list[str] | None = None, **variables: Any) -> set[str]:
    """Names of variables that need a lock which is held."""
    said = locks.held(variables, (trying if trying is not None else []).append)
    return {words.removeprefix("a lock that ").split()[0] for words in said}


def taken(kind: Any = threading.Lock) -> Any:
    """A lock that a thread holds which has ended since."""
    lock = kind()
    holder = threading.Thread(target=lock.acquire)
    holder.start()
    holder.join()
    return lock


class Box:
    def __init__(self, content: object) -> None:
        self.content = content


def test_a_held_lock_is_found_in_objects_containers_and_functions() -> None:
    inner, other = taken(), taken()

    assert found(
        box=Box({"deep": [(taken(),)]}),
        again=taken(threading.RLock),
        condition=threading.Condition(taken(threading.RLock)),
        closure=lambda: inner,
        default=lambda lock=other: lock,
    ) == {"box", "again", "condition", "closure", "default"}


def test_a_free_lock_stays_free_and_is_not_reported() -> None:
    lock = threading.Lock()

    assert found(lock=lock, event=threading.Event(), mine=threading.RLock()) == set()
    assert not lock.locked()


def test_who_waits_for_an_event_holds_nothing() -> None:
    event = threading.Event()
    waiting = threading.Thread(target=event.wait)
    waiting.start()

    assert found(event=event, waiting=waiting) == set()
    event.set()
    waiting.join()


def test_no_code_of_an_object_runs() -> None:
    class Trap:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    assert found(trap=Trap(), lock=taken()) == {"lock"}


def test_a_long_list_is_data_and_is_not_walked_to_its_end() -> None:
    assert found(data=[0] * locks.ELEMENTS_LOOKED_AT + [taken()], near=[taken()]) == {"near"}


def test_a_file_is_named_before_its_own_lock_is_tried(tmp_path: Path) -> None:
    told: list[str] = []
    with (tmp_path / "file").open("w") as file:
        file.write("text")

        assert found(told, file=file, memory=io.BytesIO()) == set()
        assert told[:1] == ["files of file"]
        assert (tmp_path / "file").read_text() == ""


def test_what_has_no_proper_name_hides_nothing_else() -> None:
    class Strange:
        __module__ = None  # type: ignore[assignment]

    namespace: dict[Any, Any] = {0: taken(), "a": Strange(), "lock": taken()}
    (words,) = locks.held(namespace, lambda _: None)
    assert words.startswith("a lock that lock needs")
