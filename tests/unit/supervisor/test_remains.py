"""What a notice says of what did not come along."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.link.messages import SEMAPHORE, SHARED_MEMORY, Absent, Child, LeftBehind, LostName
from holdfast.supervisor.aftermath.remains import COMMAND_LENGTH, NAMED, in_words, listed


def test_nothing_is_said_where_nothing_is_lost() -> None:
    assert in_words(LeftBehind(), [], "In[3]") == []


def test_a_variable_is_named_with_what_it_was_and_others_by_what_they_are() -> None:
    left = LeftBehind([Absent("connection", "s", "open socket (h:1)"), Absent("thread", "", "thread tick")])
    lost = [LostName("g", "a generator", "<gen>"), LostName("h", "a lock")]
    assert in_words(left, lost, "In[3]") == [
        "Not restored: s (open socket (h:1)), thread tick, g (a generator; it was <gen>) and h (a lock)."
    ]


def test_each_child_process_is_told_with_what_became_of_it() -> None:
    children = [
        Child(11, "sleep 9", "p"),
        Child(12, "sh -c x", "", False, 7),
        Child(13, "sleep 8", "q", False, -9),
        Child(14, "", "r", False),
    ]
    (line,) = in_words(LeftBehind(children=children), [], "In[3]")
    assert line.startswith("Child processes: p (pid 11, sleep 9, runs on), pid 12 (sh -c x, ended with 7), q")
    assert line.endswith("q (pid 13, sleep 8, ended by signal 9) and r (pid 14, has ended).")


def test_shared_memory_is_told_by_whom_it_was_written_last_and_semaphores_are_not_told() -> None:
    shared = [Absent(SHARED_MEMORY, "m", "memory shared with /f"), Absent(SEMAPHORE, "", "semaphore mp-x")]
    assert in_words(LeftBehind(not_rolled_back=shared), [], "In[3]") == [
        "Not rolled back, but as In[3] left it: m (memory shared with /f)."
    ]


@given(st.integers(1, 200), st.text(max_size=300))
def test_no_notice_grows_with_what_is_lost(count: int, command: str) -> None:
    children = [Child(10**6 + number, command) for number in range(count)]
    (line,) = in_words(LeftBehind(children=children), [], "In[3]")
    assert len(line) < (NAMED + 1) * (COMMAND_LENGTH + 40)
    assert (f" and {count - NAMED} more." in line) == (count > NAMED)


@given(st.lists(st.from_regex(r"[a-z]+", fullmatch=True), min_size=1, max_size=NAMED))
def test_a_short_list_names_everybody(words: list[str]) -> None:
    assert listed(words).replace(" and ", ", ").split(", ") == words
