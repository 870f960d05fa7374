"""Lines that say who may come in: a wrong one lets nobody in and shuts nobody out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fuzz.holds.parts import is_told_well
from holdfast import z85
from holdfast.keys import authorized
from holdfast.keys.authorized import Person, parse, person_of

KEYS = ("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GUEST = f"curve:{KEYS[1]} bo role=own"


def holds(data: bytes) -> None:
    says(data.decode(errors="surrogateescape"))


def seeds() -> Iterator[bytes]:
    yield f"# people\n\ncurve:{KEYS[0]} ana role=run from=10.0.0.0/8,::1 until=2026-12-31\n{GUEST}\n".encode()
    yield f"curve:{KEYS[0]} ana until=2026-12-31T18:00+02:00\ncurve:{KEYS[0]} ana".encode()
    yield f"curve:{KEYS[0]} ana role=root\ncurve:{KEYS[0]} an\x1ba".encode()
    yield f"curve:{KEYS[0]} ana from=::ffff:1.2.3.4".encode()


def line_of(person: Person) -> str:
    """The line that says so."""
    words = [z85.shown(person.key), person.name, f"role={person.role}"]
    if person.sources:
        words.append("from=" + ",".join(map(str, person.sources)))
    if person.until is not None:
        words.append("until=" + person.until.isoformat())
    return " ".join(words)


def says(text: str) -> None:
    """Each line is somebody, or wrong with a reason, or nothing; what is written of one is read again."""
    found = parse(text)
    lines = text.split("\n")
    places = [each.line for each in (*found.people, *found.wrong)]
    assert len(set(places)) == len(places)
    assert all(authorized.says_something(lines[place - 1]) for place in places)
    assert len(places) == sum(map(authorized.says_something, lines))
    assert len({person.key for person in found.people}) == len(found.people)
    for wrong in found.wrong:
        assert wrong.what
        assert is_told_well(wrong.what), wrong.what
    for person in found.people:
        assert person_of(line_of(person))._replace(line=person.line) == person
        assert found.of(person.key) == person
        assert is_told_well(person.name)
        person.may_come("::ffff:10.0.0.1", NOW)
        left, removed = authorized.without(text, person.name)
        assert removed >= 1
        assert person.key not in {each.key for each in parse(left).people if each.name == person.name}
    guest = parse(f"{text}\n{GUEST}")
    assert guest.of(KEYS[1]) is not None
