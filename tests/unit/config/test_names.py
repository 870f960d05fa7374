"""Names of settings: what each is for, and which one was meant."""

from __future__ import annotations

from hypothesis import given, strategies

from holdfast.config import names, places, project, variables, words

setting_names = strategies.sampled_from(sorted(names.known()))


def test_every_setting_says_what_it_is_for() -> None:
    purposes = words.purposes()
    assert not {name for name in names.known() if len(purposes.get(name, "")) < 10}
    assert all(purposes[section] for section in names.sections())


def test_every_setting_has_a_variable_of_its_own() -> None:
    assert len(names.by_variable()) == len(names.known())
    assert not names.by_variable().keys() & (places.NO_SETTINGS | variables.SHORT.keys())


def test_every_setting_can_say_what_it_may_be() -> None:
    assert not [each.name for each in names.known().values() if words.wanted(each.type) == "a list"]


def test_what_is_said_of_some_names_is_said_of_settings_that_there_are() -> None:
    assert set(project.OPEN_SECTIONS) <= set(names.sections())
    assert set(variables.SHORT.values()) | project.RESERVED <= names.known().keys()


@given(setting_names, strategies.data())
def test_a_slip_of_a_finger_is_led_back(name: str, data: strategies.DataObject) -> None:
    place = data.draw(strategies.integers(0, len(name) - 1))
    kind = data.draw(strategies.sampled_from(["left out", "twice", "swapped", "another", "capital"]))
    wrong = {
        "left out": name[:place] + name[place + 1 :],
        "twice": name[: place + 1] + name[place:],
        "swapped": name[:place] + name[place : place + 2][::-1] + name[place + 2 :],
        "another": name[:place] + "q" + name[place + 1 :],
        "capital": name.upper(),
    }[kind]
    assert names.nearest(wrong) == name


@given(setting_names)
def test_the_right_name_in_no_table_is_led_to_its_table(name: str) -> None:
    last = name.rpartition(".")[2]
    same = [each for each in names.known() if each.rpartition(".")[2] == last]
    found = names.nearest(last)
    assert found in same or len(same) > 1


def test_what_is_like_nothing_is_led_nowhere() -> None:
    assert names.nearest("gibberish") is None
    assert names.nearest("standby.a") is None
