"""The soak reads the same from a notice's words as from its object."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.link.messages import Absent, LostName
from holdfast.supervisor.aftermath.recovery import Recovery, described, slip_in_words
from holdfast.supervisor.processes.returns import Slip
from soak.notices import Notice, of_reply, of_story, of_text

CAUSE = "aborted (signal 6, SIGABRT)"
POOL, SOCKET = Absent("pool", "pool", "thread pool"), Absent("connection", "s", "socket")
SLIP = slip_in_words(Slip("standby", 40, "it ended on the way: aborted (signal 6, SIGABRT)"), 4)
GENERATOR = LostName("g", "a generator, which can't be pickled")


@pytest.mark.parametrize(
    ("recovery", "notice"),
    [
        (Recovery(CAUSE, 4, "standby", 3, [], 5.0), Notice("standby")),
        (Recovery(CAUSE, None, "standby", 3, [4, 5], 5.0), Notice("standby", frozenset({4, 5}))),
        (
            Recovery(CAUSE, 6, "standby", 3, [4], 5.0, refusal="another thread (x) is inside native code"),
            Notice("standby", frozenset({4}), excused=True),
        ),
        (
            Recovery(CAUSE, 6, "standby", 3, [4], 5.0, stepped_back=True),
            Notice("standby", frozenset({4}), excused=True),
        ),
        (
            Recovery(
                CAUSE,
                6,
                "standby",
                5,
                [],
                5.0,
                not_restored=[POOL, SOCKET],
            ),
            Notice("standby", missing=frozenset({"pool", "s"})),
        ),
        (
            Recovery(CAUSE, 6, "disk", 3, [5], 5.0, names=["x"], lost_names=[GENERATOR], why=["a reason"]),
            Notice("disk", frozenset({5}), frozenset({"g"})),
        ),
        (
            Recovery(CAUSE, 6, "standby", 3, [4, 5], 5.0, slips=[SLIP, SLIP]),
            Notice("standby", frozenset({4, 5})),
        ),
        (
            Recovery(CAUSE, 6, "standby", 3, [4, 5], 5.0, slips=[SLIP], refusal="no free descriptor"),
            Notice("standby", frozenset({4, 5}), excused=True),
        ),
        (Recovery(CAUSE, 6, "salvage", 5, [], 5.0, names=["x", "y"]), Notice("salvage")),
        (Recovery(CAUSE, 6, "fresh", None, [], 5.0), Notice("fresh")),
    ],
    ids=lambda each: each.level,
)
def test_words_and_object_say_the_same(recovery: Recovery, notice: Notice) -> None:
    reply = {"metadata": {"holdfast": {"recovery": msgspec.to_builtins(recovery)}}}

    assert of_reply(reply) == notice
    assert of_text("\n".join(described(recovery))) == notice


def test_other_words_are_no_notice() -> None:
    assert of_text("NameError: name 'x' is not defined") is None


def test_of_a_session_that_is_opened_again_the_story_says_what_is_lost() -> None:
    story = (
        "this session was not closed properly: its processes ended today, between cells.\n"
        "Back from disk, as after In[3] (written today): the values of 2 variables.\n"
        "Not back: f (an open file (a.csv)) and g (a generator).\n"
        "In[4] came after that and is not in it: %recover lists it"
    )

    about = {"story": story, "not_back": [{"name": "f"}, {"name": "g"}]}
    gone = {"story": "its variables are gone", "not_back": []}

    assert of_story(about, [1, 2, 3, 4]) == Notice("disk", frozenset({4}), frozenset({"f", "g"}), True)
    assert of_story(gone, [1, 2]) == Notice("fresh", frozenset({1, 2}), excused=True)
