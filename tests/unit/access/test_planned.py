"""Whether a door over TCP may be opened, before anything is; and what addresses mean."""

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access import abroad
from holdfast.client.abroad import Place, place
from holdfast.errors import AccessRefused, HoldfastError
from holdfast.keys import kept
from holdfast.protocol import connection
from holdfast.settings import Listen

LINE = "curve:rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7 ana role=run\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    kept.change_authorized(lambda _: LINE)
    return tmp_path


def test_none_is_planned_where_none_is_asked_for(home):
    assert abroad.planned(Listen()) is None
    assert abroad.planned(Listen(port=5555, public=True)) is None


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("tcp://127.0.0.1", "127.0.0.1", 0),
        ("tcp://127.0.0.1:6000", "127.0.0.1", 6000),
        ("tcp://localhost", "127.0.0.1", 0),
        ("10.0.0.3", "10.0.0.3", 0),
        ("tcp://[::1]:6000", "::1", 6000),
        ("tcp://::1", "::1", 0),
    ],
)
def test_addresses_are_read_as_people_write_them(home, text, address, port):
    plan = abroad.planned(Listen(address=text))
    assert (plan.address, plan.port) == (address, port)


@pytest.mark.parametrize("text", ["tcp://0.0.0.0", "tcp://*", "tcp://[::]", "tcp://1.1.1.1"])
def test_what_everybody_can_reach_needs_a_word_more(home, text):
    with pytest.raises(AccessRefused, match="from everywhere"):
        abroad.planned(Listen(address=text))
    assert abroad.planned(Listen(address=text, public=True)) is not None


@pytest.mark.parametrize(
    ("name", "value"), [("zmq_version_info", (4, 3, 3)), ("zmq_version_info", (4, 2, 5)), ("has", False)]
)
def test_an_old_libzmq_or_one_without_curve_opens_no_door(home, monkeypatch, name, value):
    monkeypatch.setattr(zmq, name, lambda *_: value)
    with pytest.raises(AccessRefused, match="does not keep others out") as error:
        abroad.planned(Listen(address="tcp://127.0.0.1"))
    assert error.value.remedy


def test_ports_that_a_session_had_are_tried_first(home, tmp_path):
    file = tmp_path / "tcp.json"
    plan = abroad.planned(Listen(address="tcp://127.0.0.1"))
    first, second = next(abroad.candidates(plan, file)), list(abroad.candidates(plan, file))[1]
    assert [first.port(channel) for channel in connection.CHANNELS] == [5555, 5556, 5557, 5558, 5559]
    assert second.shell_port == 5560
    connection.write(file, second)
    assert next(abroad.candidates(plan, file)) == second
    fixed = abroad.planned(Listen(address="tcp://127.0.0.1", port=7000))
    assert [info.shell_port for info in abroad.candidates(fixed, file)] == [7000]


@given(st.text() | st.from_regex(r"(tcp://)?\[?[0-9a-f.:]+\]?(:[0-9]*)?", fullmatch=True))
def test_no_address_is_too_strange(text):
    for read in (place, lambda word: abroad.planned(Listen(address=word))):
        try:
            read(text)
        except HoldfastError as error:
            remedy = error.remedy
        else:
            remedy = "none is needed"
        assert remedy


@given(
    st.from_regex(r"[a-z0-9.-]{1,20}|\[[0-9a-f:]{2,20}\]", fullmatch=True),
    st.none() | st.integers(1, 65_531),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
)
def test_an_address_is_read_as_it_is_shown(host, port, name):
    assert place(str(Place(host, port, name))) == Place(host, port, name)
