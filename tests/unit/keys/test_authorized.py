"""Lines of `authorized_keys`: who comes in by them; a wrong one lets nobody in and shuts none out."""

import ipaddress
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.authorized_keys import KEYS, line_of, says
from holdfast import z85
from holdfast.keys import authorized
from holdfast.keys.authorized import Person, parse, person_of

KEY, OTHER = KEYS
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

keys = st.binary(min_size=32, max_size=32).map(z85.encoded)
names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_.@+-]{0,20}", fullmatch=True)
people = st.builds(
    Person,
    key=keys,
    name=names,
    role=st.sampled_from(authorized.ROLES),
    sources=st.lists(
        st.one_of(st.ip_addresses().map(ipaddress.ip_network), st.just(ipaddress.ip_network("10.0.0.0/8"))),
        max_size=3,
    ).map(tuple),
    until=st.none() | st.datetimes(timezones=st.just(UTC)),
    line=st.just(0),
)


@given(people)
def test_what_is_written_of_somebody_is_read_again(person):
    assert person_of(line_of(person)) == person


words = st.sampled_from(
    ["ana", "role=", "role=run", "from=", "10.0.0.0/8", "until=", "2026-12-31", "\n", "\x1b"]
)
almost_lines = st.lists(people.map(line_of) | words | st.text(max_size=3)).map(" ".join)


@given(st.text() | almost_lines)
def test_no_text_is_too_strange(text):
    says(text)


@given(
    st.text(alphabet=st.characters(exclude_characters="\n")),
    st.lists(people, max_size=5, unique_by=lambda each: each.key),
)
def test_a_wrong_line_shuts_nobody_out(noise, written):
    lines = [line_of(person) for person in written]
    found = parse("\n".join([*lines[:2], noise, *lines[2:]]))
    assert {person.key for person in written} <= {person.key for person in found.people}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ana role=run", "does not begin with a key"),
        (f"{KEY} ana", "does not begin with a key"),
        (f"curve:{KEY[:-1]} ana", "does not begin with a key"),
        (f"curve:{'#' * 40} ana", "does not begin with a key"),  # Z85 of more than four bytes
        (f"curve:{KEY}", "comes a name"),
        (f"curve:{KEY} role=run", "comes a name"),
        (f"curve:{KEY} an\x1ba", "comes a name"),
        (f"curve:{KEY} ana role=root", "'role=root' is none of watch, run, own"),
        (f"curve:{KEY} ana role=run role=own", "twice"),
        (f"curve:{KEY} ana form=10.0.0.1", "'form=10.0.0.1' is none of"),
        (f"curve:{KEY} ana from=10.0.0.1/8", "host bits"),
        (f"curve:{KEY} ana from=", "from="),
        (f"curve:{KEY} ana until=tomorrow", "no date"),
        (f"curve:{KEY} ana until=2026-02-30", "no date"),
        (f"curve:{KEY} ana until=9999-12-31", "no date"),
        (f"curve:{KEY} ana please", "is none of"),
        (f"curve:{KEY} ana from=" + "10.0.0.1," * 200, "longer than"),
    ],
)
def test_a_wrong_line_says_what_is_wrong_with_it_and_lets_nobody_in(line, complaint):
    found = parse(f"# people\n\ncurve:{OTHER} bo role=own\n{line}\n")
    assert [person.name for person in found.people] == ["bo"]
    (wrong,) = found.wrong
    assert wrong.line == 4
    assert complaint in wrong.what


@pytest.mark.parametrize("option", ["role=", "from=", "until=", "more="])
def test_a_complaint_about_a_line_of_somebody_elses_does_no_harm_to_a_terminal(option):
    (wrong,) = parse(f"curve:{KEY} ana {option}\x1b]0;title\x07").wrong
    assert wrong.what.isprintable()


def test_without_a_role_somebody_may_only_watch():
    person = person_of(f"curve:{KEY} ana")
    assert [person.may(role) for role in authorized.ROLES] == [True, False, False]


def test_who_may_run_may_watch_and_who_owns_may_all():
    run, own = person_of(f"curve:{KEY} ana role=run"), person_of(f"curve:{KEY} ana role=own")
    assert [run.may(role) for role in authorized.ROLES] == [True, True, False]
    assert all(own.may(role) for role in authorized.ROLES)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("10.2.3.4", True),
        ("::ffff:10.2.3.4", True),
        ("11.2.3.4", False),
        ("fe80::1", True),
        ("fe80::1%eth0", True),
        ("fe81::1", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_from_lets_in_from_there_alone(address, may):
    assert person_of(f"curve:{KEY} ana from=10.0.0.0/8,fe80::/16").may_come(address, NOON) is may


def test_a_last_day_counts_to_its_end():
    person = person_of(f"curve:{KEY} ana until=2026-06-01")
    assert person.may_come("::1", datetime(2026, 6, 1, 23, 59, tzinfo=UTC))
    assert not person.may_come("::1", datetime(2026, 6, 2, tzinfo=UTC))


def test_the_same_key_twice_counts_as_its_first_line():
    found = parse(f"curve:{KEY} ana role=watch\ncurve:{KEY} ana role=own")
    assert [(person.role, person.line) for person in found.people] == [("watch", 1)]
    assert "line 1 already" in found.wrong[0].what


def test_who_is_removed_is_removed_with_all_keys_and_all_else_stays():
    text = f"# bo is a friend\ncurve:{KEY} ana\n  curve:{OTHER} bo role=own\ncurve:{KEY} ana role=oops\n"
    assert authorized.without(text, "ana") == (f"# bo is a friend\n  curve:{OTHER} bo role=own\n", 2)
    assert authorized.without(text, "is") == (text, 0)


@given(st.text())
def test_what_is_no_key_is_told_apart(word):
    assert z85.read(word) is None


def test_of_ten_thousand_lines_a_change_costs_only_the_line_that_has_changed():
    keys = [z85.encoded(number.to_bytes(32)) for number in range(10_000)]
    text = "\n".join(f"curve:{key} p{number} from=10.0.0.0/8" for number, key in enumerate(keys))
    begun = time.process_time()
    found = parse(text)
    read = time.process_time()
    assert parse(text.replace("p7 ", "ana ")).of(keys[7]) == found.of(keys[7])._replace(name="ana")
    assert time.process_time() - read < (read - begun) / 2
    asked = time.process_time()
    assert all(found.of(key) is not None for key in keys)
    assert time.process_time() - asked < (read - begun) / 2  # some 0.1 microseconds each
