"""Where a file goes on, given what its session holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.cellfiles.document import Step
from holdfast.cellfiles.plan import Plan, Ran, made


def file(codes: str, may_fail: str = "") -> list[Step]:
    return [Step(place, place + 1, code, code, code in may_fail) for place, code in enumerate(codes)]


def session(codes: str) -> list[Ran]:
    """Capitals failed; after a dot: somebody at a prompt has run it; after a `!`: it was stopped."""
    held: list[Ran] = []
    others = stopped = False
    for code in codes:
        if code in ".!":
            others, stopped = others or code == ".", stopped or code == "!"
            continue
        number = len(held) + 1
        client = "ana" if others else "run"
        held.append(Ran(number, number, code.lower(), client, code.isupper(), stopped, not others))
        others = stopped = False
    return held


def told(plan: Plan) -> tuple[str, str]:
    return "".join(ran.code for ran in plan.done), "".join(ran.code for ran in plan.stale)


def test_nothing_has_run() -> None:
    assert told(made(file("abc"), [])) == ("", "")
    assert told(made([], session("ab"))) == ("", "ab")


def test_what_has_run_is_skipped() -> None:
    assert told(made(file("abc"), session("ab"))) == ("ab", "")
    assert told(made(file("abc"), session("abc"))) == ("abc", "")


def test_a_changed_cell_makes_what_ran_from_there_on_stale() -> None:
    assert told(made(file("axc"), session("abc"))) == ("a", "bc")
    assert told(made(file("xbc"), session("abc"))) == ("", "abc")


def test_a_new_a_removed_and_a_moved_cell_are_changes() -> None:
    assert told(made(file("axbc"), session("abc"))) == ("a", "bc")
    assert told(made(file("ac"), session("abc"))) == ("a", "bc")
    assert told(made(file("acb"), session("abc"))) == ("a", "bc")


def test_a_cell_that_failed_and_could_not_be_undone_has_not_run() -> None:
    assert told(made(file("abc"), session("aB"))) == ("a", "b")
    assert told(made(file("abc", may_fail="b"), session("aB"))) == ("ab", "")
    assert told(made(file("abc", may_fail="b"), session("a!b"))) == ("a", "b")


def test_cells_of_others_may_stand_between_and_count_if_they_are_the_next() -> None:
    assert told(made(file("abc"), session(".xa.y"))) == ("a", "")
    assert told(made(file("abc"), session("a.b.z"))) == ("ab", "")
    assert told(made(file("abc"), session("a.B"))) == ("a", "")


def test_going_back_takes_those_of_others_along_that_came_later() -> None:
    assert told(made(file("axc"), session("ab.yc"))) == ("a", "byc")


def test_of_several_runs_the_one_that_got_furthest_counts_then_the_last() -> None:
    assert told(made(file("abc"), session("abab"))) == ("ab", "")
    assert made(file("abc"), session("abab")).done[0].id == 3
    assert told(made(file("abcd"), session("abcab"))) == ("abc", "ab")
    assert told(made(file("abx"), session("abcabc"))) == ("ab", "c")


def test_a_whole_run_is_over_when_the_file_was_begun_again() -> None:
    assert told(made(file("abc"), session("abca"))) == ("a", "")
    assert made(file("abc"), session("abca")).done[0].id == 4
    assert told(made(file("abc"), session("abcabca"))) == ("a", "")
    assert told(made(file("abc"), session("abcd"))) == ("abc", "d")


def test_the_first_cell_typed_at_a_prompt_after_a_run_is_not_the_beginning_of_another() -> None:
    assert told(made(file("ab"), session(".a"))) == ("a", "")
    assert told(made(file("ax"), session("ab.a"))) == ("a", "ba")
    assert told(made(file("ab"), session("x.a"))) == ("", "xa")


def test_a_cell_that_stands_twice_in_the_file_runs_twice() -> None:
    assert told(made(file("aab"), session("a"))) == ("a", "")
    assert told(made(file("aab"), session("aa"))) == ("aa", "")


codes = st.text("abAB.!", max_size=12)


@given(st.text("abc", max_size=6), codes)
def test_a_plan_is_what_it_says(wanted: str, ran: str) -> None:
    held = session(ran)
    plan = made(file(wanted), held)
    assert "".join(each.code for each in plan.done) == wanted[: len(plan.done)]
    assert not any(each.failed or each.stopped for each in plan.done)
    numbers = [each.id for each in plan.done]
    assert numbers == sorted(set(numbers))
    if plan.stale:
        assert plan.stale[0].ours
        assert plan.stale == held[plan.stale[0].id - 1 :]
        assert all(number < plan.stale[0].id for number in numbers)


@given(st.text("abc", min_size=1, max_size=6), codes)
def test_gone_back_to_where_it_says_the_rest_can_run_and_then_all_has(wanted: str, ran: str) -> None:
    held = session(ran)
    plan = made(file(wanted), held)
    back = held[: plan.stale[0].id - 1] if plan.stale else held
    again = made(file(wanted), back)
    assert len(again.done) >= len(plan.done)
    rest = session(wanted[len(again.done) :])
    after = [*back, *(Ran(len(back) + each.id, 0, each.code, "run", False, False, True) for each in rest)]
    if not again.stale:
        assert len(made(file(wanted), after).done) == len(wanted)
